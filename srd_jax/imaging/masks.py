"""Masks of grana: where a granum lies, and whether it is large enough to show anything."""

import numpy as np
from scipy import ndimage

from srd_jax.imaging.picture import Picture
from srd_jax.support.errors import InputError

# Rows and columns, px: a single one has no slope.
MIN_LENGTH = 2

# A part of a mask that reaches this share of the largest part could be another granum.
_COMPARABLE = 0.1

# Of the full value: darker is black, and lighter is white, in a mask that isn't two-valued.
_BLACK, _WHITE = 0.1, 0.9

# Share of a granum that pixels between black and white may have along its border.
_SOFT = 0.25

# Masks of fewer values that reach the full value are greys rather than numbers of grana.
_FEW = 10

_ACCEPTED_MASKS = (
    "accepted are masks of 0 outside of the granum and one other value inside, or of several grana "
    "with another whole number for each"
)


# A hole in a mask that keeps all of its border is taken for an inverted mask from this size on.
_HOLE_PX, _HOLE_SHARE = 1000, 0.05

# First row, end row, first column, end column: half-open, px of the crop.
Box = tuple[int, int, int, int]


def tight_box(mask: np.ndarray) -> Box:
    """Returns the tight box of a bool mask.

    Raises:
      InputError: nothing is inside of the mask.
    """
    if not mask.any():
        raise InputError(
            "nothing is inside of the mask; accepted are images with a granum inside of the mask"
        )
    ((rows, columns),) = ndimage.find_objects(mask.astype(np.uint8))
    return rows.start, rows.stop, columns.start, columns.stop


def slices(box: Box) -> tuple[slice, slice]:
    """Returns the slices that cut a box out of an image."""
    row0, row1, column0, column1 = box
    return slice(row0, row1), slice(column0, column1)


def boxes(labels: np.ndarray) -> dict[int, Box]:
    """Returns the tight box of each number above 0 in an array (rows, columns) of whole numbers."""
    numbers = np.unique(np.append(labels, 0))
    ranks = np.searchsorted(numbers, labels).astype(np.int32)
    found = zip(numbers[1:], ndimage.find_objects(ranks), strict=True)
    return {
        int(number): (rows.start, rows.stop, columns.start, columns.stop)
        for number, (rows, columns) in found
    }


def check_lengths(rows: int, columns: int) -> None:
    """Checks the size of a granum, px.

    Raises:
      InputError: it has fewer than 2 rows or columns.
    """
    if min(rows, columns) < MIN_LENGTH:
        raise InputError(
            f"a granum of {rows} x {columns} px (rows x columns); "
            f"accepted are at least {MIN_LENGTH} x {MIN_LENGTH} px"
        )


def check_shapes(image: np.ndarray, mask: np.ndarray) -> None:
    """Checks that an image and its mask are of one size.

    Raises:
      InputError: they aren't, or have other axes than rows and columns.
    """
    if image.ndim != 2 or mask.shape != image.shape:
        raise InputError(
            f"image of shape {image.shape} with a mask of shape {mask.shape}; "
            "accepted are two arrays of the same (rows, columns)"
        )


def check_lamellae(image: np.ndarray, mask: np.ndarray) -> None:
    """Checks that a granum isn't blank.

    Args:
      image: (rows, columns) grey values.
      mask: bool (rows, columns), True inside of the granum; somewhere it is.

    Raises:
      InputError: every pixel has the same grey value.
    """
    values = image[mask]
    if values.min() == values.max():
        raise InputError(
            f"every pixel of the granum has the grey value {values[0]:.3g}; "
            "accepted is an image of lamellae"
        )


def extend(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Returns an image whose pixels outside of the mask have the nearest grey value inside.

    Args:
      image: (rows, columns).
      mask: bool (rows, columns), True inside of the granum; somewhere it is.
    """
    nearest = ndimage.distance_transform_edt(~mask, return_distances=False, return_indices=True)
    return image[tuple(np.asarray(nearest))]


def opaque(alpha: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Returns bool (rows, columns), True where alpha reaches half of its largest value, and notes.

    Raises:
      InputError: alpha takes values between over much of the image, so that it shows no border.
    """
    alpha = np.nan_to_num(alpha)
    full = float(alpha.max(initial=0))
    inside = (alpha >= full / 2) & (alpha > 0)
    share = _between(alpha, full)
    if share > _SOFT:
        raise InputError(
            f"{share:.0%} of the opaque part have an alpha between opaque and transparent; "
            "accepted is alpha that is 0 outside of the granum and full inside"
        )
    notes = ("alpha below half of full is outside",) if ((alpha > 0) & (alpha < full)).any() else ()
    return inside, notes


def mask_labels(picture: Picture) -> tuple[np.ndarray, tuple[str, ...]]:
    """Returns whole numbers (rows, columns) from the picture of a mask, and notes about it.

    0 is outside. Each other number is one granum: 1, or the picture's own number where it has
    several; several colours are numbered from 1 on as they first come, row by row. A mask whose
    greys are soft along the border, or went through a JPEG, is divided at half of its full value.

    Raises:
      InputError: nothing is 0 though the mask has several values, its greys are those of a
        photograph, or it leaves out a part in the midst alone, as an inverted mask does.
    """
    samples, notes = picture.samples, ()
    shown = np.ones(samples.shape[:2], bool)
    if picture.opaque is not None:
        shown, notes = opaque(picture.opaque)
    plane = np.nan_to_num(samples).max(axis=-1)
    colours = _colours(picture)
    if colours is not None:
        black = (samples == 0).all(axis=-1) & shown
        if not black.any():  # pure blue is outside, as in an image
            blue = (samples[..., :2] == 0).all(axis=-1) & (samples[..., 2] == samples.max())
            shown &= ~blue
        colours = np.where(shown, colours, 0)
    plane = np.where(shown, plane, plane.dtype.type(0))
    labels, more = _levels(plane, colours, picture.lossy)
    if _looks_inverted(labels > 0):
        raise InputError(
            "the mask leaves out a part in its midst and nothing along its border, as if it were "
            f"inverted; {_ACCEPTED_MASKS}"
        )
    return labels, (*notes, *more)


def _colours(picture: Picture) -> np.ndarray | None:
    """Returns a number (rows, columns) for each colour, black 0; None for grey and lossy masks."""
    samples = picture.samples
    if samples.shape[-1] == 1 or picture.lossy or (samples == samples[..., :1]).all():
        return None
    colours, first, inverse = np.unique(
        samples.reshape(-1, samples.shape[-1]), axis=0, return_index=True, return_inverse=True
    )
    lit = colours.any(axis=-1)
    rank = np.zeros(len(colours), np.int32)
    rank[np.flatnonzero(lit)[np.argsort(first[lit])]] = np.arange(1, lit.sum() + 1)
    return rank[inverse].reshape(samples.shape[:2])


def _levels(
    plane: np.ndarray, colours: np.ndarray | None, lossy: bool
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Returns `mask_labels` of grey values, or of the numbers of colours where there are any."""
    low, high = plane.min(), plane.max()
    if low < 0:
        raise InputError(f"the mask has values from {low:g} to {high:g}; {_ACCEPTED_MASKS}")
    numbers = plane if colours is None else colours
    if low == high or _is_two_valued(numbers):
        return numbers > 0, ()
    whole = not lossy and bool((plane == np.rint(plane)).all())
    if not lossy and numbers.min() > 0:
        raise InputError(
            f"the mask has the values {_listed(numbers)} and nowhere 0, so it leaves nothing out; "
            f"{_ACCEPTED_MASKS}"
        )
    full = next(top for top in (1.0, 255.0, 65535.0, np.inf) if high <= top)
    exact = whole and _share_of_areas(numbers) == 1
    if exact and (colours is not None or not _are_greys(plane, high >= _WHITE * full)):
        return numbers, ()
    black, white = plane <= _BLACK * full, plane >= _WHITE * full
    soft = _between(plane, full)
    if not exact and white.any() and black.any() and soft <= _SOFT:
        return plane > full / 2, ("the mask is soft and is divided at half of its full value",)
    if lossy and (white.all() or black.all()):
        return white, ()
    if whole and not white.any() and _share_of_areas(numbers) > 0.9:
        return numbers, ()
    raise InputError(f"the mask has the values {_listed(numbers)}; {_ACCEPTED_MASKS}")


def _is_two_valued(plane: np.ndarray) -> bool:
    return bool(((plane == 0) | (plane == plane.max())).all()) and plane.min() == 0


def _share_of_areas(plane: np.ndarray) -> float:
    """Returns which share of the pixels above 0 have a value that somewhere fills 3 x 3 px."""
    even = ndimage.maximum_filter(plane, 3) == ndimage.minimum_filter(plane, 3)
    areas = np.unique(plane[even & (plane > 0)])
    above = plane[plane > 0]
    return float(np.isin(above, areas).mean())


def _are_greys(plane: np.ndarray, reaches_full: bool) -> bool:
    """Tells whether touching areas of a few values are greys rather than numbers of grana."""
    if not reaches_full or len(np.unique(plane)) > _FEW:
        return False
    return any(
        bool(((a != b) & (a > 0) & (b > 0)).any())
        for a, b in ((plane[1:], plane[:-1]), (plane[:, 1:], plane[:, :-1]))
    )


def _between(plane: np.ndarray, full: float) -> float:
    """Returns the share that values between black and white have of all that isn't black."""
    lit = np.count_nonzero(plane > _BLACK * full)
    return np.count_nonzero((plane > _BLACK * full) & (plane < _WHITE * full)) / max(lit, 1)


def _listed(plane: np.ndarray) -> str:
    """Returns the values of a mask as text, of many the range."""
    values = np.unique(plane)
    if len(values) > _FEW:
        return f"{values[0]:g} to {values[-1]:g} ({len(values)} values)"
    return " and ".join([", ".join(f"{value:g}" for value in values[:-1]), f"{values[-1]:g}"])


def _looks_inverted(inside: np.ndarray) -> bool:
    edges = (inside[0], inside[-1], inside[:, 0], inside[:, -1])
    if inside.all() or not all(edge.all() for edge in edges):
        return False
    parts, _ = _parts(np.logical_not(inside), ndimage.generate_binary_structure(2, 1))
    largest = np.bincount(parts.ravel())[1:].max()
    return bool(largest >= min(_HOLE_PX, _HOLE_SHARE * inside.size))


def _parts(inside: np.ndarray, neighbours: np.ndarray) -> tuple[np.ndarray, int]:
    """Numbers the parts of a mask from 1 on, and returns their number too."""
    parts = np.zeros(inside.shape, np.int32)
    return parts, int(np.asarray(ndimage.label(inside, neighbours, parts)))


def main_part(inside: np.ndarray) -> tuple[np.ndarray, tuple[str, ...], tuple[str, ...]]:
    """Leaves out strays of a mask: small parts that lie out of the box of its largest part.

    Args:
      inside: bool (rows, columns).

    Returns:
      The mask; notes about what was left out; and doubts where another part is large enough for a
      granum of its own, in which case nothing is left out.
    """
    parts, count = _parts(inside, np.ones((3, 3)))
    if count < 2:
        return inside, (), ()
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    largest = int(sizes.argmax())
    second = int(np.partition(sizes, -2)[-2])
    rows, columns = ndimage.find_objects(parts, largest)[largest - 1]
    kept = np.zeros_like(inside)
    kept[rows, columns] = inside[rows, columns]
    share = np.count_nonzero(kept) / sizes.sum()
    if second >= _COMPARABLE * sizes[largest] or share < 1 - _COMPARABLE:
        share = sizes[largest] / sizes.sum()
        return inside, (), (f"the mask has {count} parts, the largest is {share:.1%} of it",)
    if share == 1:
        return inside, (), ()
    note = f"the largest of {count} parts of the mask is measured, {share:.2%} of it"
    return kept, (note,), ()
