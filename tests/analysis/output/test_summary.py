import dataclasses

import numpy as np
import pytest
from helpers import analyses

from srd_jax.analysis.granum import Analysis, Value
from srd_jax.analysis.output import summary
from srd_jax.analysis.output.summary import summarise
from srd_jax.analysis.output.table import Named


def micrograph(name, periods, group="", px_per_nm=0.6, **changes):
    grana = [analyses.granum(i, 50, 50, period=p, **changes) for i, p in enumerate(periods, 1)]
    return Named(analyses.analysis(f"{name}.png", grana, px_per_nm), name, group)


def found(summaries, scope, of, quantity):
    (one,) = [s for s in summaries if (s.scope, s.of, s.quantity) == (scope, of, quantity)]
    return one


def test_means_in_all_by_group_and_by_file():
    sets = {"a": [12.0, 12.6, 13.2], "b": [14.4], "c": [11.4, 12.0]}
    micrographs = [
        micrograph(name, periods, "mutant" if name == "c" else "wild type")
        for name, periods in sets.items()
    ]
    summaries = summarise(micrographs)
    every = np.concatenate(list(sets.values())) / 0.6
    whole = found(summaries, "all", "", "srd_nm")
    assert whole.mean == pytest.approx(every.mean())
    assert whole.sd == pytest.approx(every.std(ddof=1))
    assert whole.median == pytest.approx(np.median(every))
    assert (whole.grana, whole.micrographs, whole.unit) == (6, 3, "nm")
    means = np.array([np.mean(periods) for periods in sets.values()]) / 0.6
    assert whole.mean_of_micrographs == pytest.approx(means.mean())
    assert whole.sd_of_micrographs == pytest.approx(means.std(ddof=1))
    group = found(summaries, "group", "wild type", "srd_nm")
    assert group.mean == pytest.approx(np.mean(sets["a"] + sets["b"]) / 0.6)
    assert (group.grana, group.micrographs) == (4, 2)
    alone = found(summaries, "group", "mutant", "srd_nm")
    assert (alone.sd_of_micrographs, alone.micrographs) == (None, 1)
    file = found(summaries, "file", "b.png", "srd_nm")
    assert (file.mean, file.sd, file.median) == (pytest.approx(24), None, pytest.approx(24))
    assert (file.mean_of_micrographs, file.sd_of_micrographs) == (None, None)
    scopes = [(one.scope, one.of) for one in summaries]
    assert list(dict.fromkeys(scopes)) == [
        ("all", ""), ("group", "wild type"), ("group", "mutant"),
        ("file", "a.png"), ("file", "b.png"), ("file", "c.png"),
    ]  # fmt: skip


def test_which_grana_count():
    """Those with status ok; the pipeline doubts what touches the border."""
    grana = [
        analyses.granum(1, 9, 9, period=12.0, height_px=Value(36.0, 1)),
        analyses.granum(2, 9, 9, period=12.6, height_px=Value(48.0, 1)),
        analyses.granum(3, 9, 9, period=99.0, height_px=Value(99.0, 1), status="low_confidence"),
        analyses.granum(4, 9, 9, period=99.0, height_px=Value(99.0, 1), status="excluded"),
        analyses.granum(5, 9, 9, status="error", period_px=None),
    ]
    summaries = summarise([Named(analyses.analysis("a.png", grana), "a")])
    assert found(summaries, "all", "", "srd_nm").mean == pytest.approx(12.3 / 0.6)
    assert found(summaries, "all", "", "srd_nm").grana == 2
    sized = ("area_nm2", "perimeter_nm", "height_nm", "diameter_nm", "gsi", "layers", "thylakoids")
    assert {found(summaries, "all", "", name).grana for name in sized} == {2}
    assert found(summaries, "all", "", "height_nm").mean == pytest.approx(70)
    assert not [one for one in summaries if one.quantity == "srd_corrected_nm"]


def test_without_a_scale_lengths_in_px_are_those_of_a_file():
    summaries = summarise(
        [micrograph("a", [12.0, 13.0], px_per_nm=None), micrograph("b", [12.0]),
         Named(Analysis("c.png", error="isn't an image"), "c")]
    )  # fmt: skip
    assert found(summaries, "file", "a.png", "period_px").mean == pytest.approx(12.5)
    assert found(summaries, "file", "a.png", "area_px2").unit == "px²"
    assert found(summaries, "all", "", "srd_nm").grana == 1
    assert found(summaries, "all", "", "gsi").grana == 3
    names = {(one.scope, one.of, one.quantity) for one in summaries}
    assert not [name for name in names if "px" in name[2] and name[:2] != ("file", "a.png")]
    assert not [name for name in names if name[1] == "c.png"]


def test_nothing_gives_no_rows():
    assert summarise([Named(analyses.analysis("a.png", []), "a")]) == []
    assert {field.name for field in dataclasses.fields(summary.Summary)} == set(summary.COLUMNS)
