"""The direction of a granum's lamellae, with its spread."""

import math

import numpy as np
from scipy import ndimage

from srd_jax.analysis.granum import Value
from srd_jax.analysis.instances import Instances
from srd_jax.analysis.maps import Maps
from srd_jax.imaging.crop import Crop
from srd_jax.imaging.masks import extend, slices, tight_box
from srd_jax.imaging.orientation import orientation
from srd_jax.imaging.preparation import normalised, reduced

# Pixels of the maps along each axis that err together, and the error that all of them share,
# degrees.
_ALIKE, _SHARED = 8.0, 1.5
# Least length of the maps' mean vector: below, directions are all alike.
_LEAST = 0.15
# Least coherence of the structure tensor, as for `orientation.tilt`; the greatest difference to the
# maps, degrees, at which both are believed; and the least sd.
_COHERENT, _NEAR, _LEAST_SD = 0.2, 15.0, 0.3
# Blocks of a granum that err independently: along each axis at most, and their least side in sds of
# the gradient's Gaussian.
_BLOCKS, _SIDE = 8, 10.0
# Least coherence of a block that shows lamellae, and the least difference of another direction,
# degrees: a bent granum's ends differ less from its middle.
_CLEAR, _OTHER = 0.4, 40.0
# That sd: px where the period isn't known, else periods, as then waves somewhat longer than it
# weigh most; and the least one, px.
_GAUSS, _GAUSS_PERIODS, _LEAST_GAUSS = 2.5, 0.2, 0.8
# Distance from the border from which it doesn't change the gradient, sds, if so much of a granum
# lies farther away.
_MARGIN, _LEAST_SHARE = 2.0, 0.25
# Larger grana are reduced to so many px, unless their lamellae are finer than so many px then.
_MOST, _FINE = 800, 6.0


def of_maps(maps: Maps, found: Instances, number: int) -> Value | None:
    """Returns the mean direction over the pixels of a granum, degrees 0..180; None if unclear.

    The doubled angles' mean vector has length R; each pixel's sd is sqrt(-2 ln R) / 2 (circular
    statistics, Mardia and Jupp 2000), and so many pixels err together as a block has.

    Args:
      maps: of the micrograph.
      found: its grana.
      number: of the granum.
    """
    where, box = found.inside(number), found.boxes[number - 1]
    cosine, sine = (np.asarray(one[box][where], np.float64) for one in (maps.cosine, maps.sine))
    length = np.hypot(cosine, sine)
    if not length.sum() or math.hypot(cosine.mean(), sine.mean()) < _LEAST:
        return None
    together = math.hypot(cosine.sum(), sine.sum()) / length.sum()
    spread = math.degrees(math.sqrt(max(-2 * math.log(min(together, 1.0)), 0.0))) / 2
    sd = math.hypot(spread / math.sqrt(max(where.sum() / _ALIKE**2, 1.0)), _SHARED)
    degrees = math.degrees(math.atan2(sine.sum(), cosine.sum())) / 2 % 180
    return Value(degrees, sd)


def period_of_maps(maps: Maps, found: Instances, number: int) -> float:
    """Returns the median period over the pixels of a granum, px of the micrograph."""
    log = np.asarray(maps.log_period[found.boxes[number - 1]][found.inside(number)], np.float64)
    return math.exp(min(float(np.median(log)), 10.0))


def of_pixels(crop: Crop, period_px: float | None = None) -> Value | None:
    """Returns the direction by the structure tensor of a crop, degrees 0..180; None if unclear.

    The sd is that of a sum of independent blocks: the components of the blocks' doubled-angle
    vectors across the sum, in quadrature, over the sum's length.

    Args:
      crop: as it lies in its micrograph.
      period_px: of the lamellae, about, whose direction is asked for; None for the most coherent
        direction, see `orientation.orientation`.

    Raises:
      InputError: nothing is inside of its mask.
    """
    blocks, energies = _blocks(crop.image, crop.mask, period_px)
    total = complex(blocks.sum())
    coherence = abs(total) / max(float(energies.sum()), 1e-12)
    degrees = math.degrees(np.angle(total)) / 2
    if period_px is None:
        found = orientation(crop.image, crop.mask)
        degrees, coherence = found.degrees, found.coherence
    if coherence < _COHERENT:
        return None
    # Where blocks contradict the whole, its direction is that of another scale.
    turned = blocks * np.exp(-2j * math.radians(degrees))
    along, count = max(float(turned.real.sum()), 1e-12), np.count_nonzero(blocks)
    across = math.sqrt(float(np.sum(turned.imag**2)) * count / max(count - 1, 1))
    sd = math.degrees(math.atan2(across, along)) / 2
    if count < 4:
        sd = max(sd, math.degrees(math.sqrt(-2 * math.log(coherence))) / 2 / math.sqrt(4))
    return Value(degrees % 180, math.hypot(sd, _LEAST_SD))


def astray(crop: Crop, period_px: float | None, degrees: float) -> float:
    """Returns the share of the lamellae, by blocks that show any, that run in another direction.

    Args:
      crop: as it lies in its micrograph.
      period_px: of the lamellae, about; None where it isn't known.
      degrees: their direction.

    Raises:
      InputError: nothing is inside of its mask.
    """
    blocks, energies = _blocks(crop.image, crop.mask, period_px)
    clear = np.where(abs(blocks) >= _CLEAR * energies, abs(blocks), 0.0)
    turned = np.angle(blocks * np.exp(-2j * math.radians(degrees)))
    other = abs(turned) > 2 * math.radians(_OTHER)
    return float(clear[other].sum() / max(clear.sum(), 1e-12))


def _blocks(
    image: np.ndarray, mask: np.ndarray, period_px: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the sums over each block of exp(2i d) times the squared gradient, and of this."""
    part = slices(tight_box(mask))
    grey, inside = normalised(image[part], mask[part]).astype(np.float64), mask[part]
    factor = math.ceil(max(inside.shape) / _MOST)
    if period_px is not None:
        factor = min(factor, max(int(period_px / _FINE), 1))
    grey, inside = reduced(grey, inside, factor)
    if not inside.any():
        return np.zeros(1, complex), np.zeros(1)
    gauss = _GAUSS
    if period_px is not None:
        gauss = max(_GAUSS_PERIODS * period_px / factor, _LEAST_GAUSS)
    padded = np.pad(inside, 1)
    even = extend(np.pad(grey, 1), padded)
    down, right = (
        # SciPy's annotation knows a single order only.
        ndimage.gaussian_filter(even, gauss, order=order, mode="nearest")[1:-1, 1:-1]  # pyright: ignore[reportArgumentType]
        for order in ((1, 0), (0, 1))
    )
    deep = np.asarray(ndimage.distance_transform_edt(padded))[1:-1, 1:-1] > _MARGIN * gauss
    where = deep if deep.sum() >= _LEAST_SHARE * inside.sum() else inside
    # Twice the gradient's angle, counter-clockwise as seen, and the lamellae run across it.
    vectors = np.where(where, -((right - 1j * down) ** 2), 0)
    starts = [
        np.linspace(0, size, min(_BLOCKS, max(int(size / (_SIDE * gauss)), 1)), endpoint=False)
        for size in inside.shape
    ]
    first, second = (one.astype(int) for one in starts)
    sums, energies = (
        np.add.reduceat(np.add.reduceat(values, first, 0), second, 1).ravel()
        for values in (vectors, abs(vectors))
    )
    return sums, energies


def combined(rough: Value | None, fine: Value | None) -> Value | None:
    """Returns the direction by the maps and by the micrograph's own pixels.

    Where they agree, it is their mean, weighted by the inverse variances; where they don't, that of
    the maps with half of the difference in its sd; None where neither tells any.

    Args:
      rough: by the maps, see `of_maps`.
      fine: by the pixels, see `of_pixels`.
    """
    if rough is None or fine is None:
        return rough or fine
    away = (fine.value - rough.value + 90) % 180 - 90
    if abs(away) > max(_NEAR, 3 * math.hypot(rough.sd, fine.sd)):
        return Value(rough.value, math.hypot(rough.sd, away / 2))
    share = rough.sd**2 / (rough.sd**2 + fine.sd**2)
    sd = math.sqrt(share) * fine.sd
    return Value((rough.value + share * away) % 180, sd)
