"""The review page in tests: places of the picture on the screen, and what it shows."""

import time
import weakref

_APART = 0.35  # s
_clicked = weakref.WeakKeyDictionary()


def at(page, x, y, viewer="viewer"):
    """Returns the place on the screen of a point in px of the micrograph, once the view rests."""
    script = """([id]) => new Promise((resolve) => {
        const box = document.querySelector(`[data-testid=${id}]`);
        let last = "", same = 0;
        const look = () => {
            const now = box.querySelector(".world").getAttribute("transform") ?? "";
            same = now && now === last ? same + 1 : 0;
            last = now;
            if (same < 5) return requestAnimationFrame(look);
            const { left, top } = box.getBoundingClientRect();
            resolve([left, top, ...now.match(/-?[\\d.]+(e-?\\d+)?/g).map(Number)]);
        };
        look();
    })"""
    left, top, zoom, _, _, _, right, down = page.evaluate(script, [viewer])
    return left + right + zoom * x, top + down + zoom * y


def click(page, x, y, **more):
    """Clicks a point of the micrograph; apart from the last click, so that it is no double one."""
    place = at(page, x, y, **more)
    since = time.monotonic() - _clicked.get(page, 0.0)
    if since < _APART:
        page.wait_for_timeout(1000 * (_APART - since))
    page.mouse.click(*place)
    _clicked[page] = time.monotonic()


def drag(page, start, end):
    """Drags from a place on the screen to another."""
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    page.mouse.move(*end)
    page.mouse.up()


def saved(page, revision):
    """Waits until an edit has come back."""
    page.wait_for_selector(f'body[data-revision="{revision}"][data-saving="0"]')


def number(page, name):
    """Returns a value in the panel of the granum."""
    return float(page.get_by_test_id(f"value-{name}").locator(".now").get_attribute("data-value"))
