"""Brings a region to the frame in which it is fitted: of one size, of a scale that suits it."""

import dataclasses
import math

import jax.numpy as jnp
import numpy as np
from scipy import ndimage

from srd_jax.analysis.surfaces import spectrum
from srd_jax.analysis.surfaces.matching import Band, band, filtered
from srd_jax.analysis.surfaces.region import Region

# Cells in units of the spacing of a lattice's strongest row, least and greatest.
CELLS = (0.95, 4.8)
# Rows and columns of the frame: one size, so that everything is compiled once.
SIZE = 96
# Spacings of the lattice's strongest row, px of the frame: as a rule, and at least where the region
# would not fit.
_SPACING, _LEAST_SPACING = 12.0, 8.0
_MOST_ENLARGED = 1.5
# The filter, in spacings: sds of the smoothing and of the mean that is subtracted.
_LOW, _HIGH = 0.075, 0.85
# Pixels that far from the mean, in sds, are clipped: plastoglobules, dirt.
_CLIP = 3.0


@dataclasses.dataclass(frozen=True)
class Frame:
    """A region in its frame.

    Attributes:
      data: (SIZE, SIZE) float32, band-passed, of mean 0 and norm 1 inside of the mask.
      grey: likewise before the filter, as read.
      mask: bool.
      band: filter of data and models.
      low: sd of its smoothing, px of the frame.
      high: sd of its subtracted mean.
      scale: px of the frame per px of the region.
      centre: of the frame in the region, row and column in px.
      spacing: of the lattice's strongest row, px of the frame.
      clearness: see `spectrum.Lattice`.
      cut: whether the region reaches beyond the frame.
    """

    data: np.ndarray
    grey: np.ndarray
    mask: np.ndarray
    band: Band
    low: float
    high: float
    scale: float
    centre: tuple[float, float]
    spacing: float
    clearness: float
    cut: bool


def frame(region: Region, cells: tuple[float, float] | None = None) -> Frame:
    """Returns a region in its frame, or of a large region the part with the clearest lattice.

    Args:
      region: of a micrograph.
      cells: least and greatest cell, px of the region; None for any.
    """
    lattice = spectrum.find_lattice(region.grey, region.mask, spacings(cells))
    rows, columns = (np.flatnonzero(region.mask.any(axis)) for axis in (1, 0))
    extents = rows[-1] + 1 - rows[0], columns[-1] + 1 - columns[0]
    fitting = SIZE / max(extents)
    scale = float(np.clip(fitting, _LEAST_SPACING / lattice.spacing, _SPACING / lattice.spacing))
    scale = min(scale, _MOST_ENLARGED)
    middles = rows[0] + (extents[0] - 1) / 2, columns[0] + (extents[1] - 1) / 2
    centre = tuple(
        middle if extent * scale <= SIZE else _within(place, first, extent, SIZE / scale)
        for middle, extent, place, first in zip(
            middles, extents, lattice.centre, (rows[0], columns[0]), strict=True
        )
    )
    grey, mask = resampled(region, (centre[0], centre[1]), scale)
    spacing = lattice.spacing * scale
    low, high = _LOW * spacing, _HIGH * spacing
    by = band(mask, low, high)
    data = np.array(filtered(jnp.asarray(grey), by))
    limit = _CLIP * np.sqrt(1 / max(mask.sum(), 1))
    data = np.clip(data, -limit, limit)
    data = np.where(mask, data - data[mask].mean() if mask.any() else data, 0)
    data = data / max(float(np.sqrt((data**2).sum())), 1e-9)
    return Frame(
        data=data.astype(np.float32),
        grey=grey,
        mask=mask,
        band=by,
        low=low,
        high=high,
        scale=scale,
        centre=(float(centre[0]), float(centre[1])),
        spacing=spacing,
        clearness=lattice.clearness,
        cut=max(extents) * scale > SIZE + 1,
    )


def spacings(cells: tuple[float, float] | None) -> tuple[float, float]:
    """Returns the least and the greatest spacing of lattices of some cells; None for any cell."""
    return (0.0, math.inf) if cells is None else (cells[0] / CELLS[1], cells[1] / CELLS[0])


def _within(place: float, first: float, extent: float, length: float) -> float:
    """Returns the middle of a part of a length, as near to a place as the extent allows."""
    half = length / 2
    return float(np.clip(place, first + half - 0.5, first + extent - half - 0.5))


def resampled(
    region: Region, centre: tuple[float, float], scale: float, size: int = SIZE
) -> tuple[np.ndarray, np.ndarray]:
    """Returns grey values and mask of a square part; pixels are weighted by the mask.

    Args:
      region: of a micrograph.
      centre: of the part, row and column in px of the region.
      scale: px of the part per px of the region.
      size: rows and columns.
    """
    sd = 0.5 * max(0.0, 1 / scale - 1)
    weight = region.mask.astype(np.float32)
    mean = float(region.grey[region.mask].mean())
    images = [(region.grey - mean) * weight, weight]
    if sd > 0:
        images = [ndimage.gaussian_filter(one, sd, mode="constant") for one in images]
    steps = (np.arange(size) - (size - 1) / 2) / scale
    at = np.meshgrid(centre[0] + steps, centre[1] + steps, indexing="ij")
    grey, share = (ndimage.map_coordinates(one, at, order=1, cval=0.0) for one in images)
    mask = share >= 0.5
    return np.where(mask, grey / np.maximum(share, 0.1) + mean, mean).astype(np.float32), mask
