"""Makes docs/review.png: the review app and its table on a drawn micrograph, in Chromium.

python benchmarks/review_picture.py [--out docs/review.png] [--seed 3] [--granum 10] [--views DIR]

With --views it also writes each view to a folder, at 1280 x 800 and 2560 x 1440, light and dark.

Needs: the review app and Chromium (pip install '.[dev]', playwright install chromium).
Takes: about 2 min on 2 cores.
Writes: --out FILE, by default docs/review.png; --views DIR: a picture a view.
"""

import argparse
import contextlib
import io
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image
from playwright.sync_api import Page, ViewportSize, sync_playwright

_SRD = [sys.executable, "-m", "srd_jax"]
_DEMO = [sys.executable, "-m", "srd_jax.review.server.worker.demo"]
_SIZE: ViewportSize = {"width": 1280, "height": 800}
_SIZES: tuple[ViewportSize, ...] = (_SIZE, {"width": 2560, "height": 1440})
_WIDTH, _GREYS, _COLOURS = 1000, 32, 96


def main() -> None:
    """Draws, analyses, decides, and takes the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("docs/review.png"))
    parser.add_argument("--seed", default="3")
    parser.add_argument("--granum", type=int, default=10, help="number of the selected one")
    parser.add_argument("--views", type=pathlib.Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        root = pathlib.Path(folder)
        answer = subprocess.check_output([*_DEMO, str(root / "leaf.png"), options.seed])
        address = stack.enter_context(_app(root))
        player = stack.enter_context(sync_playwright())
        path = shutil.which("chromium")
        browser = player.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport=_SIZE, color_scheme="light")
        page.set_default_timeout(300_000)
        page.goto(address)
        shots = [
            Image.open(io.BytesIO(one)) for one in _shots(page, json.loads(answer), options.granum)
        ]
        for size in _SIZES if options.views else ():
            for theme in ("light", "dark"):
                page = browser.new_page(viewport=size, color_scheme=theme)
                page.goto(address)
                _views(page, options.views, f"{size['width']}_{theme}")
                page.close()
        browser.close()
    _together(shots).save(options.out, optimize=True)


@contextlib.contextmanager
def _app(root: pathlib.Path):
    """Runs the app; yields its address."""
    given = ["app", str(root / "leaf.png"), "--workdir", str(root / "w"), "--port", "0"]
    process = subprocess.Popen(
        [*_SRD, *given, "--no-browser"], stdout=subprocess.PIPE, text=True, cwd=pathlib.Path()
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.wait(60)


def _shots(page: Page, drawn: dict[str, float], granum: int) -> list[bytes]:
    """Returns the views of the picture and of the table, with a granum selected."""
    page.wait_for_selector("body[data-ready]")
    page.get_by_test_id("tab-files").click()
    page.get_by_test_id("scale-kind-leaf").select_option("px_per_nm")
    with page.expect_response("**/api/settings"):
        page.get_by_test_id("scale-leaf").fill(str(drawn["px_per_nm"]))
        page.keyboard.press("Enter")
    with page.expect_response("**/api/settings"):
        page.get_by_test_id("group-leaf").fill("low light")
        page.keyboard.press("Enter")
    page.get_by_test_id("run-start").click()
    page.wait_for_selector('[data-testid="run-step"][data-state="done"]')
    with page.expect_response("**/tiles/**/*.jpg"):
        page.get_by_test_id("go-review").click()
    page.wait_for_selector("[data-testid^=outline-]")
    for revision in range(1, 5):
        page.keyboard.press("n")
        row = page.locator('[data-testid="granum-list"] [aria-selected="true"]')
        page.keyboard.press("a" if row.get_attribute("data-kind") == "ok" else "r")
        page.wait_for_selector(f'body[data-revision="{revision}"][data-saving="0"]')
    page.get_by_test_id(f"granum-{granum}").click()
    page.keyboard.press("0")
    page.wait_for_timeout(3000)  # until the view rests
    review = page.screenshot()
    page.get_by_test_id("tab-table").click()
    page.wait_for_timeout(2000)
    return [review, page.screenshot()]


def _views(page: Page, folder: pathlib.Path, name: str) -> None:
    """Writes a picture of each view."""
    folder.mkdir(parents=True, exist_ok=True)
    page.wait_for_selector("body[data-ready]")
    root = page.url.partition("#")[0]
    steps = {
        "files": ("#/files", ""),
        "review": ("#/review/leaf/9", ""),
        "edit": ("#/review/leaf/9", "fe"),
        "draw": ("#/review/leaf/9", "d"),
        "table": ("#/table/leaf/9", ""),
        "figures": ("#/figures", ""),
        "keys": ("#/files", "?"),
        "help": ("help", ""),
    }
    for view, (address, keys) in steps.items():
        page.goto(root + address)
        page.wait_for_selector("body[data-ready]")
        page.wait_for_timeout(1500)
        for key in keys:
            page.keyboard.press(key)
            page.wait_for_timeout(1200)
        page.screenshot(path=folder / f"{view}_{name}.png")
        page.keyboard.press("Escape")


def _together(shots: list[Image.Image]) -> Image.Image:
    """Returns pictures above each other, with few colours."""
    height = round(_WIDTH * _SIZE["height"] / _SIZE["width"])
    small = [one.convert("RGB").resize((_WIDTH, height), Image.Resampling.LANCZOS) for one in shots]
    both = Image.new("RGB", (_WIDTH, height * len(small) + 8 * (len(small) - 1)), "white")
    for index, one in enumerate(small):
        both.paste(one, (0, index * (height + 8)))
    return both.quantize(palette=_palette(both), dither=Image.Dither.NONE)


def _palette(picture: Image.Image) -> Image.Image:
    """Returns greys for the micrograph and the colours of the page, which are few pixels."""
    _, saturation, value = (np.asarray(one, int) for one in picture.convert("HSV").split())
    pixels = np.asarray(picture)[(saturation > 40) & (value > 60)]
    coloured = Image.fromarray(pixels[None]).quantize(_COLOURS).getpalette()
    greys = np.repeat(np.linspace(0, 255, _GREYS).round().astype(int), 3).tolist()
    made = Image.new("P", (1, 1))
    made.putpalette(greys + (coloured or []))
    return made


if __name__ == "__main__":
    main()
