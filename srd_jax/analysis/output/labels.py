"""Draws the outlines of grana into a label image."""

import pathlib
from collections.abc import Iterator, Sequence

import numpy as np

from srd_jax.analysis.granum import Analysis, Granum
from srd_jax.analysis.output.quantities import in_file
from srd_jax.support.files import whole_file

_TILE = 512  # px; TIFF wants multiples of 16
_CM_PER_NM = 1e-7
_MOST = np.iinfo(np.uint16).max


def write(path: pathlib.Path, analysis: Analysis) -> None:
    """Writes a label image of the file's size: uint16 TIFF in compressed tiles, drawn one by one.

    Raises:
      InputError: the file can't be written.
    """
    import tifffile

    above, below = analysis.strips
    shape = (analysis.rows + above + below, analysis.columns)
    scale = analysis.px_per_nm
    resolution = None if scale is None else (scale / _CM_PER_NM, scale / _CM_PER_NM)
    with whole_file(path) as temporary:
        tifffile.imwrite(
            temporary,
            tiles([in_file(granum, analysis) for granum in analysis.grana], shape),
            shape=shape,
            dtype=np.uint16,
            tile=(_TILE, _TILE),
            compression="zlib",
            photometric="minisblack",
            resolution=resolution,
            resolutionunit="NONE" if scale is None else "CENTIMETER",
            software="srd_jax",
            metadata=None,
        )


def tiles(grana: Sequence[Granum], shape: tuple[int, int]) -> Iterator[np.ndarray]:
    """Yields the tiles of a label image, row by row; those at its border are whole, too."""
    boxes = {granum.number: _box(granum) for granum in grana}
    for top in range(0, shape[0], _TILE):
        for left in range(0, shape[1], _TILE):
            near = [
                granum
                for granum in grana
                if (box := boxes[granum.number]) is not None
                and box[0] < left + _TILE
                and box[1] < top + _TILE
                and box[2] > left
                and box[3] > top
            ]
            yield draw(near, (top, left), (_TILE, _TILE))


def draw(grana: Sequence[Granum], corner: tuple[int, int], shape: tuple[int, int]) -> np.ndarray:
    """Draws the numbers of grana into the pixels whose centres their outlines hold.

    Args:
      grana: where two overlap the later one is drawn.
      corner: first row and column that are drawn.
      shape: rows and columns that are drawn.

    Returns:
      uint16 (rows, columns), 0 outside of all.
    """
    from skimage.draw import polygon

    labels = np.zeros(shape, np.uint16)
    for granum in grana:
        if _box(granum) is None or granum.number > _MOST:
            continue
        # Polygons are drawn in coordinates of the centres of pixels.
        x, y = np.array(granum.outline, float).T - 0.5
        labels[polygon(y - corner[0], x - corner[1], shape)] = granum.number
    return labels


def _box(granum: Granum) -> tuple[float, float, float, float] | None:
    """Returns left, top, right and bottom of an outline; None if it is no polygon."""
    if len(granum.outline) < 3:
        return None
    x, y = np.array(granum.outline, float).T
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())
