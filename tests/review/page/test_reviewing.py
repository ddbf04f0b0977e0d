"""The view of a picture: selection, decisions, edits, undo; over a server in memory."""

import re

import pytest

pytest.importorskip("playwright", reason="playwright isn't installed")

from helpers.review_page import at, click, drag, number, saved
from playwright.sync_api import expect


def kinds(page):
    return [one.get_attribute("data-kind") for one in page.locator(".row[role=option]").all()]


def holding_first(held):
    """A handler of requests that puts the first one into a list, and lets the others go on.

    It is there from the page's start: a browser may miss one that comes in while it works.
    """

    def handle(route):
        if held:
            route.continue_()
        else:
            held.append(route)

    return handle


def test_outlines_and_rows_show_every_granum_by_more_than_colour(opened):
    page = opened()
    expect(page.locator(".grana .granum")).to_have_count(3)
    assert kinds(page) == ["ok", "low_confidence", "error"]
    assert page.locator(".label text").all_text_contents() == ["1", "2 ?", "3 !"]
    dashes = {
        one.evaluate("node => getComputedStyle(node).strokeDasharray")
        for one in page.locator(".granum .line").all()
    }
    assert len(dashes) == 3


def test_a_click_selects_and_the_panel_follows(opened):
    page = opened()
    click(page, 600, 400)
    expect(page.get_by_test_id("detail-title")).to_have_text("Granum 3")
    expect(page.get_by_test_id("detail-reason")).to_have_text("sd is large")
    expect(page.get_by_test_id("turned")).to_have_js_property("complete", True)
    assert page.get_by_test_id("turned").evaluate("image => image.naturalWidth") > 0
    assert number(page, "area_nm2") == pytest.approx(160 * 90 / 0.36)
    click(page, 850, 60)
    expect(page.get_by_test_id("detail-title")).to_be_hidden()


def test_keys_alone_decide_and_take_back(opened, server):
    page = opened()
    for key in ("n", "a", "n", "r", "n", "p"):
        page.keyboard.press(key)
    saved(page, 3)
    assert kinds(page) == ["accepted", "rejected", "error"]
    assert [op["do"] for op in server.review.seen] == ["accept", "reject"]
    page.keyboard.press("Control+z")
    saved(page, 4)
    page.keyboard.press("Control+z")
    saved(page, 5)
    assert kinds(page) == ["ok", "low_confidence", "error"]
    page.keyboard.press("Control+y")
    saved(page, 6)
    page.reload()
    page.wait_for_selector("body[data-ready]")
    assert kinds(page) == ["accepted", "low_confidence", "error"]


def test_keys_are_ignored_in_fields(opened, server):
    page = opened("/#/review/leaf/1")
    page.get_by_test_id("period-input").fill("")
    page.get_by_test_id("period-input").type("ar")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("notice-warn")).to_contain_text("a number above 0")
    assert server.review.seen == []


def test_corners_are_moved_added_and_removed(opened, server):
    page = opened("/#/review/leaf/1")
    page.keyboard.press("e")
    expect(page.get_by_test_id("vertex-3")).to_be_attached()
    drag(page, at(page, 140, 110), at(page, 100, 110))
    saved(page, 2)
    assert number(page, "area_nm2") == pytest.approx((120 * 80 + 40 * 80 / 2) / 0.36, rel=0.01)
    drag(page, at(page, 260, 150), at(page, 262, 150))
    saved(page, 3)
    assert len(server.review.seen[-1]["outline"]) == 5
    page.mouse.click(*at(page, 262, 150), button="right")
    saved(page, 4)
    assert len(server.review.seen[-1]["outline"]) == 4
    page.get_by_test_id("vertex-1").focus()
    page.keyboard.press("Shift+ArrowUp")
    saved(page, 5)
    assert server.review.seen[-1]["outline"][1] == pytest.approx([260, 100], abs=0.6)
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("vertex-1")).to_have_count(0)


def test_an_outline_moves_at_once_and_waits_for_its_numbers(opened, server):
    held = []
    page = opened("/#/review/leaf/1", lambda page: page.route("**/edits", holding_first(held)))
    area = number(page, "area_nm2")
    page.keyboard.press("e")
    drag(page, at(page, 140, 110), at(page, 100, 110))
    outline = page.get_by_test_id("outline-1")
    expect(outline).to_have_class(re.compile("measuring"))
    assert outline.locator(".line").get_attribute("d").startswith(("M100", "M99.", "M100."))
    expect(page.get_by_test_id("measuring")).to_be_visible()
    assert number(page, "area_nm2") == area
    # What is pressed meanwhile follows in order.
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    expect(page.get_by_test_id("granum-1")).to_have_attribute("data-kind", "accepted")
    held[0].continue_()
    saved(page, 3)
    expect(outline).not_to_have_class(re.compile("measuring"))
    assert number(page, "area_nm2") > area
    assert [op["do"] for op in server.review.seen] == ["outline", "accept"]


def test_what_follows_a_refused_outline_is_not_applied(opened, server):
    held = []
    page = opened("/#/review/leaf/1", lambda page: page.route("**/edits", holding_first(held)))
    page.keyboard.press("e")
    drag(page, at(page, 140, 110), at(page, 290, 150))
    page.keyboard.press("Escape")
    for key in ("a", "n", "r"):
        page.keyboard.press(key)
    held[0].continue_()
    saved(page, 2)
    expect(page.get_by_test_id("notice-error")).to_contain_text("Not applied either: 1 later step")
    assert [(op["do"], op["granum"]) for op in server.review.seen] == [("reject", 2)]
    assert kinds(page) == ["ok", "rejected", "error"]


def test_keys_before_the_picture_wait_for_it(opened, server):
    held = []
    page = opened(prepare=lambda page: page.route("**/info.json", holding_first(held)))
    expect(page.get_by_test_id("opening")).to_be_visible()
    expect(page.get_by_test_id("tool-draw")).to_be_disabled()
    for key in ("n", "a", "e", ".", "Shift+ArrowUp", "+", "0"):
        page.keyboard.press(key)
    saved(page, 2)  # which needs no picture
    assert page.locator(".handle").count() == 0
    held[0].continue_()
    saved(page, 3)
    assert [op["do"] for op in server.review.seen] == ["accept", "outline"]
    assert server.review.seen[1]["outline"][1] == pytest.approx([260, 100])
    expect(page.get_by_test_id("opening")).to_be_hidden()


def test_a_picture_that_cannot_be_shown_leaves_the_outlines(opened):
    answer = {"status": 422, "json": {"error": "leaf.tif: cannot be shown"}}
    page = opened(
        prepare=lambda page: page.route("**/info.json", lambda route: route.fulfill(**answer))
    )
    expect(page.get_by_test_id("notice-error")).to_contain_text("cannot be shown")
    click(page, 600, 400)
    expect(page.get_by_test_id("detail-title")).to_have_text("Granum 3")


def test_a_corner_is_saved_where_it_was_moved(opened, server):
    page = opened("/#/review/leaf/1")
    page.keyboard.press("e")
    page.get_by_test_id("vertex-1").focus()
    page.keyboard.press("Shift+ArrowUp")
    page.get_by_test_id("file-select").select_option("root")
    saved(page, 2)
    moved = {name: one["grana"][1]["origin"] for name, one in server.review.files.items()}
    assert moved == {"leaf": "edited", "root": "machine"}


def test_a_refused_outline_goes_back_and_is_told(opened, server):
    page = opened("/#/review/leaf/1")
    page.keyboard.press("e")
    before = page.get_by_test_id("outline-1").locator(".line").get_attribute("d")
    drag(page, at(page, 140, 110), at(page, 290, 150))
    expect(page.get_by_test_id("notice-error")).to_contain_text("crosses itself")
    expect(page.locator(".draft")).to_have_attribute("d", before)
    assert server.review.revision == 1


def test_a_granum_is_drawn_and_corners_taken_back(opened, server):
    page = opened()
    page.keyboard.press("d")
    for place in ((600, 100), (700, 100), (790, 60)):
        click(page, *place)
    page.keyboard.press("Backspace")
    click(page, 700, 180)
    click(page, 600, 180)
    page.keyboard.press("Enter")
    saved(page, 2)
    expect(page.get_by_test_id("detail-title")).to_have_text("Granum 4")
    assert number(page, "area_nm2") == pytest.approx(100 * 80 / 0.36, rel=0.02)
    page.keyboard.press("d")
    click(page, 500, 600)
    page.keyboard.press("Escape")
    expect(page.locator(".draft")).to_have_count(0)
    assert len(server.review.seen) == 1


def test_a_granum_is_drawn_without_a_mouse(opened, server):
    page = opened()
    page.keyboard.press("d")
    for arrow in ("ArrowLeft", "ArrowDown", "ArrowRight"):
        for _ in range(6):
            page.keyboard.press(arrow)
        page.keyboard.press("Space")
    page.keyboard.press("Enter")
    saved(page, 2)
    assert len(server.review.seen[0]["outline"]) == 3


def test_a_cut_makes_two_and_a_bad_one_is_refused(opened, server):
    page = opened("/#/review/leaf/3")
    page.keyboard.press("k")
    click(page, 590, 395)
    click(page, 610, 405)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("notice-error")).to_contain_text("accepted are exactly two")
    page.keyboard.press("k")
    click(page, 600, 300)
    click(page, 600, 500)
    page.keyboard.press("Enter")
    saved(page, 2)
    assert sorted(server.review.files["leaf"]["grana"]) == [1, 2, 4, 5]
    page.keyboard.press("Control+z")
    saved(page, 3)
    expect(page.locator(".grana .granum")).to_have_count(3)


def test_neighbours_are_joined_by_click_and_by_key(opened, server):
    page = opened("/#/review/leaf/1")
    page.keyboard.press("j")
    click(page, 280, 150)
    saved(page, 2)
    assert sorted(server.review.files["leaf"]["grana"]) == [3, 4]
    page.keyboard.press("Control+z")
    saved(page, 3)
    page.get_by_test_id("granum-1").click()
    for key in ("j", "n", "Enter"):
        page.keyboard.press(key)
    saved(page, 4)
    assert server.review.seen[-1] == {"do": "join", "grana": [1, 2]}


def test_the_handle_turns_the_direction(opened, server):
    page = opened("/#/review/leaf/1")
    page.keyboard.press("t")
    end = at(page, 200, 90)  # first: the handle's place counts once the view rests
    box = page.get_by_test_id("direction-1").bounding_box()
    drag(page, (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2), end)
    saved(page, 2)
    assert server.review.seen[-1]["direction_deg"] == pytest.approx(90, abs=1)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    saved(page, 3)
    assert server.review.seen[-1]["direction_deg"] == pytest.approx(91, abs=1)
    page.get_by_test_id("direction-reset").click()
    saved(page, 4)
    assert number(page, "direction_deg") == 0


def test_a_period_by_hand_is_marked_beside_the_machines(opened, server):
    page = opened("/#/review/leaf/1")
    page.get_by_test_id("period-input").fill("24,5")
    page.keyboard.press("Enter")
    saved(page, 2)
    assert server.review.seen == [{"do": "period", "granum": 1, "period_px": pytest.approx(14.7)}]
    row = page.get_by_test_id("value-srd_nm")
    expect(row.locator(".machine")).to_have_text("20.00")
    expect(row.locator(".now")).to_have_text(re.compile("24.50.*✎"))


def test_delete_works_from_the_list_and_comes_back(opened, server):
    page = opened()
    page.get_by_test_id("granum-2").click()
    page.keyboard.press("Delete")
    saved(page, 2)
    expect(page.get_by_test_id("detail-title")).to_have_text("Granum 3")
    page.keyboard.press("Control+z")
    saved(page, 3)
    expect(page.get_by_test_id("granum-2")).to_be_visible()


def test_outlines_are_hidden_and_keys_are_listed(opened):
    page = opened()
    expect(page.get_by_test_id("outline-1")).to_be_visible()
    page.keyboard.press("x")
    expect(page.get_by_test_id("outline-1")).to_be_hidden()
    page.keyboard.press("?")
    expect(page.get_by_test_id("keys")).to_contain_text("cut in two")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("keys")).to_be_hidden()
