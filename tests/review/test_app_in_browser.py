"""The page on the app itself: from a micrograph that is handed in to the tables of its review."""

import csv
import io
import zipfile

import numpy as np
import pytest

pytest.importorskip("playwright", reason="playwright isn't installed")

from helpers import analyses
from helpers.browser import browser, watched
from helpers.drawn_review import served
from helpers.review_page import at, click, drag, number, saved
from playwright.sync_api import expect

from srd_jax.analysis.output import records


@pytest.fixture
def page(tmp_path):
    with browser() as chromium, served(tmp_path / "w") as address:
        page = chromium.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(30_000)
        faults = watched(page, address.partition("?")[0])
        page.goto(address)
        page.wait_for_selector("body[data-ready]")
        yield page
        assert not faults


def analysed(page, path):
    """Hands in a micrograph, states its scale and group, and has it analysed."""
    page.get_by_test_id("upload").set_input_files(path)
    page.get_by_test_id("scale-kind-m0").select_option("px_per_nm")
    for field, text in (("scale-m0", "0,6"), ("group-m0", "wild type")):
        with page.expect_response("**/api/settings"):
            page.get_by_test_id(field).fill(text)
            page.keyboard.press("Enter")
    page.get_by_test_id("run-start").click()
    page.wait_for_selector('[data-testid="run-step"][data-state="done"]')
    page.get_by_test_id("go-review").click()


def listed(page):
    """Kinds of the grana in the list by their numbers."""
    rows = page.locator('[data-testid="granum-list"] [data-kind]')
    pairs = rows.evaluate_all("all => all.map(one => [one.dataset.testid, one.dataset.kind])")
    return {int(name.removeprefix("granum-")): kind for name, kind in pairs}


def downloaded(page, path):
    """Rows of the reviewed table by the granum, and all names in the zip."""
    with page.expect_download() as download:
        page.get_by_test_id("download").click()
    download.value.save_as(path)
    with zipfile.ZipFile(path) as packed:
        text = packed.read("srd/reviewed.csv").decode()
        return {int(row["granum"]): row for row in csv.DictReader(io.StringIO(text))}, {
            *packed.namelist()
        }


def test_from_an_upload_to_the_tables(page, tmp_path):
    analysed(page, analyses.write_micrographs(tmp_path, 1)[0])
    record = records.read(tmp_path / "w" / "records" / "m0.json")
    machine = {one.number: one for one in record.analysis.grana}
    first, second, third = (machine[n] for n in (1, 2, 3))
    assert record.analysis.px_per_nm == 0.6
    expect(page.locator("[data-testid^=outline-]")).to_have_count(len(machine))
    assert listed(page) == {n: one.status for n, one in machine.items()}

    # Accepted by a click on the picture and a key; the next one is rejected.
    click(page, first.x_px, first.y_px)
    page.keyboard.press("a")
    saved(page, 1)
    assert page.get_by_test_id("turned").evaluate(
        "one => one.decode().then(() => one.naturalWidth)"
    )
    page.keyboard.press("n")
    page.keyboard.press("r")
    saved(page, 2)

    # A corner is moved, measured anew, and taken back.
    area = number(page, "area_nm2")
    page.keyboard.press("e")
    (x, y), out = second.outline[0], np.array(second.outline[0]) - (second.x_px, second.y_px)
    drag(page, at(page, x, y), at(page, x + out[0] / 4, y + out[1] / 4))
    saved(page, 3)
    assert number(page, "area_nm2") > area
    page.keyboard.press("Escape")
    page.keyboard.press("Control+z")
    saved(page, 4)
    assert number(page, "area_nm2") == area
    assert listed(page)[2] == "rejected"

    # Cut across its middle into two new ones.
    page.get_by_test_id("granum-3").click()
    page.keyboard.press("k")
    ys = [y for _, y in third.outline]
    click(page, third.x_px, min(ys) - 8)
    click(page, third.x_px, max(ys) + 8)
    page.keyboard.press("Enter")
    saved(page, 5)
    parts = {len(machine) + 1, len(machine) + 2}
    assert listed(page).keys() == machine.keys() - {3} | parts

    page.get_by_test_id("tab-table").click()
    assert page.locator("[data-testid^=row-m0-]").count() == len(machine) + 1
    page.get_by_test_id("tab-figures").click()
    page.get_by_test_id("point-m0-1").wait_for(state="attached")
    assert page.get_by_test_id("point-m0-2").count() == 0

    rows, names = downloaded(page, tmp_path / "srd.zip")
    assert rows.keys() == machine.keys() - {3} | parts
    assert {row["group"] for row in rows.values()} == {"wild type"}
    assert [rows[n]["decision"] for n in (1, 2)] == ["accepted", "rejected"]
    assert [rows[n]["counts"] for n in (1, 2)] == ["yes", "no"]
    assert {rows[n]["origin"] for n in parts} == {"split"}
    assert float(rows[1]["area_nm2"]) == pytest.approx(first.area_px2.value / 0.36)
    halves = sum(float(rows[n]["area_px2"]) for n in parts)
    assert halves == pytest.approx(np.pi * 800, rel=0.01)
    assert {"srd/grana.csv", "srd/grana.xlsx", "srd/report.html", "srd/log.jsonl"} <= names

    # All of it is still there when the page is opened anew.
    page.goto(page.url.partition("#")[0] + "#/review/m0")
    page.reload()
    page.wait_for_selector("body[data-ready]")
    page.get_by_test_id("granum-1").wait_for()
    assert listed(page).keys() == rows.keys()
