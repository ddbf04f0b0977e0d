"""The result of a file, and when a measurement is to be trusted."""

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from srd_jax.imaging import LEAST_PERIODS, SHORTEST_PERIOD_PX
from srd_jax.support.errors import InputError

if TYPE_CHECKING:
    from srd_jax.measuring.measurement import Measurement

# Px a period in which two membranes and a gap can be told apart.
_FEW_PX = 4.5

# A period of exactly half of the height may be measured a little longer.
_ROUNDING = 0.05


@dataclasses.dataclass(frozen=True)
class Limits:
    """Limits of status ok, bounds included; beyond them a measurement is low_confidence.

    The values in nm are the limits of the GRANA application (Bukat, Bukowicki et al. 2025, Plant
    Physiology kiaf212). By both classical methods, about 9 of 10 drawn crops of noise (grain of 0.5
    to 4 px) stay below the quality, and 19 of 20 of clear lamellae reach it.

    Attributes:
      sd_nm: greatest sd, if the scale is known.
      period_nm: shortest and longest period, if the scale is known.
      relative_sd: greatest sd over period, if the scale isn't known.
      quality: least quality, by methods that give one.
      tilt_deg: greatest angle between lamellae and the horizontal, degrees.
    """

    sd_nm: float = 2.5
    period_nm: tuple[float, float] = (14.0, 30.0)
    relative_sd: float = 0.125
    quality: float = 0.45
    tilt_deg: float = 10.0


DEFAULT_LIMITS = Limits()


@dataclasses.dataclass(frozen=True)
class Result:
    """One row of results.csv; lengths in px of the crop, None if not known.

    Attributes:
      file: path as given.
      period_px: mean period.
      sd_px: standard deviation of the period.
      px_per_nm: scale.
      period_nm: mean period.
      sd_nm: standard deviation of the period.
      status: ok, low_confidence or error.
      reason: why the status isn't ok, what is missing, and notes about the file.
      px_per_nm_source: given, or who states it in the file; empty if the scale isn't known.
      quality: 0 to 1, by methods that give one.
      tilt_deg: direction of the measured lamellae, counter-clockwise from the horizontal; None if
        it isn't clear.
      rotated_deg: how far the crop was turned first, counter-clockwise; None if it wasn't.
      mask: what leaves pixels out, see `crop.Crop.mask_source`.
      label: number of the granum in a mask of several; None where it is the only one.
    """

    file: str
    period_px: float | None = None
    sd_px: float | None = None
    px_per_nm: float | None = None
    period_nm: float | None = None
    sd_nm: float | None = None
    status: str = "error"
    reason: str = ""
    px_per_nm_source: str = ""
    quality: float | None = None
    tilt_deg: float | None = None
    rotated_deg: float | None = None
    mask: str = ""
    label: int | None = None


def check_scale(px_per_nm: float) -> None:
    """Checks a scale.

    Raises:
      InputError: it isn't a finite number above 0.
    """
    if not 0 < px_per_nm < math.inf:
        raise InputError(f"px_per_nm is {px_per_nm}; accepted is a finite number above 0")


def result_of(
    file: str,
    measurement: "Measurement",
    px_per_nm: float | None,
    field_rows: int | None,
    source: str = "",
    limits: Limits = DEFAULT_LIMITS,
    tilt_deg: float | None = None,
    notes: Sequence[str] = (),
    doubts: Sequence[str] = (),
    rows: int | None = None,
) -> Result:
    """Judges a measurement.

    Args:
      file: path as given.
      measurement: of the file's crop.
      px_per_nm: scale, None if not known.
      field_rows: rows that the method sees at once, px of the frame; None for the whole crop.
      source: of the scale.
      limits: of status ok.
      tilt_deg: direction of the lamellae, None if it isn't clear.
      notes: facts about the file; they end the reason.
      doubts: why its mask may not show one granum.
      rows: height of the granum's tallest column, px of the crop; None if it isn't known.

    Returns:
      The result of the file.
    """
    period_px, sd_px = measurement.period_px, measurement.sd_px
    if not math.isfinite(period_px) or (sd_px is not None and not math.isfinite(sd_px)):
        return Result(file, reason=f"the measured period is {period_px} px, its sd {sd_px} px")
    result = Result(
        file, period_px, sd_px, status="ok", quality=measurement.quality, tilt_deg=tilt_deg
    )
    if px_per_nm is not None:
        result = dataclasses.replace(
            result,
            px_per_nm=px_per_nm,
            period_nm=period_px / px_per_nm,
            sd_nm=None if sd_px is None else sd_px / px_per_nm,
            px_per_nm_source=source,
        )
    field_px = math.inf if field_rows is None else field_rows / measurement.scale
    if found := [
        *_doubts_of_period(result, field_px, limits),
        *_doubts_of_confidence(result, limits),
        *_doubts_of_tilt(result, limits),
        *_doubts_of_height(result, rows),
        *measurement.doubts,
        *doubts,
    ]:
        reason = "; ".join([*found, *notes])
        return dataclasses.replace(result, status="low_confidence", reason=reason)
    missing = ["these weights give no sd"] if sd_px is None and result.quality is None else []
    return dataclasses.replace(result, reason="; ".join([*missing, *notes]))


def _doubts_of_period(result: Result, field_px: float, limits: Limits) -> list[str]:
    px, nm = result.period_px, result.period_nm
    doubts, (shortest, longest) = [], limits.period_nm
    if px is not None and px < SHORTEST_PERIOD_PX:
        doubts.append(
            f"period {px:.2f} px is below {SHORTEST_PERIOD_PX:g} px, "
            "the shortest that an image can show"
        )
    elif px is not None and px < _FEW_PX:
        doubts.append(f"period {px:.2f} px is below {_FEW_PX:g} px, too few px for a lamella")
    if px is not None and px > field_px:
        doubts.append(
            f"period {px:.2f} px is above the {field_px:.2f} px that the network sees at once"
        )
    if nm is not None and nm < shortest:
        doubts.append(f"period {nm:.2f} nm is below {shortest:g} nm")
    if nm is not None and nm > longest:
        doubts.append(f"period {nm:.2f} nm is above {longest:g} nm")
    return doubts


def _doubts_of_confidence(result: Result, limits: Limits) -> list[str]:
    if result.quality is not None and result.quality < limits.quality:
        return [f"quality {result.quality:.2f} is below {limits.quality:g}"]
    if result.sd_nm is not None:
        above = result.sd_nm > limits.sd_nm
        return [f"sd {result.sd_nm:.2f} nm is above {limits.sd_nm:g} nm"] if above else []
    if result.sd_px is None or result.period_px is None:
        return []
    relative = result.sd_px / result.period_px
    if relative <= limits.relative_sd:
        return []
    return [f"sd is {relative:.1%} of the period, above {limits.relative_sd:.1%}"]


def _doubts_of_tilt(result: Result, limits: Limits) -> list[str]:
    tilt, most = result.tilt_deg, limits.tilt_deg
    if tilt is None or abs(tilt) <= most:
        return []
    return [f"lamellae run at {tilt:.0f} degrees to the horizontal, beyond {most:g}"]


def _doubts_of_height(result: Result, rows: int | None) -> list[str]:
    """Lamellae repeat only where a granum shows at least two periods."""
    period = result.period_px
    if rows is None or period is None or rows >= LEAST_PERIODS * period * (1 - _ROUNDING):
        return []
    return [f"the granum is {rows} px high, fewer than {LEAST_PERIODS} periods"]
