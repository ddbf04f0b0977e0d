import csv
import io
import pathlib

import numpy as np
import pytest
from helpers import analyses

import srd_jax
from srd_jax.analysis.granum import Analysis, Strain, Value
from srd_jax.analysis.output import summary, table
from srd_jax.analysis.output.quantities import corrected_px, with_excluded
from srd_jax.analysis.output.table import Named, grana_rows, header, micrograph_rows
from srd_jax.support.files import table_bytes

DOCS = pathlib.Path(srd_jax.__file__).parents[1] / "docs" / "micrographs.md"


def rows(*micrographs):
    content = table_bytes(header(table.GRANA), grana_rows(micrographs)).decode()
    return list(csv.DictReader(io.StringIO(content)))


def test_lengths_in_nm_where_the_scale_is_known_and_in_px_always():
    one = analyses.granum(3, 120.5, 80.25)
    known, unknown = rows(
        Named(analyses.analysis("a.png", [one]), "a", "mutant"),
        Named(analyses.analysis("b.png", [one], px_per_nm=None), "b"),
    )
    assert (known["file"], known["group"], known["granum"]) == ("a.png", "mutant", "3")
    assert (known["x_px"], known["y_px"]) == ("120.5", "80.25")
    assert float(known["area_nm2"]) == pytest.approx(np.pi * 800 / 0.36, rel=1e-5)
    assert float(known["area_nm2_sd"]) == pytest.approx(60 / 0.36, rel=1e-5)
    assert float(known["height_nm"]) == pytest.approx(38 / 0.6, rel=1e-5)
    assert (known["srd_nm"], known["srd_sd_nm"]) == ("20", "0.666667")
    assert (known["px_per_nm"], known["px_per_nm_source"]) == ("0.6", "given")
    assert (known["layers"], known["layers_sd"], known["thylakoids"]) == ("3.1", "0.3", "3")
    assert (known["direction_deg"], known["direction_sd_deg"]) == ("30", "1.5")
    assert (known["gsi"], known["detection"], known["touches_border"]) == ("0.21", "0.9", "no")
    in_nm = [name for name in known if "_nm" in name]
    assert len(in_nm) == 14
    assert all(unknown[name] == "" for name in in_nm)
    in_px = ("area_px2", "perimeter_px", "height_px", "diameter_px", "period_px", "sd_px", "gsi")
    assert all(unknown[name] == known[name] != "" for name in in_px)


def test_a_bad_file_is_one_row_and_one_without_grana_is_none():
    found = rows(
        Named(Analysis("bad.png", error="isn't an image"), "bad"),
        Named(analyses.analysis("empty.png", []), "empty"),
        Named(analyses.analysis("a.png", [analyses.granum(1, 9, 9, status="low_confidence")]), "a"),
    )
    assert [(row["file"], row["status"]) for row in found] == [
        ("bad.png", "error"),
        ("a.png", "low_confidence"),
    ]
    assert found[0]["reason"] == "isn't an image"
    filled = {name for name, cell in found[0].items() if cell}
    assert filled == {"file", "status", "reason", "name"}


def test_numbers_keep_their_digits_and_texts_are_no_formulas():
    one = analyses.granum(1, 9, 9, area_px2=Value(1_234_567.8, 3.0), reason="=1+1")
    (row,) = rows(Named(analyses.analysis("=a.png", [one], px_per_nm=None), "=a", "-N"))
    assert row["area_px2"] == "1234568"
    assert (row["file"], row["reason"], row["group"]) == ("./=a.png", "'=1+1", "'-N")


def test_micrographs():
    grana = [analyses.granum(1, 9, 9), analyses.granum(2, 9, 9, status="error")]
    found = analyses.analysis("a.png", grana, strain=analyses.STRAIN, notes=("strip cut", "x"))
    cells = [
        dict(zip(header(table.MICROGRAPHS), row, strict=True))
        for row in micrograph_rows(
            [
                Named(with_excluded(found, {2}), "a", "wt"),
                Named(Analysis("b.png", error="isn't an image"), "b"),
            ]
        )
    ]
    a, b = cells
    assert (a["status"], a["reason"], a["rows"], a["columns"]) == ("ok", "strip cut; x", 400, 500)
    assert (a["grana"], a["ok"], a["low_confidence"], a["error"], a["excluded"]) == (2, 1, 0, 0, 1)
    assert (a["strain"], a["strain_sd"], a["strain_axis_deg"]) == (0.1, 0.02, 150.0)
    assert (b["status"], b["reason"], b["rows"], b["strain"]) == (
        "error",
        "isn't an image",
        None,
        None,
    )


def test_the_period_before_compression():
    """An independent way: stretch the section back, keeping its area, and measure again."""
    strain = Strain(Value(0.12, 0.02), Value(35.0, 4.0), 1e-6, 9)
    for direction in (0.0, 35.0, 80.0, 125.0, 170.0):
        one = analyses.granum(1, 9, 9, direction, 12.0)
        found = corrected_px(one, strain)
        assert found.value == pytest.approx(12 / strain.factor(direction))
        draws = np.random.default_rng(0).normal(size=(4, 40_000))
        periods = 12 + 0.4 * draws[0]
        amount, axis = 0.12 + 0.02 * draws[1], 35 + 4 * draws[2]
        turned = np.cos(np.radians(2 * (direction + 1.5 * draws[3] - axis)))
        drawn = periods * np.sqrt(1 - amount**2) / (1 + amount * turned)
        assert found.sd == pytest.approx(drawn.std(), rel=0.08)
    bare = analyses.granum(1, 9, 9, direction_deg=None)
    assert corrected_px(bare, strain) is None
    assert corrected_px(one, None) is None
    assert corrected_px(one, Strain(strain.amount, strain.axis_deg, 0.2, 9)) is None


def test_excluded_grana_stay_in_the_table():
    found = analyses.analysis("a.png", [analyses.granum(n, 9, 9) for n in (1, 2)])
    first, second = rows(Named(with_excluded(found, (2, 5)), "a"))
    assert (first["status"], first["reason"]) == ("ok", "")
    assert (second["status"], second["reason"]) == ("excluded", "left out by --exclude")
    assert second["srd_nm"] == first["srd_nm"]


def test_the_strain_is_that_of_the_grana_which_are_not_excluded():
    true = Strain(Value(0.1, 0.0), Value(150.0, 0.0), 0.0, 0)
    turns = np.linspace(0, 170, 12)
    grana = [
        analyses.granum(n, 9, 9, float(turn), 12 * true.factor(turn) * (1.25 if n < 3 else 1))
        for n, turn in enumerate(turns, 1)
    ]
    found = analyses.analysis("a.png", grana, strain=analyses.STRAIN)
    left = with_excluded(found, (1, 2)).strain
    assert left.grana == 10
    assert left.amount.value == pytest.approx(0.1, rel=0.03)
    assert left.axis_deg.value == pytest.approx(150, abs=1)
    assert with_excluded(found, (99,)) == found


def test_every_column_is_documented():
    text = DOCS.read_text(encoding="utf-8")
    names = [c.name for c in (*table.GRANA, *table.MICROGRAPHS)] + list(summary.COLUMNS)
    assert not [name for name in names if f"`{name}`" not in text]
    assert all(column.meaning for column in (*table.GRANA, *table.MICROGRAPHS))
