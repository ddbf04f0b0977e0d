"""Detects grana by a trained network, tile by tile.

Memory, of a micrograph of 20,000 × 20,000 px of 8 bits at 0.67 px per nm: 0.4 GB for the micrograph
itself; 0.36 GB for five maps of 6,000 × 6,000 px of 16 bits; at any time one strip of tiles at the
working scale, 0.05 GB, from blocks of 256 rows, 0.05 GB; and 0.3 GB for the features of one tile.
"""

import math
import os
import pathlib
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from srd_jax.analysis.maps import Maps
from srd_jax.analysis.tiles import Span, spans
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.imaging.micrographs.resampling import Resampled
from srd_jax.networks.modules import check_shapes, shapes_of
from srd_jax.networks.parameters import Parameters
from srd_jax.support.compiling import jit
from srd_jax.support.errors import InputError, naming
from srd_jax.synthetic.scenes.batch import GREY_LIMIT, STRIDE, WORKING_PX_PER_NM
from srd_jax.tasks.grana import model, weights

# Side of a tile, and the margin whose maps aren't kept, px of the working scale. Farther than the
# margin, the image has hardly any influence.
_TILE, _MARGIN = 1024, 128
# Most pixels at the working scale: maps of 1.3 GB.
_MOST_PX = 2**29
_PERCENTILES = (2, 50, 98)
# How sure of a granum the network is at least, see `Maps`; hardly any true one of drawn micrographs
# is below.
_CERTAIN = 0.7
# Pixels of which the percentiles are taken, and the least range in which there is an image at all,
# a share of the median.
_SAMPLED, _LEAST_RANGE = 2**21, 2e-6

# (tiles done, tiles in all) → None
Progress = Callable[[int, int], None]

_NAMES = ("probability", "distance", "cosine", "sine", "log_period")


class NetworkDetector:
    """Finds grana by a network, deterministically; `load` makes it.

    Attributes:
      weights: of the network.
      threshold: probability from which on a pixel belongs to a granum, fitted to validation tiles.
    """

    def __init__(self, found: weights.MicrographWeights, tile: int = _TILE, margin: int = _MARGIN):
        """Checks the weights; the first tile compiles the network.

        Args:
          found: parameters and config of a network.
          tile: side of a tile, px of the working scale.
          margin: at the ends of a tile whose maps aren't kept, px of the working scale.

        Raises:
          InputError: a parameter is missing, extra or of another shape.
        """
        check_shapes(
            shapes_of(found.parameters),
            model.parameter_shapes(found.model),
            f"{weights.TASK} weights",
        )
        grid = found.model.multiple
        if tile % grid or margin % grid or tile <= 2 * margin:
            raise ValueError(f"tile {tile} and margin {margin} don't fit a grid of {grid}")
        self.weights = found
        self.threshold = found.calibration.threshold
        self._tile, self._margin, self._grid = tile, margin, grid
        self._parameters = jax.device_put(dict(found.parameters))
        self._apply = jit(self._evaluate)

    def __call__(
        self, micrograph: Micrograph, px_per_nm: float, progress: Progress | None = None
    ) -> Maps:
        """Returns the maps of a micrograph, float16.

        The distance is weighted by the probability, so that it is about 0 outside of grana.

        Args:
          micrograph: of any size.
          px_per_nm: its scale.
          progress: called after each tile.

        Raises:
          InputError: the scale isn't a number above 0, or the micrograph is too large for it.
        """
        image = _at_working_scale(micrograph, px_per_nm)
        levels = grey_levels(image)
        shape = tuple(-(-length // STRIDE) for length in image.shape)
        maps = {name: np.empty(shape, np.float16) for name in _NAMES}
        down, across = (spans(n, self._tile, self._margin, self._grid) for n in image.shape)
        shift = math.log(px_per_nm / WORKING_PX_PER_NM)
        for number, rows in enumerate(down):
            strip = self._strip(image, rows, levels)
            for place, columns in enumerate(across):
                tile = strip[:, columns.first : columns.first + self._tile]
                found = np.array(self._apply(self._parameters, tile))
                found[_NAMES.index("log_period")] += shift
                target, part = zip(*(_kept(span) for span in (rows, columns)), strict=True)
                for name, values in zip(_NAMES, found, strict=True):
                    maps[name][target] = values[part]
                if progress is not None:
                    progress(number * len(across) + place + 1, len(down) * len(across))
        return Maps(**maps, scale=WORKING_PX_PER_NM / px_per_nm / STRIDE, certain=_CERTAIN)

    def _strip(self, image: Resampled, rows: Span, levels: tuple[float, float]) -> np.ndarray:
        """Returns a row of tiles; beyond the edges, the image goes on mirrored."""
        last = min(rows.first + self._tile, image.shape[0])
        strip = image.rows(np.arange(rows.first, last))
        middle, half = levels
        strip = np.clip((strip - middle) / half, -GREY_LIMIT, GREY_LIMIT)
        width = max(self._tile, -(-image.shape[1] // self._grid) * self._grid)
        beyond = (self._tile - strip.shape[0], width - strip.shape[1])
        return np.pad(strip, [(0, n) for n in beyond], mode="symmetric")

    def _evaluate(self, parameters: Parameters, tile: jax.Array) -> jax.Array:
        """Returns the maps of a tile in the order of _NAMES, (5, rows / 2, columns / 2) float32."""
        with jax.default_matmul_precision("highest"):
            found = model.as_function(self.weights.model)(parameters, tile[None])
        probability = jax.nn.sigmoid(found.logit)
        length = jnp.maximum(jnp.hypot(found.cosine, found.sine), 1.0)
        named = {
            "probability": probability,
            "distance": found.distance * probability,
            "cosine": found.cosine / length,
            "sine": found.sine / length,
            "log_period": found.log_period,
        }
        return jnp.concatenate([named[name] for name in _NAMES])


def load(path: str | os.PathLike[str] | None = None) -> NetworkDetector:
    """Loads a detector from a weights file or the workdir of a training run.

    Args:
      path: weights.safetensors, or a workdir, of which weights.safetensors or else the best
        checkpoint is read; None for the weights of the package.

    Raises:
      InputError: there are no weights, or they belong to another network.
    """
    found = weights.load(path)
    with naming(pathlib.Path(path or weights.RELEASED)):
        return NetworkDetector(found)


def grey_levels(image: Resampled) -> tuple[float, float]:
    """Returns the grey value that becomes 0, and the difference from it that becomes 1.

    They are the median, and half of the range from the 2nd to the 98th percentile, of evenly spread
    rows at the working scale, as in the training's `synthetic.scenes.render.levelled`. Where there
    is no range, everything becomes 0.
    """
    rows, columns = image.shape
    number = min(rows, max(1, _SAMPLED // columns))
    sample = image.rows(np.linspace(0, rows - 1, number).round().astype(int))
    low, middle, high = (float(level) for level in np.percentile(sample, _PERCENTILES))
    if high - low <= _LEAST_RANGE * abs(middle):
        # Of fine lines on an even ground, percentiles see nothing.
        low, high = float(sample.min()), float(sample.max())
    half = (high - low) / 2
    return middle, half if half > _LEAST_RANGE * abs(middle) else math.inf


def _at_working_scale(micrograph: Micrograph, px_per_nm: float) -> Resampled:
    """Returns a micrograph at the scale of the network.

    Raises:
      InputError: the scale isn't a number above 0, or the micrograph is too large for it.
    """
    if not (math.isfinite(px_per_nm) and px_per_nm > 0):
        raise InputError(
            f"{micrograph.name}: its scale is {px_per_nm} px per nm; accepted: a number above 0"
        )
    factor = WORKING_PX_PER_NM / px_per_nm
    rows, columns = micrograph.grey.shape
    if rows * columns * factor**2 > _MOST_PX:
        raise InputError(
            f"{micrograph.name}: {rows} x {columns} px at {px_per_nm:g} px per nm are "
            f"{rows * factor:.0f} x {columns * factor:.0f} px at the network's scale, "
            f"{WORKING_PX_PER_NM:g} px per nm; accepted: at most {_MOST_PX // 10**6} million px "
            "there; cut the micrograph into parts"
        )
    return Resampled(micrograph.grey, factor)


def _kept(span: Span) -> tuple[slice, slice]:
    """Returns where the kept part of a tile lies in the maps, and where in the tile's own maps."""
    first, keep, end = span.first // STRIDE, span.keep // STRIDE, -(-span.end // STRIDE)
    return slice(keep, end), slice(keep - first, end - first)
