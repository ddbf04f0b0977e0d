"""Measures how fast the review app is for a person, in Chromium, on a large drawn micrograph.

python benchmarks/review_speed.py [--seed=0] [--size 3218x4800]

The micrograph is handed in, analysed and reviewed as by hand: the time from the drop to the table,
for a granum to be selected with its traced lamellae, for a corner to be moved and measured, and
the frames a second while the picture is panned and zoomed (of `requestAnimationFrame`).

Needs: the review app and Chromium (pip install '.[dev]', playwright install chromium).
Takes: about 3 min on 2 cores.
Writes: times to the terminal.
"""

import argparse
import itertools
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import tifffile
from analyse import PX_PER_NM, mosaic, tiles
from playwright.sync_api import Page, sync_playwright

_FRAMES = """() => {
    window.frames_seen = [];
    const look = (now) => (window.frames_seen.push(now), requestAnimationFrame(look));
    requestAnimationFrame(look);
}"""
_SHOWN = """(before) => document.body.dataset.selected !== before
    && document.querySelector('[data-testid="turned"]')?.complete"""
_TIMES = 10


def write(path: pathlib.Path, size: tuple[int, int], seed: int) -> None:
    """Writes a mosaic of drawn micrographs, whose scale the file states."""
    resolution = (PX_PER_NM * 1e7, PX_PER_NM * 1e7)
    grey = mosaic(size, tiles(6, seed))
    tifffile.imwrite(path, grey, resolution=resolution, resolutionunit="CENTIMETER", software=False)


def seconds(action: Callable[[], object]) -> float:
    """Returns how long an action takes."""
    begun = time.monotonic()
    action()
    return time.monotonic() - begun


def to_the_table(page: Page, path: pathlib.Path) -> None:
    """Hands in a micrograph, has it analysed, and opens the table."""
    page.get_by_test_id("upload").set_input_files(path)
    page.get_by_test_id("run-start").click()
    page.wait_for_selector('[data-testid="run-step"][data-state="done"]')
    page.get_by_test_id("tab-table").click()
    page.wait_for_selector("[data-testid^=row-]")


def select_next(page: Page) -> None:
    """Selects the next granum and waits for its picture."""
    before = page.evaluate("document.body.dataset.selected")
    page.keyboard.press("n")
    page.wait_for_function(_SHOWN, arg=before, polling=10)


def move_corner(page: Page, revision: int) -> None:
    """Drags a corner of the selected outline by 4 px, and waits until it is measured anew."""
    box = page.locator("[data-testid^=vertex-]").first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 4, y - 4, steps=4)
    page.mouse.up()
    page.wait_for_selector(f'body[data-revision="{revision}"][data-saving="0"]')


def frames(page: Page, move: Callable[[], None]) -> tuple[float, float]:
    """Returns frames a second while the picture is moved, and the longest frame, ms."""
    page.evaluate("window.frames_seen = []")
    move()
    seen = page.evaluate("window.frames_seen")
    gaps = [after - before for before, after in itertools.pairwise(seen)]
    return 1000 * len(gaps) / sum(gaps), max(gaps)


def pan(page: Page) -> None:
    """Drags the picture back and forth."""
    page.mouse.move(400, 400)
    page.mouse.down()
    for turn in range(6):
        page.mouse.move(400 + (150 if turn % 2 else -150), 400 + 20 * turn, steps=30)
    page.mouse.up()


def zoom(page: Page) -> None:
    """Turns the wheel in and out."""
    page.mouse.move(400, 400)
    for turn in range(60):
        page.mouse.wheel(0, -120 if turn % 20 < 10 else 120)
        page.wait_for_timeout(30)


def measure(page: Page, path: pathlib.Path) -> None:
    """Prints a line for each figure."""
    print(f"drop to table: {seconds(lambda: to_the_table(page, path)):.1f} s", flush=True)
    page.get_by_test_id("tab-review").click()
    page.wait_for_selector("[data-testid^=outline-]")
    print(f"grana: {page.locator('[data-testid^=outline-]').count()}", flush=True)
    page.wait_for_timeout(3000)  # until the view rests
    times = [seconds(lambda: select_next(page)) for _ in range(_TIMES)]
    print(f"select: median {statistics.median(times):.2f} s, most {max(times):.2f} s", flush=True)
    page.keyboard.press("f")
    page.keyboard.press("e")
    page.wait_for_timeout(3000)
    times = [seconds(lambda r=r: move_corner(page, r)) for r in range(1, _TIMES + 1)]
    print(f"edit: median {statistics.median(times):.2f} s, most {max(times):.2f} s", flush=True)
    page.keyboard.press("Escape")
    page.evaluate(_FRAMES)
    for name, move in (("pan", pan), ("zoom", zoom)):
        rate, longest = frames(page, lambda move=move: move(page))
        print(f"{name}: {rate:.0f} frames a second, longest {longest:.0f} ms", flush=True)


def main() -> None:
    """Draws the micrograph, starts app and browser, and measures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", default="3218x4800")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rows, columns = map(int, options.size.split("x"))
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        write(folder / "large.tif", (rows, columns), options.seed)
        command = [sys.executable, "-m", "srd_jax", "app", "--workdir", str(folder / "w")]
        server = subprocess.Popen(
            [*command, "--port", "0", "--no-browser"], stdout=subprocess.PIPE, text=True
        )
        try:
            assert server.stdout is not None
            address = server.stdout.readline().split()[-1]
            with sync_playwright() as player:
                path = shutil.which("chromium")
                browser = player.chromium.launch(executable_path=path, args=["--no-sandbox"])
                page = browser.new_page(viewport={"width": 1280, "height": 800})
                page.set_default_timeout(600_000)
                page.goto(address)
                page.wait_for_selector("body[data-ready]")
                measure(page, folder / "large.tif")
                browser.close()
        finally:
            server.terminate()
            server.wait(60)


if __name__ == "__main__":
    main()
