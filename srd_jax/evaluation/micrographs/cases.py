"""The comparison of a micrograph's found grana with its true ones, as plain dataclasses."""

import dataclasses

FOUND, AS_ONE, MISSING, WRONG, POSSIBLE = OUTCOMES = (
    "found", "found_as_one", "missing", "wrong", "possible",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Case:
    """A true granum, a found one, or a pair of them; None where not known or not measured.

    Attributes:
      file: name of the micrograph.
      outcome: found; found_as_one with grana that it touches; missing; wrong, a found one that is
        none; possible, which counts for neither side.
      true: name of the true granum.
      number: of the found granum.
      x_px, y_px: centre, of the true granum if there is one.
      iou: of the pair.
      status, reason, detection: of the found granum.
      cut: whether the border of the micrograph cuts the true granum.
      px_per_nm: scale of the micrograph.
      true_direction_deg, direction_deg, direction_sd_deg: of the lamellae.
      direction_error_deg: found minus true, -90..90.
      true_period_px, period_px, period_sd_px: px of the micrograph.
      period_error_percent: of the true period.
      true_layers, layers, layers_sd: number of thylakoids.
      layers_error: found minus true.
      area_error_percent, height_error_percent, diameter_error_percent: of the true outline's; None
        for cut grana.
    """

    file: str
    outcome: str
    true: str | None = None
    number: int | None = None
    x_px: float | None = None
    y_px: float | None = None
    iou: float | None = None
    status: str | None = None
    reason: str | None = None
    detection: float | None = None
    cut: bool | None = None
    px_per_nm: float | None = None
    true_direction_deg: float | None = None
    direction_deg: float | None = None
    direction_sd_deg: float | None = None
    direction_error_deg: float | None = None
    true_period_px: float | None = None
    period_px: float | None = None
    period_sd_px: float | None = None
    period_error_percent: float | None = None
    true_layers: float | None = None
    layers: float | None = None
    layers_sd: float | None = None
    layers_error: float | None = None
    area_error_percent: float | None = None
    height_error_percent: float | None = None
    diameter_error_percent: float | None = None


@dataclasses.dataclass(frozen=True)
class Pixels:
    """Areas on a micrograph, px of its grid.

    Attributes:
      sure: of sure grana.
      found: of found grana.
      right: of found grana in sure ones.
      possible: of found grana in possible ones, and not in sure ones.
      striped: of stripes that are surely no grana.
      on_striped: of found grana on these.
    """

    sure: int
    found: int
    right: int
    possible: int
    striped: int
    on_striped: int


@dataclasses.dataclass(frozen=True)
class Compared:
    """The comparison of one micrograph.

    Attributes:
      file: its name.
      cases: its grana.
      pixels: their areas.
      error: why it couldn't be analysed; empty if it was.
    """

    file: str
    cases: tuple[Case, ...]
    pixels: Pixels
    error: str = ""
