"""Asks the network of cubic membranes about a region: odds of kinds, and where a fit starts."""

import dataclasses
import os
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np

from srd_jax.analysis.surfaces.framing import Frame, resampled
from srd_jax.analysis.surfaces.region import Region
from srd_jax.analysis.surfaces.shifts import Hypothesis
from srd_jax.support.errors import naming
from srd_jax.synthetic.surfaces.names import KINDS
from srd_jax.tasks.surfaces import answers, weights

# Rows and columns of the picture that it reads, the first that holds a region; and the spacings of
# lattices' strongest rows that it was trained on, px: a region of others is rescaled.
_SIZES = 128, 192
_SPACINGS = 10.0, 40.0
_COUNT = 12  # candidates
_LEAST = 0.002  # probability of a candidate


@dataclasses.dataclass(frozen=True)
class Opinion:
    """What the network says of a region.

    Attributes:
      odds: probability of each kind.
      hypotheses: the most probable first, cells in px of the frame, without shifts.
    """

    odds: Mapping[str, float]
    hypotheses: Sequence[Hypothesis]


class Network:
    """Asks one network about regions; the first region of a size compiles it."""

    def __init__(self, found: weights.SurfacesWeights):
        """Checks the weights.

        Raises:
          InputError: they aren't those of the network.
        """
        self._answer = answers.make(found, _COUNT)

    def ask(self, region: Region, frame: Frame, kinds: Sequence[str]) -> Opinion:
        """Returns what the network says of a region.

        Args:
          region: of a micrograph.
          frame: of the region.
          kinds: of surfaces that are possible.
        """
        spacing = frame.spacing / frame.scale
        scale = float(np.clip(1.0, _SPACINGS[0] / spacing, _SPACINGS[1] / spacing))
        extent = scale * max(region.grey.shape)
        size = next((one for one in _SIZES if one >= extent), _SIZES[-1])
        centre = frame.centre if extent > size else tuple((n - 1) / 2 for n in region.grey.shape)
        grey, mask = resampled(region, (centre[0], centre[1]), scale, size)
        probabilities, found = self._answer(grey[None], mask[None])
        odds = {kind: float(probabilities[0, KINDS.index(kind)]) for kind in kinds}
        total = max(sum(odds.values()), 1e-12)
        hypotheses = [
            Hypothesis(
                KINDS[int(found.kind[0, i])],
                np.asarray(found.rotation[0, i], float),
                float(np.exp(found.log_cell[0, i])) * frame.scale / scale,
                float(found.fraction[0, i]),
                score=float(found.weight[0, i]),
            )
            for i in range(_COUNT)
            if found.weight[0, i] > _LEAST and KINDS[int(found.kind[0, i])] in odds
        ]
        return Opinion({kind: one / total for kind, one in odds.items()}, hypotheses)


def load(path: str | os.PathLike[str] | None = None) -> Network:
    """Loads a network from a weights file or the workdir of a run; None for the package's.

    Raises:
      InputError: there are no weights, or they belong to another network.
    """
    with naming(pathlib.Path(path or weights.RELEASED)):
        return Network(weights.load(path))
