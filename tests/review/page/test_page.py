"""The page around the picture: files, runs, table, figures, help, and what goes wrong."""

import hashlib
import pathlib
import re

import pytest

pytest.importorskip("playwright", reason="playwright isn't installed")

from helpers.fake_review import FakeReview
from helpers.review_page import click, saved
from playwright.sync_api import expect

import srd_jax

PAGE = pathlib.Path(srd_jax.__file__).parent / "review" / "page"
OWN = sorted(p for p in PAGE.rglob("*") if p.suffix in (".js", ".css", ".html"))


def test_vendored_files_are_those_that_were_taken():
    sums = PAGE / "vendor" / "openseadragon" / "SHA256SUMS"
    lines = [line.split() for line in sums.read_text().splitlines()]
    assert {name for _, name in lines} == {"LICENSE.txt", "openseadragon.min.js"}
    for digest, name in lines:
        assert hashlib.sha256((sums.parent / name).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.relative_to(PAGE).as_posix())
def test_pages_hold_no_inline_code_and_name_no_other_origin(path):
    if "vendor" in path.parts:
        return
    text = path.read_text()
    assert len(text.splitlines()) <= 300
    names = ("http://www.w3.org", "urn:srd:none")
    assert not [one for one in re.findall(r"(?:https?:)?//[\w.-]+\.\w+", text)
                if not one.startswith(names)]  # fmt: skip
    if path.suffix == ".html":
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text)


def test_files_are_taken_and_bad_ones_told(opened, server):
    page = opened("/#/files")
    files = [
        {"name": name, "mimeType": "image/png", "buffer": b"x" * 2000}
        for name in ("new.png", "notes.txt", "später & co.tif")
    ]
    page.get_by_test_id("upload").set_input_files(files)
    expect(page.get_by_test_id("upload-status")).to_have_text("2 files taken, 1 not.")
    expect(page.get_by_test_id("upload-errors")).to_contain_text("notes.txt is no micrograph")
    assert server.uploaded == [("new.png", 2000), ("später & co.tif", 2000)]
    expect(page.get_by_test_id("file-new")).to_contain_text("waits for the analysis")
    page.get_by_test_id("remove-new").click()
    expect(page.get_by_test_id("file-new")).to_have_count(0)
    page.get_by_test_id("folder").fill("/etc")
    page.get_by_test_id("folder-add").click()
    expect(page.get_by_test_id("notice-error")).to_contain_text("isn't below a folder")


def test_scales_and_groups_are_set_for_one_and_for_many(opened, server):
    page = opened("/#/files")
    page.get_by_test_id("demo").click()
    page.get_by_test_id("scale-kind-demo").select_option("bar_nm")
    page.get_by_test_id("scale-demo").fill("200")
    page.keyboard.press("Tab")
    expect(page.get_by_test_id("scale-demo")).to_have_value("200")
    page.get_by_test_id("check-all").check()
    page.get_by_test_id("bulk-group").fill("mutant")
    page.get_by_test_id("bulk-apply").click()
    expect(page.get_by_test_id("group-leaf")).to_have_value("mutant")
    assert server.review.settings == [
        {"demo": {"bar_nm": 200}},
        {name: {"group": "mutant"} for name in ("leaf", "root", "demo")},
    ]


def test_a_line_over_the_bar_gives_the_scale(opened, server):
    page = opened("/#/files")
    page.get_by_test_id("ruler-root").click()
    page.wait_for_selector('body[data-scale-ready="root"]')
    click(page, 100, 600, viewer="scale-viewer")
    click(page, 300, 604, viewer="scale-viewer")
    page.get_by_test_id("scale-nm").fill("250")
    page.get_by_test_id("scale-ok").click()
    expect(page.get_by_test_id("scale-dialog")).to_be_hidden()
    expect(page.get_by_test_id("file-root")).to_contain_text("0.8")
    bar = server.review.settings[0]["root"]["bar"]
    assert bar == {"px": pytest.approx(200, abs=2), "nm": 250}


def test_a_run_is_shown_stopped_and_its_grana_come(opened, server):
    page = opened("/#/files")
    expect(page.get_by_test_id("run-start")).to_be_disabled()
    page.get_by_test_id("demo").click()
    page.get_by_test_id("run-start").click()
    expect(page.get_by_test_id("run-step")).to_have_text("finding grana")
    expect(page.get_by_test_id("run")).to_contain_text("1 of 4")
    expect(page.get_by_test_id("run-left")).to_have_text("1 min left")
    page.get_by_test_id("run-stop").click()
    expect(page.get_by_test_id("run-step")).to_contain_text("what was finished is kept")
    outline = [(100, 100), (200, 100), (200, 180), (100, 180)]
    server.finish([(outline, 0, 12, "ok", "")])
    expect(page.get_by_test_id("file-demo")).to_contain_text("1 grana, 0 decided")
    page.get_by_test_id("open-demo").click()
    expect(page.locator(".grana .granum")).to_have_count(1)


def test_the_table_sorts_filters_and_leads_both_ways(opened):
    page = opened("/#/review/leaf/2")
    page.get_by_test_id("tab-table").click()
    rows = page.get_by_test_id("grana-table").locator("tbody tr")
    expect(rows).to_have_count(5)
    expect(page.get_by_test_id("row-leaf-2")).to_have_attribute("aria-selected", "true")
    page.get_by_test_id("sort-area_nm2").click()
    page.get_by_test_id("sort-area_nm2").click()
    expect(rows.first).to_have_attribute("data-testid", "row-leaf-3")
    page.get_by_test_id("filter-text").fill("root low")
    expect(rows).to_have_count(1)
    page.get_by_test_id("row-root-2").click()
    page.get_by_test_id("table-show-in-picture").click()
    expect(page.get_by_test_id("file-select")).to_have_value("root")
    expect(page.get_by_test_id("outline-2")).to_have_class(re.compile("selected"))
    assert page.url.endswith("#/review/root/2")


def test_long_tables_are_drawn_where_they_are_seen(opened, server, grey):
    outline = [(100, 100), (200, 100), (200, 180), (100, 180)]
    grana = [(outline, 0, 10 + number / 1000, "ok", "") for number in range(200)]
    files = {f"long{index}": (grey, 0.6, "", grana) for index in range(5)}
    many = FakeReview(files)
    for name in ("files", "past", "future"):
        getattr(server.review, name).update(getattr(many, name))
    page = opened("/#/table")
    table = page.get_by_test_id("grana-table")
    expect(table).to_have_attribute("aria-rowcount", "1006")
    assert 20 < table.locator("tbody tr").count() < 100
    row = page.get_by_test_id("row-root-2")
    table.focus()
    page.keyboard.press("End")
    expect(row).to_be_in_viewport()
    expect(row).to_have_attribute("aria-selected", "true")
    expect(row).to_have_attribute("aria-rowindex", "1006")
    assert table.get_attribute("aria-activedescendant") == row.get_attribute("id")
    page.keyboard.press("PageUp")
    expect(table.locator('[aria-selected="true"]')).to_be_in_viewport()
    page.get_by_test_id("sort-srd_nm").click()
    page.get_by_test_id("sort-srd_nm").click()
    page.get_by_test_id("filter-text").fill("long3")
    table.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("detail-title")).to_have_text("Granum 199")
    assert page.url.endswith("#/review/long3/199")


def test_what_others_change_meanwhile_is_shown_in_the_table(opened, server):
    page = opened("/#/table")
    expect(page.get_by_test_id("row-root-1")).to_be_visible()
    server.wakes.clear()  # nobody is told in time
    server.review.edit("root", 1, "of another person", {"do": "reject", "granum": 1})
    page.get_by_test_id("row-leaf-1").click()
    page.keyboard.press("a")
    saved(page, 3)
    expect(page.get_by_test_id("row-root-1")).to_have_class("kind-rejected")


def test_a_point_of_the_figure_leads_to_its_granum(opened):
    page = opened("/#/figures")
    expect(page.get_by_test_id("figure-quantity")).to_have_value("srd_nm")
    page.get_by_test_id("point-root-2").click()
    expect(page.get_by_test_id("detail-title")).to_have_text("Granum 2")
    assert page.url.endswith("#/review/root/2")
    assert page.evaluate("window.hostile") is None


def test_another_tab_is_seen_and_a_stale_edit_is_told(opened, server):
    page, other = opened("/#/review/leaf/1"), opened("/#/review/leaf/1")
    other.keyboard.press("a")
    saved(page, 2)
    expect(page.get_by_test_id("granum-1")).to_have_attribute("data-kind", "accepted")
    server.wake = lambda: None  # nobody is told in time
    server.review.revision += 1
    server.review.files["leaf"]["file"]["revision"] += 1
    page.keyboard.press("r")
    expect(page.get_by_test_id("notice-warn")).to_contain_text("changed in another tab")
    saved(page, 3)
    page.keyboard.press("r")
    saved(page, 4)
    expect(page.get_by_test_id("granum-1")).to_have_attribute("data-kind", "rejected")


def test_a_lost_connection_is_seen_until_it_is_back(opened, server):
    page = opened("/#/review/leaf/1")
    server.down = True
    server.wake()
    expect(page.get_by_test_id("banner")).to_contain_text("Connection lost")
    server.down = False
    expect(page.get_by_test_id("banner")).to_be_hidden()
    page.keyboard.press("a")
    saved(page, 2)


def test_an_answer_lost_on_its_way_is_asked_for_again(opened, server):
    edits = []

    def once(route):
        edits.append(route.request.post_data_json)
        if len(edits) > 1:
            route.continue_()
        else:
            route.fetch()
            route.abort()

    page = opened("/#/review/leaf/1", lambda page: page.route("**/edits", once))
    page.keyboard.press("a")
    saved(page, 2)
    assert edits[0] == edits[1]
    assert len(server.review.seen) == 1


def test_the_theme_stays_and_the_help_tells_the_columns(opened):
    page = opened()
    page.get_by_test_id("theme").click()
    page.get_by_test_id("theme").click()
    page.reload()
    page.wait_for_selector("body[data-ready]")
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    page = opened("/help")
    expect(page.get_by_test_id("help-columns").locator("tr")).to_have_count(8)
    expect(page.get_by_test_id("help")).to_contain_text("don't trust this value unseen")
