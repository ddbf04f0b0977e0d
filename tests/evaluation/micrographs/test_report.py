import base64
import io
import json

import numpy as np
import pytest
from helpers.command import read
from helpers.html_page import Page
from helpers.micrographs import Stack, drawn
from PIL import Image

from srd_jax.analysis.granum import Analysis, Granum, Value
from srd_jax.evaluation.micrographs import generated, report, run
from srd_jax.evaluation.micrographs.report import About
from srd_jax.support.errors import InputError
from srd_jax.synthetic.scenes.micrographs import DrawnGranum, DrawnMicrograph

SHAPE = (200, 300)
BOX = (60, 50, 160, 130)  # left, top, right, bottom


def made(number=1, certain=True):
    """A drawn micrograph of one granum, and one that nobody could tell."""
    labels = np.zeros(SHAPE, np.uint16)
    left, top, right, bottom = BOX
    labels[top:bottom, left:right] = number
    labels[160:180, 200:280] = number + 1
    stack = Stack(110.0, 90.0, 100.0, 80.0, 0.0, 10.0)
    grana = (
        DrawnGranum(number, 0.0, 10.0, 8, certain, False),
        DrawnGranum(number + 1, 0.0, 10.0, 2, False, False),
    )
    return DrawnMicrograph(drawn([stack], SHAPE).grey, 0.5, labels, grana, 0.0)


def found(shift=0.0, number=1):
    left, top, right, bottom = BOX
    outline = ((left, top), (right, top), (right, bottom), (left, bottom))
    return Granum(
        number,
        "ok",
        "",
        tuple((x + shift, float(y)) for x, y in outline),
        (left + right) / 2 + shift,
        (top + bottom) / 2,
        0.8,
        False,
        direction_deg=Value(1.0, 2.0),
        period_px=Value(10.2, 0.3),
        layers=Value(8.0, 0.4),
    )


def analyse(micrograph):
    """Finds all of the first micrograph, nothing of the second, and fails at the third."""
    place = int(micrograph.name[-1])
    if place == 2:
        raise InputError(f"{micrograph.name}: is too dark; accepted are lighter ones")
    grana = ((found(), found(130, 2)), ())[place]
    return Analysis(micrograph.name, *SHAPE, 0.5, "the generator", grana)


@pytest.fixture
def items(monkeypatch):
    monkeypatch.setattr(generated, "draw", lambda seed: made())
    return list(generated.drawn(0, 3))


def test_the_truth_of_drawn_micrographs(items):
    assert [micrograph.name for micrograph, _ in items] == [f"generated_000{i}" for i in range(3)]
    micrograph, truth = items[0]
    assert (micrograph.px_per_nm, truth.size) == (0.5, SHAPE)
    first, second = truth.grana
    assert (first.certainty, first.direction_deg, first.period_px, first.layers) == (
        "sure",
        0,
        10,
        8,
    )
    assert (second.certainty, second.period_px) == ("possible", None)
    assert (first.area.corner, first.area.mask.shape) == ((50, 60), (80, 100))


def test_seeds_are_apart(monkeypatch):
    monkeypatch.setattr(generated, "draw", lambda seed: given.append(seed) or made())
    given = []
    for seed in (0, 1, 2):
        assert len(list(generated.drawn(seed, 5))) == 5
    first = given[:5]
    assert len(set(given)) == 15
    assert max(given) < 2**31
    list(generated.drawn(0, 5))
    assert given[15:] == first


def test_one_that_fails_doesnt_end_the_others(items):
    compared, shown = run.evaluate(items, analyse)
    assert [one.error for one in compared[:2]] == ["", ""]
    assert "too dark" in compared[2].error
    outcomes = [[case.outcome for case in one.cases] for one in compared]
    assert outcomes == [["found", "possible", "wrong"], ["missing", "possible"], outcomes[1]]
    # Both have one mistake; the first comes first.
    assert [one.compared.file for one in shown] == ["generated_0000", "generated_0001"]
    assert [one.compared.file for one in run.evaluate(items, analyse, worst=1)[1]] == [
        "generated_0000"
    ]


def test_the_picture_shows_the_outlines(items):
    _, shown = run.evaluate(items[:1], analyse)
    picture = np.asarray(Image.open(io.BytesIO(shown[0].jpeg)), float)
    assert picture.shape == (*SHAPE, 3)

    def colour(x, y):
        return picture[y - 1 : y + 2, x - 1 : x + 2].reshape(-1, 3)

    def near(x, y, name):
        return np.abs(colour(x, y) - run_colours[name]).max(1).min() < 70

    from srd_jax.evaluation.micrographs.pictures import COLOURS as run_colours

    assert near(100, 50, "found, right")
    assert near(240, 50, "found, wrong")
    assert near(240, 160, "possible")


def test_the_files(items, tmp_path):
    compared, shown = run.evaluate(items, analyse)
    about = About("<drawn> ones", "classical", 0.5, ["a.json: granum A: polygon is None"])
    scores = report.write(tmp_path / "out", about, compared, shown)
    rows = read(tmp_path / "out" / "grana.csv")
    assert [row["outcome"] for row in rows][:3] == ["found", "possible", "wrong"]
    assert float(rows[0]["period_error_percent"]) == pytest.approx(2)
    rows = read(tmp_path / "out" / "micrographs.csv")
    assert [row["file"] for row in rows] == [*(f"generated_000{i}" for i in range(3)), "all"]
    assert float(rows[-1]["detection.recall"]) == pytest.approx(1 / 3, rel=1e-5)
    content = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert content["all"] == scores
    assert (content["detector"], content["least"]) == ("classical", 0.5)
    assert content["micrographs"][2]["error"].startswith("generated_0002: is too dark")

    page = Page((tmp_path / "out" / "report.html").read_text(encoding="utf-8"))
    assert not {"script", "link", "iframe"} & set(page.tags)
    kinds = [source.split(";")[0] for source in page.sources]
    assert kinds == ["data:image/svg+xml", "data:image/jpeg", "data:image/jpeg"]
    Image.open(io.BytesIO(base64.b64decode(page.sources[1].split(",")[1]))).verify()
    text = " ".join(page.cells)
    for words in ("<drawn> ones", "is too dark", "polygon is None", "33.3 %"):
        assert words in text


def test_nothing_found_makes_a_report_too(items, tmp_path):
    compared, shown = run.evaluate(items[1:2], analyse)
    report.write(tmp_path, About("one", "network", 0.4), compared, shown)
    assert Page((tmp_path / "report.html").read_text(encoding="utf-8")).cells
