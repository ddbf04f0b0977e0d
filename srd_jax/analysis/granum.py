"""The grana of a micrograph with their numbers, as plain dataclasses."""

import dataclasses
import math


# A folder may have hundreds of thousands of grana, whose numbers are in memory.
@dataclasses.dataclass(frozen=True, slots=True)
class Value:
    """A measured number and its standard deviation, of the same unit."""

    value: float
    sd: float


@dataclasses.dataclass(frozen=True, slots=True)
class Granum:
    """One granum of a micrograph; lengths in px of the micrograph, None where not measured.

    Attributes:
      number: from 1 on, in reading order; the value of its pixels in the label image.
      status: ok, low_confidence or error, as in `measuring.result`.
      reason: why the status isn't ok, and notes.
      outline: polygon, ((x, y), …) in px, x right and y down from the upper left corner.
      x_px, y_px: centre of mass.
      detection: mean probability of its pixels, 0..1; None if the mask was given.
      touches_border: whether it reaches the border of the micrograph.
      direction_deg: of the lamellae, counter-clockwise from the horizontal as seen, 0..180.
      period_px: the stacking repeat distance, and its sd.
      area_px2, perimeter_px, height_px, diameter_px, gsi: see `analysis.morphometry`.
      layers: counted along the phase of the lamellae.
      thylakoids: height over period, rounded; where the period is accepted.
    """

    number: int
    status: str
    reason: str
    outline: tuple[tuple[float, float], ...]
    x_px: float
    y_px: float
    detection: float | None
    touches_border: bool
    direction_deg: Value | None = None
    period_px: Value | None = None
    area_px2: Value | None = None
    perimeter_px: Value | None = None
    height_px: Value | None = None
    diameter_px: Value | None = None
    gsi: Value | None = None
    layers: Value | None = None
    thylakoids: int | None = None


@dataclasses.dataclass(frozen=True)
class Strain:
    """The compression of a section, which makes the period depend on the lamellae's direction.

    The section is stretched by a factor f across the lamellae whose direction is `axis_deg`, and by
    1 / f along them, so that its area is preserved; the amount is e = (f² − 1) / (f² + 1). A normal
    of planes that a strain F turned into n belongs to a distance |Fᵀ n| times as long as before, so
    lamellae of direction d (after it) are sqrt(f² cos² + sin² / f²) times as far apart, of the
    angle d − axis: |1 + e exp 2i(d − axis)| / sqrt(1 − e²).

    Attributes:
      amount: e, the longest period less the shortest one over their sum; and sd.
      axis_deg: direction of lamellae whose period is longest, counter-clockwise, 0..180; and sd.
      probability: of so large an amount where there is no strain.
      grana: number of grana that it was fitted to.
    """

    amount: Value
    axis_deg: Value
    probability: float
    grana: int

    def factor(self, direction_deg: float) -> float:
        """Returns the measured period over the one before compression, for a direction."""
        amount = self.amount.value
        turn = math.radians(2 * (direction_deg - self.axis_deg.value))
        square = 1 + amount**2 + 2 * amount * math.cos(turn)
        return math.sqrt(square / (1 - amount**2))


@dataclasses.dataclass(frozen=True)
class Analysis:
    """The result of one micrograph.

    Attributes:
      file: path as given.
      rows, columns: of the micrograph, without an information strip, px.
      px_per_nm: scale; None if it isn't known.
      px_per_nm_source: who states it; empty if it isn't known.
      grana: in the order of their numbers; their coordinates are without strips.
      strain: of the section, where enough grana tell; None otherwise.
      notes: facts about the file.
      error: why the file couldn't be analysed; empty if it was.
      strips: rows of the file above and below the micrograph that are an information strip.
    """

    file: str
    rows: int = 0
    columns: int = 0
    px_per_nm: float | None = None
    px_per_nm_source: str = ""
    grana: tuple[Granum, ...] = ()
    strain: Strain | None = None
    notes: tuple[str, ...] = ()
    error: str = ""
    strips: tuple[int, int] = (0, 0)
