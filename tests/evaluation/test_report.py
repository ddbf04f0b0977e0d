import base64
import io
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from helpers.crops import stripes
from helpers.evaluated import METHODS, Fake, grana
from helpers.html_page import Page
from PIL import Image
from scipy import stats

from srd_jax.evaluation import pictures, plots, report, tables
from srd_jax.evaluation.cases import Shown, column, evaluate
from srd_jax.evaluation.summary import summarise
from srd_jax.imaging.dataset import Granum
from srd_jax.measuring.measurement import Measurement


@pytest.fixture(scope="module")
def found():
    return evaluate(grana(), METHODS, worst=3)


def cells(table, method):
    """The cells of a method in a table, by group and header."""
    groups = [name for name, span in table["groups"] for _ in range(span)]
    assert len(groups) in (0, len(table["columns"]) - 1)
    headers = table["columns"][1:]
    keys = list(zip(groups, headers, strict=True)) if groups else headers
    (row,) = [row for row in table["rows"] if row[0] == method]
    return dict(zip(keys, row[1:], strict=True))


def test_tables_of_the_report(found):
    summaries = summarise(found[0])
    errors = cells(tables.errors(summaries, "all", "errors"), "twice")
    assert errors["% of the true period", "p95"] == "100.00"
    assert errors["nm", "bias"] == f"{np.mean([60, 120, 400, 90, 100, 64]) / 6 / 1.3:.2f}"
    counts = cells(tables.counts(summaries), "twice")
    assert counts["crops", "failed"] == "2 (25.0 %)"
    assert counts["errors beyond 15 % of the true period", "doubling"] == "100.0 %"
    scored = cells(tables.sd_scores(summaries[:1]), "net & co")
    assert scored["errors within", "1 sd (68.3 %)"] == "100.0 %"
    assert scored["NLL", "predicted sd"] == f"{summaries[0]['sd']['nll']:.2f}"
    classes = cells(tables.sd_classes(summaries[:1]), "net & co")
    # Their sds are 1.05 to 2.1 px, and 7 px.
    mae = 0.05 * np.mean([60, 120, 90, 100, 64]) / 6
    assert classes["sd < 1 px"] == "– (0)"
    assert classes["sd < 3 px"] == f"{mae:.2f} (5)"
    assert classes["all"].endswith(" (6)")
    fifths = cells(tables.sd_quintiles(summaries[:1]), "net & co")
    # 60 and 64 rows have the least sds, 400 rows the greatest.
    assert fifths["fifth 1"] == f"{0.05 * 62 / 6:.2f} ({0.105 * 10:.2f} to {0.105 * 64 / 6:.2f})"
    assert fifths["fifth 5"] == f"{0.05 * 400 / 6:.2f} (7.00 to 7.00)"
    few = [one | {"sd": one["sd"] | {"by_quintile": []}} for one in summaries[:1]]
    assert cells(tables.sd_quintiles(few), "net & co")["fifth 5"] == "–"
    by_period = cells(tables.by_traits(summaries)[-1], "twice")
    assert by_period == {
        "0 to 12": "100.00 (2)",
        "12 to 16": "100.00 (1)",
        "16 to 20": "100.00 (1)",
        "20 to 25": "100.00 (1)",
        "from 40": "100.00 (1)",
    }
    failed = tables.failures(found[0])
    assert [row[:2] for row in failed["rows"]] == [
        [name, method] for name in ("granum <2>", "granum <4>") for method in METHODS
    ]


def test_the_report_is_one_whole_page(found):
    text = report.report("a <set>", "1", *found, summarise(found[0]))
    page = Page(text)
    assert not {"script", "link", "iframe"} & set(page.tags)
    assert "url(" not in text
    assert "@import" not in text
    assert all(f'id="{link.removeprefix("#")}"' in text for link in page.links)
    kinds = []
    for source in page.sources:
        kind, data = re.fullmatch(r"data:image/([a-z+]+);base64,(.*)", source).groups()
        kinds.append(kind)
        if kind == "jpeg":
            assert max(Image.open(io.BytesIO(base64.b64decode(data))).size) >= 400
        else:
            assert ElementTree.fromstring(base64.b64decode(data)).tag.endswith("svg")
    # Four plots, and the three worst cases of each method.
    assert sorted(kinds) == ["jpeg"] * 6 + ["svg+xml"] * 4
    for case in found[0]:
        assert case.status != "failed" or page.cells.count(case.name) >= 1
    assert page.cells.count("<66> rows & no more; accepted are others") == 2
    for one in summarise(found[0]):
        assert f"{one['all']['px']['mae']:.2f}" in page.cells
        assert one["method"] in page.cells
    assert any("a <set>" in cell for cell in page.cells)


def test_a_report_without_sd_has_no_part_for_it(found):
    _, second = summarise(found[0])
    cases = [case for case in found[0] if case.method == "twice"]
    page = Page(report.report("x", "1", cases, {"twice": found[1]["twice"]}, [second]))
    assert "#confidence" not in page.links
    assert "Confidence" not in page.cells


def rows_of_teeth(picture, colour, at):
    """Centres of the rows that have a colour near a column of a picture."""
    near = np.abs(picture[:, at].astype(int) - colour).sum(axis=-1) < 120
    edges = np.flatnonzero(np.diff(np.r_[0, near, 0]))
    return edges.reshape(-1, 2).mean(axis=1)


@pytest.mark.parametrize("ratio", [1.0, 2.0, 0.7])
def test_combs_have_the_true_and_the_measured_period(ratio):
    shape, period = (150, 220), 15.0
    granum = Granum(
        "a", stripes(0, shape, period) / np.float32(255), np.ones(shape, bool), period, None
    )
    cases, _ = evaluate([granum], {"fake": Fake(ratio / 10)})
    answer = Measurement(ratio * period, None, None, 1.0, (20, 140, 10, 200))
    jpeg = pictures.picture(Shown(cases[0], granum, answer))
    picture = np.asarray(Image.open(io.BytesIO(jpeg)))
    scale = 900 // 220
    assert picture.shape == (150 * scale, 220 * scale, 3)
    unit = 220 * scale // 300
    for at, colour, expected in (
        (10 * scale + 6 * unit, pictures.TRUE, period),
        (10 * scale + 18 * unit, pictures.MEASURED, ratio * period),
    ):
        teeth = rows_of_teeth(picture, colour, at)
        assert len(teeth) >= 120 // expected
        np.testing.assert_allclose(np.diff(teeth), expected * scale, atol=1.5)
        assert 20 * scale <= teeth[0] and teeth[-1] < 140 * scale


def test_a_period_that_no_image_shows_has_no_comb(found):
    one = found[1]["twice"][0]
    short = Measurement(1.0, None, None, 1.0, (0, *one.granum.image.shape[:1], 0, 90))
    picture = np.asarray(
        Image.open(io.BytesIO(pictures.picture(Shown(one.case, one.granum, short))))
    )
    for colour, there in ((pictures.TRUE, True), (pictures.MEASURED, False)):
        assert (np.abs(picture.astype(int) - colour).sum(axis=-1) < 60).any() == there


def lines_of(axes):
    return {str(line.get_label()): np.asarray(line.get_xydata()) for line in axes.lines}


def test_plots_show_the_data(found):
    cases, summaries = found[0], summarise(found[0])
    lines = lines_of(plots.distribution(cases, list(METHODS)).axes[0])
    for name, error in (("net & co", 5), ("twice", 100)):
        x, y = lines[name].T
        # Six of eight crops were measured, all with one error.
        assert y[x < error * 0.999].max() == 0
        assert y[-1] == pytest.approx(100 * 6 / 8)
    reliability, spread = plots.confidence(cases, summaries[:1]).axes
    level, observed = lines_of(reliability)["net & co"].T
    # Every error is 0.05 / 0.105 of its sd.
    np.testing.assert_array_equal(observed, level >= stats.chi2.cdf((0.05 / 0.105) ** 2, 1))
    assert len(spread.collections[0].get_offsets()) == 6
    panels = plots.error_by_traits(cases, summaries).axes
    for axes, (field, label) in zip(panels, plots.TRAITS.items(), strict=True):
        assert axes.get_xlabel() == label
        offsets = np.asarray(axes.collections[0].get_offsets())
        measured = [case for case in cases[::2] if case.period_px is not None]
        np.testing.assert_allclose(offsets[:, 0], column(measured, field))
        np.testing.assert_allclose(offsets[:, 1], 5)
        np.testing.assert_allclose(lines_of(axes)["twice"][:, 1], 100)


def test_each_method_has_a_panel_with_the_ok_ones_filled(found):
    names = [f"method {i}" for i in range(4)]
    cases, _ = evaluate(grana(), {name: Fake(1 / 6) for name in names})
    figure = plots.true_against_measured(cases, names)
    shown = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_title() for axes in shown] == names
    for axes in shown:
        open_ones, filled = axes.collections[-2:]
        counts = [len(dots.get_offsets()) for dots in (open_ones, filled)]
        statuses = [case.status for case in cases if case.method == axes.get_title()]
        assert counts == [statuses.count("low_confidence"), statuses.count("ok")]
        assert len(open_ones.get_facecolors()) == 0
        assert len(filled.get_facecolors()) == 1
    assert len({look["color"] for look in plots.styles(names).values()}) == 4
