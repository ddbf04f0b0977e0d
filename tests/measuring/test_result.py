import math

import pytest

from srd_jax.measuring.measurement import Measurement
from srd_jax.measuring.result import DEFAULT_LIMITS, Limits, Result, result_of


def judged(period, sd, scale=None, field=400, limits=DEFAULT_LIMITS):
    measurement = Measurement(period, sd, None, 2.0, (0, 90, 0, 90))
    return result_of("a.png", measurement, scale, 2 * field, "given", limits)


def above(value):
    return math.nextafter(value, math.inf)


def below(value):
    return math.nextafter(value, -math.inf)


@pytest.mark.parametrize(
    ("period", "sd", "reason"),
    [
        (14.0, 2.5, ""),
        (30.0, 2.5, ""),
        (20.0, 0.0, ""),
        (below(14.0), 1.0, "period 14.00 nm is below 14 nm"),
        (above(30.0), 1.0, "period 30.00 nm is above 30 nm"),
        (20.0, above(2.5), "sd 2.50 nm is above 2.5 nm"),
        (13.5, 9.25, "period 13.50 nm is below 14 nm; sd 9.25 nm is above 2.5 nm"),
    ],
)
def test_limits_with_a_scale(period, sd, reason):
    # At 2 px per nm all of these numbers double exactly.
    result = judged(2 * period, 2 * sd, 2.0)
    assert (result.period_nm, result.sd_nm, result.px_per_nm) == (period, sd, 2.0)
    assert (result.status, result.reason) == ("low_confidence" if reason else "ok", reason)
    assert result.px_per_nm_source == "given"


@pytest.mark.parametrize(
    ("period", "sd", "reason"),
    [
        (8.0, 1.0, ""),
        (300.0, 1.0, ""),
        (8.0, above(1.0), "sd is 12.5% of the period, above 12.5%"),
        (8.0, 4.0, "sd is 50.0% of the period, above 12.5%"),
        (4.5, 0.1, ""),
        (below(4.5), 0.1, "period 4.50 px is below 4.5 px, too few px for a lamella"),
        (1.25, 0.1, "period 1.25 px is below 2 px, the shortest that an image can show"),
    ],
)
def test_limits_without_a_scale(period, sd, reason):
    result = judged(period, sd)
    assert (result.period_px, result.sd_px) == (period, sd)
    assert (result.period_nm, result.sd_nm, result.px_per_nm) == (None, None, None)
    assert result.px_per_nm_source == ""
    assert (result.status, result.reason) == ("low_confidence" if reason else "ok", reason)


def test_a_period_beyond_the_receptive_field():
    assert judged(110.0, 1.0, field=110).status == "ok"
    result = judged(110.5, 1.0, field=110)
    assert result.status == "low_confidence"
    assert result.reason == "period 110.50 px is above the 110.00 px that the network sees at once"


def test_weights_without_sd():
    result = judged(40.0, None, 2.0)
    assert (result.status, result.reason) == ("ok", "these weights give no sd")
    assert (result.sd_px, result.sd_nm, result.period_nm) == (None, None, 20.0)
    assert judged(40.0, None).reason == "these weights give no sd"
    assert judged(80.0, None, 2.0).reason == "period 40.00 nm is above 30 nm"


def test_other_limits():
    limits = Limits(sd_nm=1.0, period_nm=(5.0, 10.0), relative_sd=0.5)
    assert judged(7.0, 0.9, 1.0, limits=limits).status == "ok"
    assert judged(7.0, 1.1, 1.0, limits=limits).status == "low_confidence"
    assert judged(8.0, 4.0, limits=limits).status == "ok"


@pytest.mark.parametrize(("period", "sd"), [(math.nan, 1.0), (math.inf, 1.0), (20.0, math.nan)])
def test_answers_that_are_no_numbers(period, sd):
    result = judged(period, sd, 2.0)
    assert result == Result("a.png", reason=f"the measured period is {period} px, its sd {sd} px")
    assert result.status == "error"


@pytest.mark.parametrize("scale", [None, 2.0])
def test_a_quality(scale):
    def result(quality):
        measurement = Measurement(40.0, None, None, 1.0, (0, 90, 0, 90), quality)
        return result_of("a.png", measurement, scale, None)

    assert (result(0.45).status, result(0.45).reason, result(0.45).quality) == ("ok", "", 0.45)
    assert result(below(0.45)).status == "low_confidence"
    assert result(0.12).reason == "quality 0.12 is below 0.45"


def test_a_method_without_field_sees_the_whole_crop():
    measurement = Measurement(900.0, None, None, 1.0, (0, 2000, 0, 90), 0.9)
    assert result_of("a.png", measurement, None, None).status == "ok"
    assert result_of("a.png", measurement, None, 220).status == "low_confidence"


@pytest.mark.parametrize("tilt", [None, 0.0, 10.0, -10.0])
def test_lamellae_near_the_horizontal_are_ok(tilt):
    measurement = Measurement(20.0, 1.0, None, 2.0, (0, 90, 0, 90))
    result = result_of("a.png", measurement, None, None, tilt_deg=tilt)
    assert (result.status, result.reason, result.tilt_deg) == ("ok", "", tilt)


@pytest.mark.parametrize("tilt", [above(10.0), -45.0, -90.0])
def test_lamellae_far_from_the_horizontal(tilt):
    measurement = Measurement(20.0, 1.0, None, 2.0, (0, 90, 0, 90))
    result = result_of("a.png", measurement, None, None, tilt_deg=tilt)
    assert (result.status, result.tilt_deg) == ("low_confidence", tilt)
    assert result.reason == f"lamellae run at {tilt:.0f} degrees to the horizontal, beyond 10"
    assert result_of("a.png", measurement, None, None, "", Limits(tilt_deg=90), tilt).status == "ok"


@pytest.mark.parametrize("period", [20.0, 37.3])
def test_a_granum_of_fewer_than_two_periods_is_not_trusted(period):
    measurement = Measurement(period, 0.1, None, 2.0, (0, 90, 0, 90))

    def result(rows):
        return result_of("a.png", measurement, None, None, rows=rows)

    # A period of exactly half of the height may be measured a little longer.
    for rows in (None, 400, math.ceil(2 * period), math.ceil(2 * period * 0.96)):
        assert (result(rows).status, result(rows).reason) == ("ok", "")
    for rows in (math.floor(1.89 * period), math.floor(1.2 * period)):
        assert result(rows).status == "low_confidence"
        assert result(rows).reason == f"the granum is {rows} px high, fewer than 2 periods"


def test_doubts_of_mask_and_measurement_come_before_notes():
    measurement = Measurement(20.0, 1.0, None, 2.0, (0, 90, 0, 90), doubts=("two grana?",))
    result = result_of(
        "a.png", measurement, None, None, notes=["a note"], doubts=["two parts"], rows=30
    )
    assert result.status == "low_confidence"
    height = "the granum is 30 px high, fewer than 2 periods"
    assert result.reason == f"{height}; two grana?; two parts; a note"
    plain = Measurement(20.0, 1.0, None, 2.0, (0, 90, 0, 90))
    assert result_of("a.png", plain, None, None, notes=["a note"], rows=90).status == "ok"
