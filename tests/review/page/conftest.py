import contextlib

import pytest
from helpers.browser import browser, watched
from helpers.fake_review import FakeReview
from helpers.fake_review_server import FakeServer
from helpers.micrographs import Stack, drawn

# The first two are neighbours, 4 px apart.
STACKS = (
    Stack(200, 150, 120, 80, 0, 12),
    Stack(324, 150, 120, 80, 0, 12),
    Stack(600, 400, 160, 90, 30, 13),
)
STATUSES = ("ok", "low_confidence", "error")


def rectangle(stack):
    x, y, u, v = stack.x, stack.y, stack.width / 2, stack.height / 2
    return [(x - u, y - v), (x + u, y - v), (x + u, y + v), (x - u, y + v)]


def grana(count=3):
    return [
        (rectangle(one), one.direction, one.period, status, "" if status == "ok" else "sd is large")
        for one, status in zip(STACKS[:count], STATUSES, strict=False)
    ]


@pytest.fixture(scope="session")
def grey():
    return drawn(STACKS, shape=(700, 900)).grey


# Not of the session: until it ends, no other test in its thread can run an event loop.
@pytest.fixture(scope="module")
def chromium():
    with browser() as started:
        yield started


@pytest.fixture
def server(grey, chromium):
    files = {"leaf": (grey, 0.6, "light", grana()), "root": (grey, 0.6, "dark", grana(2))}
    served = FakeServer(FakeReview(files))
    with served.running() as address:
        served.address = address
        yield served


@pytest.fixture
def opened(server, chromium):
    """Opens pages at an address of the app; a page's faults fail the test at its end."""
    with contextlib.ExitStack() as stack:
        faults = []

        def open_page(path="/#/review/leaf", prepare=lambda page: None, **context):
            context = chromium.new_context(viewport={"width": 1280, "height": 800}, **context)
            stack.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(15_000)
            faults.append(watched(page, server.address))
            prepare(page)
            page.goto(server.address + path)
            page.wait_for_selector("body[data-ready]")
            return page

        yield open_page
        assert not [one for of_page in faults for one in of_page]
