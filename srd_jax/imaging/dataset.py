"""Reads and writes sets of grana with known periods: a folder of images and annotations.csv.

Each image shows one granum, grey inside and pure blue (0, 0, 255) outside of its mask; `crop` says
what else is read, `annotations` which columns the CSV has. Its angle is the direction of the
lamellae, degrees counter-clockwise from the vertical as the image is seen: at 90 they run
horizontally, at 180 vertically, at 135 they rise from left to right, at 45 they fall.
"""

import contextlib
import functools
import hashlib
import os
import pathlib
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

import imagecodecs
import numpy as np

from srd_jax.imaging import LEAST_PERIODS, SHORTEST_PERIOD_PX
from srd_jax.imaging.annotations import (
    HORIZONTAL,
    Bad,
    Line,
    annotation,
    each_line,
    good_lines,
)
from srd_jax.imaging.crop import read_crop
from srd_jax.imaging.folders import find_images
from srd_jax.imaging.masks import check_lamellae, check_lengths
from srd_jax.imaging.orientation import rotate
from srd_jax.imaging.picture import blue_outside, to_bytes
from srd_jax.support.errors import InputError
from srd_jax.support.files import whole_file, write_table
from srd_jax.support.names import Files, parts_of

ANNOTATIONS = "annotations.csv"


@dataclass(frozen=True)
class Granum:
    """The crop of a granum with horizontal lamellae, and its known period.

    Attributes:
      name: of its image.
      image: float32 (rows, columns), grey value 0..1; 0 outside of the mask.
      mask: bool (rows, columns), True inside of the granum; the crop is tight.
      period_px: px of the crop.
      px_per_nm: scale, None where it isn't known.
    """

    name: str
    image: np.ndarray
    mask: np.ndarray
    period_px: float
    px_per_nm: float | None


def read_grana(
    folder: str | os.PathLike[str], annotations: str | os.PathLike[str] | None = None
) -> list[Granum]:
    """Reads a set of grana in the CSV's order, and turns their lamellae horizontal.

    Args:
      folder: of the images.
      annotations: path of the CSV file; None takes annotations.csv in the folder.

    Raises:
      InputError: the CSV or a line of it is bad (see `annotations.good_lines` and
        `annotations.annotation`), an image isn't told from others by its name, can't be
        read (see `crop.read_crop`), is blank, less than 2 px wide or a copy of another, or the
        period isn't from 2 px to half of the granum's height. The message names the first bad line
        and the number of others.
    """
    path, read = _reading(folder, annotations)
    return each_line(path, read)


def read_good_grana(
    folder: str | os.PathLike[str], annotations: str | os.PathLike[str] | None = None
) -> tuple[list[Granum], list[Bad]]:
    """Reads the good rows of a set of grana as `read_grana` does, and returns the bad ones too.

    Args:
      folder, annotations: see `read_grana`.

    Raises:
      InputError: the CSV cannot be read, or all of its rows are bad.
    """
    path, read = _reading(folder, annotations)
    grana, bad = good_lines(path, read)
    if not grana:
        more = f" ({len(bad) - 1} more of {len(bad)} rows are bad)" if bad[1:] else ""
        raise InputError(f"{path}: {bad[0]}{more}")
    return grana, bad


def _reading(
    folder: str | os.PathLike[str], annotations: str | os.PathLike[str] | None
) -> tuple[str | os.PathLike[str], Callable[[Line], Granum]]:
    """Returns the path of the CSV, and the function that reads the granum of a line."""
    folder = pathlib.Path(folder)
    path = folder / ANNOTATIONS if annotations is None else annotations
    names: dict[str, str] = {}

    @functools.cache
    def files() -> Files:
        with contextlib.suppress(InputError):
            return Files(find_images([folder]).images)
        return Files([])

    def image(name: str) -> pathlib.Path:
        for direct in (folder / name, folder.joinpath(*parts_of(name))):
            if os.path.lexists(direct):
                return direct
        found = files().named(name)
        if found[1:]:
            raise InputError(
                f"may be any of {', '.join(map(str, found))}; accepted is the name of one file"
            )
        return found[0] if found else folder / name

    return path, lambda line: _read_granum(image, line, names)


def _read_granum(
    image_path: Callable[[str], pathlib.Path], line: Line, names: dict[str, str]
) -> Granum:
    """Reads the granum of a line, and enters its name in `names` by its content."""
    known = annotation(line)
    crop = read_crop(image_path(known.name))
    first = names.setdefault(fingerprint(*rotate(crop.image, crop.mask, 0)), known.name)
    if first != known.name:
        raise InputError(
            f"shows the same pixels as {first}; accepted is each granum once, "
            "as its copy could be in training and in validation"
        )
    image, mask = rotate(crop.image, crop.mask, HORIZONTAL - known.angle)
    check_lengths(*mask.shape)
    check_lamellae(image, mask)
    longest = len(image) / LEAST_PERIODS
    if not SHORTEST_PERIOD_PX <= known.period_px <= longest:
        raise InputError(
            f"the period is {known.period_px:.6g} px of the crop; accepted are "
            f"{SHORTEST_PERIOD_PX:g} px to {longest:g} px, half of the granum's height at the "
            f"angle {known.angle:g}"
        )
    return Granum(known.name, image, mask, known.period_px, known.px_per_nm)


def fingerprint(image: np.ndarray, mask: np.ndarray) -> str:
    """Returns a digest of a crop's grey values in 8 bits and of its mask.

    Machines whose arithmetic differs in the last bits give the same digest.

    Args:
      image: (rows, columns), grey value 0..1.
      mask: bool (rows, columns).
    """
    digest = hashlib.sha256(repr(image.shape).encode())
    digest.update(_to_8_bits(image).tobytes())
    digest.update(np.packbits(mask).tobytes())
    return digest.hexdigest()


def split(grana: Sequence[Granum], validation_share: float) -> tuple[np.ndarray, np.ndarray]:
    """Splits grana into training and validation by their content alone.

    The first grana in the order of their `fingerprint` validate, so names, folders and the order of
    rows change nothing. The counts are exact (237 and 102 of 339 for a share of 0.3); above a share
    of 0 both are at least 1. Added crops may move a few others to the other side, so a network
    trained before must not be validated on them.

    Args:
      grana: at least two, unless the share is 0.
      validation_share: at least 0 and below 1; 0 keeps none for validation.

    Returns:
      Indices into `grana` for training and for validation.

    Raises:
      InputError: the share is out of range, or there are too few grana.
    """
    if not 0 <= validation_share < 1:
        raise InputError(
            f"validation_share is {validation_share}; accepted is a number from 0 to below 1"
        )
    if len(grana) < (2 if validation_share else 1):
        raise InputError(
            f"{len(grana)} grana for a validation_share of {validation_share}; accepted are at "
            "least two, one of them for validation, or one and a share of 0"
        )
    order = np.array(
        sorted(range(len(grana)), key=lambda i: fingerprint(grana[i].image, grana[i].mask))
    )
    count = round(validation_share * len(grana))
    if validation_share:
        count = min(max(count, 1), len(grana) - 1)
    return order[count:], order[:count]


def write_grana(
    folder: str | os.PathLike[str],
    grana: Iterable[Granum],
    angles: Sequence[float] | None = None,
) -> None:
    """Writes a set of grana for `read_grana`: 8-bit PNG files, and annotations.csv last.

    The columns are granum_image, angle, period_nm and px_per_nm; if a scale isn't known, period_px
    stands for period_nm.

    Args:
      folder: made if needed.
      grana: named NAME.png, each name once.
      angles: direction of the lamellae in each image, degrees as in the CSV; None leaves them
        horizontal. Turning a crop and back again blurs it slightly.

    Raises:
      InputError: a name is taken or doesn't end in .png, angles and grana differ in number, or a
        file cannot be written.
    """
    folder = pathlib.Path(folder)
    left = None if angles is None else iter(angles)
    rows: dict[str, tuple[float, float, float | None]] = {}
    for granum in grana:
        angle = HORIZONTAL if left is None else next(left, None)
        if angle is None:
            raise InputError(f"{granum.name}: has no angle; accepted is one angle a granum")
        _check_name(granum.name, rows)
        with whole_file(folder / granum.name) as temporary:
            image, mask = rotate(granum.image, granum.mask, angle - HORIZONTAL)
            rgb = blue_outside(_to_8_bits(image), mask)
            temporary.write_bytes(bytes(imagecodecs.png_encode(rgb)))
        rows[granum.name] = angle, granum.period_px, granum.px_per_nm
    if left is not None and next(left, None) is not None:
        raise InputError(f"more angles than the {len(rows)} grana; accepted is one a granum")
    _write_annotations(folder / ANNOTATIONS, rows)


def _check_name(name: str, taken: Container[str]) -> None:
    if pathlib.PurePath(name).name != name or not name.endswith(".png") or name in taken:
        raise InputError(
            f"granum name {name!r}; accepted are names ending in .png, each once and without folder"
        )


def _write_annotations(
    path: pathlib.Path, rows: Mapping[str, tuple[float, float, float | None]]
) -> None:
    """Writes annotations.csv from angle, period (px of the crop) and scale by name."""
    in_nm = all(px_per_nm is not None for *_, px_per_nm in rows.values())
    header = ("granum_image", "angle", "period_nm" if in_nm else "period_px", "px_per_nm")
    cells = []
    for name, (angle, period, px_per_nm) in rows.items():
        if px_per_nm is not None and in_nm:
            period /= px_per_nm
        cells.append((name, float(angle), float(period), px_per_nm))
    write_table(path, header, cells, digits=None, line_end="\n")


def _to_8_bits(image: np.ndarray) -> np.ndarray:
    return to_bytes(np.asarray(image, np.float64))
