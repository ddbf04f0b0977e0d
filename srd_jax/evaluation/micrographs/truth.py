"""The true grana of a micrograph, as plain dataclasses."""

import dataclasses
import pathlib

from srd_jax.evaluation.micrographs.areas import Area

SURE, POSSIBLE = CERTAINTIES = ("sure", "possible")


@dataclasses.dataclass(frozen=True, eq=False)
class TrueGranum:
    """A granum as annotated or drawn; px of the micrograph, None where not known.

    Attributes:
      name: that tells it from others of its micrograph.
      area: its pixels.
      certainty: sure; or possible, which counts neither as missing nor as wrong.
      direction_deg: of the lamellae, counter-clockwise from the horizontal as seen, 0..180.
      period_px: across the lamellae.
      layers: number of thylakoids.
      cut: whether the border of the micrograph cuts it, so that its size isn't known.
    """

    name: str
    area: Area
    certainty: str = SURE
    direction_deg: float | None = None
    period_px: float | None = None
    layers: float | None = None
    cut: bool = False


@dataclasses.dataclass(frozen=True, eq=False)
class Annotated:
    """A micrograph and its true grana.

    Attributes:
      name: of its file as the annotations have it.
      grana: sure and possible ones.
      striped: areas with stripes that are surely no grana; not all of them.
      size: rows and columns that the annotations state; None if they don't.
      annotations: path of the file of annotations.
      px_per_nm: scale that the annotations state; None if they don't.
    """

    name: str
    grana: tuple[TrueGranum, ...]
    striped: tuple[Area, ...]
    size: tuple[int, int] | None
    annotations: pathlib.Path
    px_per_nm: float | None = None
