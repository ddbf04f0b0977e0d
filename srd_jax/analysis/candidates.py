"""Grana of a micrograph before they are measured: outlined by a detector, or by a person."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from scipy import ndimage
from skimage.measure import label

from srd_jax.analysis import direction, outlines
from srd_jax.analysis.granum import Granum, Value
from srd_jax.analysis.instances import instances
from srd_jax.analysis.maps import Maps
from srd_jax.imaging.masks import main_part
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.measuring.result import DEFAULT_LIMITS
from srd_jax.support.errors import InputError

Detect = Callable[[Micrograph, float], Maps]

# px from the border of the micrograph within which a granum touches it; and px of the maps beside.
_BORDER, _BORDER_MAPS = 2.0, 1.0
# Smaller micrographs have no grana, px.
_LEAST_SIDE = 8

# A granum is doubtful whose mean probability is so near to the threshold, as a share of what is
# above it.
_DOUBTFUL = 0.2
# A granum is tiny below such an area: about 80 nm squared, or as many periods of 20 nm.
_TINY_NM2, TINY_PERIODS2 = 6000.0, 15.0
# Above this irregularity several grana may have been taken for one.
_IRREGULAR = 0.5
# Greatest share of the lamellae that run in another direction.
_ASTRAY = 0.2
# Greatest sd of the direction, degrees: a third of the tilt at which a period isn't trusted.
UNSURE_DIRECTION = DEFAULT_LIMITS.tilt_deg / 3
# Mean period of grana, nm, and the least period that an image shows, px; see `measuring.result`.
_USUAL_NM, _FEW_PX = 20.0, 4.5


class Candidate(NamedTuple):
    """A granum that isn't measured yet.

    Attributes:
      number: from 1 on.
      outline: polygon, (N, 2) of x and y, px of the micrograph.
      others: a wider and a narrower outline, for its uncertainty; None for none.
      mask: bool, pixels inside of the outline, in its box.
      box: rows and columns of the micrograph.
      touches_border: whether it reaches the border of the micrograph.
      rough: direction by the maps; None where it isn't known.
      period_px: about, by the maps; None where it isn't known.
      detection: mean probability of its pixels; None for a mask that somebody drew.
      notes: facts about its mask, each a phrase.
      doubts: why the mask may not show one granum, each a phrase.
      direction: set by a person; None where it is to be found.
      period: set by a person, px; None where it is to be measured.
    """

    number: int
    outline: np.ndarray
    others: tuple[np.ndarray | None, ...]
    mask: np.ndarray
    box: tuple[slice, slice]
    touches_border: bool
    rough: Value | None = None
    period_px: float | None = None
    detection: float | None = None
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    direction: Value | None = None
    period: Value | None = None


def detected(
    micrograph: Micrograph, detect: Detect, px_per_nm: float, threshold: float
) -> Iterator[Candidate]:
    """Yields the grana that a detector finds, in reading order.

    Args:
      micrograph: to look at.
      detect: the detector.
      px_per_nm: scale of the micrograph, or an estimate of it.
      threshold: least probability of a granum's pixels.
    """
    shape = micrograph.grey.shape
    if min(shape) < _LEAST_SIDE:
        return
    maps = detect(micrograph, px_per_nm)
    found = instances(maps, threshold, micrograph.px_per_nm)
    levels = tuple(level + threshold - outlines.LEVELS[0] for level in outlines.LEVELS)
    edge, number = _BORDER + _BORDER_MAPS / maps.scale, 0
    for one, probability in enumerate(found.detection, 1):
        best, *others = outlines.outlines(maps, found, one, levels, shape)
        if best is None:
            continue
        mask, box = outlines.rasterised(best, shape)
        if mask.any():
            number += 1
            yield Candidate(
                number,
                best,
                tuple(others),
                mask,
                box,
                _touches(best, edge, shape),
                direction.of_maps(maps, found, one),
                direction.period_of_maps(maps, found, one),
                float(probability),
            )


def drawn(micrograph: Micrograph, masks: np.ndarray) -> Iterator[Candidate]:
    """Yields the grana of a label image that somebody drew, in the order of their numbers.

    Args:
      micrograph: that it belongs to.
      masks: (rows, columns) whole numbers, or bool, whose parts are a granum each.

    Raises:
      InputError: the masks have another shape than the micrograph, or aren't whole numbers.
    """
    shape = micrograph.grey.shape
    if masks.shape != shape or masks.dtype.kind not in "bui":
        raise InputError(
            f"{micrograph.name}: masks of shape {masks.shape} and type {masks.dtype}; accepted "
            f"are whole numbers of shape {shape}, as the micrograph has"
        )
    labels = np.asarray(label(masks, connectivity=1)) if masks.dtype == bool else masks
    for number, box in enumerate(ndimage.find_objects(labels), 1):
        if box is None:
            continue
        mask, notes, doubts = main_part(labels[box] == number)
        best, *others = outlines.of_mask(mask, box, shape)
        if best is not None:
            touches = _touches(best, _BORDER, shape)
            yield Candidate(
                number, best, tuple(others), mask, box, touches, notes=notes, doubts=doubts
            )


def outlined(
    micrograph: Micrograph,
    number: int,
    outline: np.ndarray,
    others: tuple[np.ndarray | None, ...],
) -> Candidate:
    """Returns the granum of an outline, to which nothing but its place is known.

    Args:
      micrograph: that it lies on.
      number: of the granum.
      outline: polygon, (N, 2) of x and y, px.
      others: a wider and a narrower outline; None for none.

    Raises:
      InputError: it holds no pixel's centre.
    """
    shape = micrograph.grey.shape
    mask, box = outlines.rasterised(outline, shape)
    if not mask.any():
        raise InputError(
            f"{micrograph.name}: granum {number}: the outline holds no pixel; accepted is a larger "
            "one on the micrograph"
        )
    return Candidate(number, outline, others, mask, box, _touches(outline, _BORDER, shape))


def doubts(
    granum: Granum, astray: float, px_per_nm: float | None, threshold: float
) -> Iterator[str]:
    """Yields why a granum isn't to be trusted, whatever its period.

    Args:
      granum: with its size and direction.
      astray: share of its lamellae that run in another direction.
      px_per_nm: scale of its micrograph; None where it isn't known.
      threshold: least probability of a granum's pixels.
    """
    if granum.touches_border:
        yield "touches the border of the micrograph"
    least = threshold + _DOUBTFUL * (1 - threshold)
    if granum.detection is not None and granum.detection < least:
        yield f"detection {granum.detection:.2f} is below {least:.2f}"
    if granum.gsi is not None and granum.gsi.value > _IRREGULAR:
        yield f"GSI {granum.gsi.value:.2f} is above {_IRREGULAR:g}, is it one granum?"
    if astray > _ASTRAY:
        yield f"{astray:.0%} of its lamellae run in another direction, is it one granum?"
    if granum.direction_deg is not None and granum.direction_deg.sd > UNSURE_DIRECTION:
        sd = granum.direction_deg.sd
        yield f"sd of the direction is {sd:.1f} degrees, above {UNSURE_DIRECTION:.1f}"
    if px_per_nm is None or granum.area_px2 is None:
        return
    nm2 = granum.area_px2.value / px_per_nm**2
    if nm2 < _TINY_NM2:
        yield f"area {nm2:.0f} nm² is below {_TINY_NM2:g} nm²"
    if _USUAL_NM * px_per_nm < _FEW_PX:
        yield (
            f"lamellae {_USUAL_NM:g} nm apart would be {_USUAL_NM * px_per_nm:.1f} px apart, below "
            f"{_FEW_PX:g} px, too few to be seen"
        )


def _touches(outline: np.ndarray, edge: float, shape: tuple[int, ...]) -> bool:
    """Tells whether an outline comes as near as `edge` px to the border of its micrograph."""
    rows, columns = shape
    return bool((outline < edge).any() or (outline > np.array([columns, rows]) - edge).any())
