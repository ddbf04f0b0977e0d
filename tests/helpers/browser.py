"""A headless Chromium in tests, which refuses requests elsewhere and keeps errors of pages."""

import contextlib
import pathlib
import shutil

import pytest


def chromium():
    """Returns the path of Chromium; skips the test where there is none."""
    pytest.importorskip("playwright", reason="playwright isn't installed")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("there is no chromium: apt-get install chromium")
    # Debian's script adds flags of the desktop; the program alone starts faster.
    real = pathlib.Path("/usr/lib/chromium/chromium")
    return str(real if real.exists() else path)


@contextlib.contextmanager
def browser():
    """Starts Chromium."""
    path = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as player:
        started = player.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield started
        finally:
            started.close()


def watched(page, own):
    """Returns the list of what a page must not do: requests elsewhere, errors, in words."""
    faults = []

    def on_request(request):
        if not request.url.startswith((own, "data:", "blob:")):
            faults.append(f"request of {request.url}")

    def on_console(message):
        # A refused request is told by the browser, too, whatever the page makes of it.
        if message.type == "error" and "Failed to load resource" not in message.text:
            faults.append(message.text)

    page.on("request", on_request)
    page.on("console", on_console)
    page.on("pageerror", lambda error: faults.append(str(error)))
    return faults
