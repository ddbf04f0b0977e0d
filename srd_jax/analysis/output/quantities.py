"""The quantities of a granum, in nm where the scale is known, and their corrections."""

import dataclasses
import math
from collections.abc import Callable, Collection

from srd_jax.analysis.granum import Analysis, Granum, Strain, Value
from srd_jax.analysis.strain import SIGNIFICANT, of_grana

EXCLUDED = "excluded"
STATUSES = ("ok", "low_confidence", "error", EXCLUDED)


@dataclasses.dataclass(frozen=True)
class Quantity:
    """A quantity of grana, as tables and plots show it.

    Attributes:
      name: of the column.
      words: for people.
      unit: of the values; "" for plain numbers.
      of: returns the value of a granum of an analysis; None where it isn't known.
      decimals: for people.
    """

    name: str
    words: str
    unit: str
    of: Callable[[Granum, Analysis], Value | None]
    decimals: int = 1

    @property
    def label(self) -> str:
        """Words and unit."""
        return f"{self.words} ({self.unit})" if self.unit else self.words


def scaled(value: Value | None, px_per_nm: float | None, power: int = 1) -> Value | None:
    """Returns a length or area in nm; None where it or the scale isn't known."""
    if value is None or px_per_nm is None:
        return None
    return Value(value.value / px_per_nm**power, value.sd / px_per_nm**power)


def significant(strain: Strain | None) -> bool:
    """Tells whether a section is compressed beyond chance."""
    return strain is not None and strain.probability < SIGNIFICANT


def corrected_px(granum: Granum, strain: Strain | None) -> Value | None:
    """Returns the period before the section was compressed, px.

    Its sd holds those of the period, the direction and the strain, propagated to first order as if
    they were independent.

    Returns:
      None where the period or its direction isn't known, or the strain isn't significant.
    """
    period, direction = granum.period_px, granum.direction_deg
    if strain is None or not significant(strain) or period is None or direction is None:
        return None
    factor, amount = strain.factor(direction.value), strain.amount.value
    turn = math.radians(2 * (direction.value - strain.axis_deg.value))
    square = 1 + amount**2 + 2 * amount * math.cos(turn)
    # Derivatives of the factor's logarithm, by the amount and by a direction in degrees.
    by_amount = (amount + math.cos(turn)) / square + amount / (1 - amount**2)
    by_degree = math.radians(2) * amount * math.sin(turn) / square
    relative = math.hypot(
        period.sd / period.value,
        by_amount * strain.amount.sd,
        by_degree * math.hypot(direction.sd, strain.axis_deg.sd),
    )
    value = period.value / factor
    return Value(value, value * relative)


def in_file(granum: Granum, analysis: Analysis) -> Granum:
    """Returns a granum with the coordinates of its file, which may begin with a strip."""
    above = analysis.strips[0]
    if not above:
        return granum
    outline = tuple((x, y + above) for x, y in granum.outline)
    return dataclasses.replace(granum, outline=outline, y_px=granum.y_px + above)


def with_excluded(analysis: Analysis, numbers: Collection[int]) -> Analysis:
    """Returns an analysis in which the grana of some numbers have the status excluded.

    The strain is that of the others.
    """
    grana = tuple(
        dataclasses.replace(
            granum,
            status=EXCLUDED,
            reason="; ".join(filter(None, ["left out by --exclude", granum.reason])),
        )
        if granum.number in numbers
        else granum
        for granum in analysis.grana
    )
    if not any(one.status == "ok" and one.number in numbers for one in analysis.grana):
        return dataclasses.replace(analysis, grana=grana)
    return dataclasses.replace(analysis, grana=grana, strain=of_grana(grana))


def _thylakoids(granum: Granum, _: Analysis) -> Value | None:
    return None if granum.thylakoids is None else Value(float(granum.thylakoids), 0.0)


def _of(field: str, power: int = 0) -> Callable[[Granum, Analysis], Value | None]:
    """Returns the function of a field, in nm to a power; 0 for plain numbers."""

    def value(granum: Granum, analysis: Analysis) -> Value | None:
        found = getattr(granum, field)
        return scaled(found, analysis.px_per_nm, power) if power else found

    return value


def _corrected_nm(granum: Granum, analysis: Analysis) -> Value | None:
    return scaled(corrected_px(granum, analysis.strain), analysis.px_per_nm)


QUANTITIES = (
    Quantity("area_nm2", "area", "nm²", _of("area_px2", 2), decimals=0),
    Quantity("perimeter_nm", "perimeter", "nm", _of("perimeter_px", 1), decimals=0),
    Quantity("gsi", "GSI", "", _of("gsi"), decimals=3),
    Quantity("diameter_nm", "diameter", "nm", _of("diameter_px", 1)),
    Quantity("height_nm", "height", "nm", _of("height_px", 1)),
    Quantity("srd_nm", "SRD", "nm", _of("period_px", 1), decimals=2),
    Quantity("srd_corrected_nm", "SRD, corrected", "nm", _corrected_nm, decimals=2),
    Quantity("layers", "layers", "", _of("layers")),
    Quantity("thylakoids", "thylakoids", "", _thylakoids),
)

# Those of a micrograph without a scale.
IN_PX = (
    Quantity("area_px2", "area", "px²", _of("area_px2"), decimals=0),
    Quantity("perimeter_px", "perimeter", "px", _of("perimeter_px")),
    Quantity("diameter_px", "diameter", "px", _of("diameter_px")),
    Quantity("height_px", "height", "px", _of("height_px")),
    Quantity("period_px", "period", "px", _of("period_px"), decimals=2),
)
