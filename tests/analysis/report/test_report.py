import base64
import dataclasses
import io
import math

import numpy as np
import pytest
from helpers import analyses
from helpers.html_page import Page
from PIL import Image

from srd_jax.analysis.granum import Analysis, Strain, Value
from srd_jax.analysis.output.folder import Folder
from srd_jax.analysis.output.summary import summarise
from srd_jax.analysis.output.table import Named
from srd_jax.analysis.report import plots
from srd_jax.analysis.report.report import report

ORIGIN = {"srd_jax": "0.1.0", "weights": "sha256 abc"}


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path / "out")


def micrographs(folder, number=3):
    """Some micrographs of two groups, with small pictures."""
    found = []
    for index in range(number):
        status = ["ok", "ok", "low_confidence", "ok"]
        grana = [
            analyses.granum(n, 50 * n, 60, 40.0 * n, 12 + 0.1 * n + index, status[n - 1])
            for n in range(1, 5)
        ]
        one = analyses.analysis(f"m & {index}.png", grana, strain=analyses.STRAIN)
        found.append(Named(one, f"m & {index}", "mutant" if index else "wild type"))
        for path in folder.files(found[-1].name, one):
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix in (".jpg", ".png"):
                Image.new("RGB", (40, 30), (index, 90, 90)).save(path)
    return found


def shown(folder, found, **options):
    return Page(report(folder, found, summarise(found), ORIGIN, **options))


def test_the_page_is_whole_and_doubtful_grana_come_first(folder):
    found = [*micrographs(folder), Named(Analysis("bad.png", error="isn't an image"), "bad")]
    page = shown(folder, found)
    assert not {"script", "link", "iframe"} & set(page.tags)
    assert all(source.startswith("data:image/") for source in page.sources)
    assert all(link.startswith("#") for link in page.links)
    # 3 doubtful grana, 3 micrographs, violins, strains
    assert len(page.sources) == 8
    text = "\n".join(page.cells)
    order = [
        text.index(part) for part in ("Doubtful grana", "Not analysed", "m & 0.png: 500 × 400")
    ]
    assert order == sorted(order)
    assert "m & 1, granum 3 (low confidence)" in text.replace("granum 3\n(", "granum 3 (")
    assert "sd 3.00 nm is above 2.5 nm" in page.cells
    assert "isn't an image" in page.cells
    assert "mutant" in page.cells
    assert "sha256 abc" in page.cells
    assert {"srd_corrected_nm", "touches_border"} <= set(page.cells)
    jpeg = next(source for source in page.sources if "jpeg" in source)
    assert Image.open(io.BytesIO(base64.b64decode(jpeg.partition(",")[2]))).size == (40, 30)


def test_pictures_beyond_the_budget_are_those_beside_the_page(folder):
    found = micrographs(folder)
    sources = [one for one in shown(folder, found, budget=2000).sources if "svg" not in one]
    inlined = [one for one in sources if one.startswith("data:")]
    assert 0 < len(inlined) < len(sources)
    assert sources[-1] == "micrographs/m%20%26%202.jpg"
    assert all((folder.root / one.replace("%20", " ").replace("%26", "&")).is_file()
               for one in sources if one not in inlined)  # fmt: skip


def test_many_micrographs_leave_the_page_small(folder):
    one = micrographs(folder, 1)[0]
    many = [dataclasses.replace(one, group=f"g{index % 3}") for index in range(500)]
    text = report(folder, many, summarise(many), ORIGIN, budget=100_000)
    assert len(text) < 3_000_000
    assert text.count("<figure") < 500 + 200 + 10
    assert "300 more are in grana.csv" in text


def test_nothing_found(folder):
    page = shown(folder, [Named(analyses.analysis("a.png", []), "a")])
    assert "No granum has status ok." in page.cells
    assert page.sources == []


def test_names_that_are_not_unicode(folder):
    found = [Named(analyses.analysis("\udcff.png", [analyses.granum(1, 9, 9)]), "\udcff")]
    page = report(folder, found, summarise(found), ORIGIN)
    # Surrogates, which UTF-8 can't hold, are replaced.
    assert page.encode("utf-8").decode("utf-8") == page


def test_the_same_results_give_the_same_page(folder):
    found = micrographs(folder)
    assert report(folder, found, summarise(found), ORIGIN) == report(
        folder, found, summarise(found), ORIGIN
    )


def test_violins_show_each_granum_and_the_mean_of_each_micrograph(folder):
    found = micrographs(folder)
    figure = plots.violins(found)
    panel = next(axes for axes in figure.axes if axes.get_ylabel() == "SRD (nm)")
    assert [tick.get_text() for tick in panel.get_xticklabels()] == ["wild type", "mutant"]
    offsets = [np.asarray(one.get_offsets()) for one in panel.collections]
    points = np.concatenate([one for one in offsets if len(one) in (3, 6)])
    periods = [12 + 0.1 * n + index for index in range(3) for n in (1, 2, 4)]
    np.testing.assert_allclose(sorted(points[:, 1]), sorted(np.array(periods) / 0.6))
    means = next(one for one in offsets if len(one) == 2 and one[0, 0] == 1.3)
    np.testing.assert_allclose(means[:, 1], [(13 + 0.7 / 3) / 0.6, (14 + 0.7 / 3) / 0.6])
    assert plots.violins([Named(analyses.analysis("a.png", []), "a")]) is None


def test_equal_values_need_no_violin():
    grana = [analyses.granum(n, 50, 50) for n in range(5)]
    figure = plots.violins([Named(analyses.analysis("a.png", grana), "a")])
    figure.canvas.draw()
    panel = next(axes for axes in figure.axes if axes.get_ylabel() == "SRD (nm)")
    assert any(len(np.asarray(one.get_offsets())) == 5 for one in panel.collections)


def test_the_fitted_curve_runs_through_grana_that_follow_it():
    true = Strain(Value(0.12, 0.01), Value(70.0, 3.0), 1e-5, 9)
    turns = [3.0, 40.0, 75.0, 110.0, 160.0]
    grana = [analyses.granum(n, 9, 9, t, 12 * true.factor(t)) for n, t in enumerate(turns, 1)]
    found = analyses.analysis("a.png", grana, strain=true)
    assert plots.period_before(found) == pytest.approx(12)
    (axes,) = plots.strains([Named(found, "a")]).axes
    curve = np.asarray(axes.lines[0].get_xydata())
    points = np.concatenate([np.asarray(one.get_offsets()) for one in axes.collections])
    assert len(points) == 10
    for angle, period in points:
        expected = np.interp(angle % (2 * math.pi), curve[:, 0], curve[:, 1])
        assert period == pytest.approx(expected, rel=1e-3)
