"""Micrographs with scale bars and information strips, drawn by Pillow; no part of the finders."""

import dataclasses
import functools
import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

KINDS = ("plain", "outlined", "ticks", "segments", "outlined segments", "two rows", "box")


@dataclasses.dataclass(frozen=True)
class Drawn:
    """A micrograph and its truth: length of the bar, px, 0 for none; rows of its strips."""

    grey: np.ndarray
    length: float
    above: int
    below: int
    kind: str


def texture(random, rows, columns):
    """Cells as an electron microscope shows them, roughly: grain, blobs, stripes, empty resin."""
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    noise = random.normal(size=(rows, columns)).astype(np.float32)
    grey = np.full((rows, columns), random.uniform(80, 190), np.float32)
    for blur in (random.uniform(2, 6), random.uniform(15, 60)):
        blob = ndimage.gaussian_filter(random.normal(size=(rows, columns)).astype("f4"), blur)
        grey += random.uniform(8, 30) * blob / blob.std()
    for _ in range(random.integers(0, 6)):  # grana, some of them with level lamellae
        turn = random.choice([0.0, random.uniform(0, np.pi)])
        u = np.cos(turn) * (y - random.uniform(0, rows)) - np.sin(turn) * (x - columns / 2)
        v = np.sin(turn) * y + np.cos(turn) * (x - random.uniform(0, columns))
        # Membranes don't end along a line.
        v += ndimage.gaussian_filter1d(random.normal(size=rows), 1)[:, None] * 6
        ends = np.clip((random.uniform(30, 150) - np.abs(v)) / 5, 0, 1)
        inside = ends * np.clip((random.uniform(20, 90) - np.abs(u)) / 5, 0, 1)
        stripes = np.cos(2 * np.pi * u / random.uniform(5, 22))
        grey += inside * (random.uniform(10, 50) * stripes - random.uniform(0, 40))
    for _ in range(random.integers(0, 3)):  # empty resin, vacuoles, dirt
        r, c = random.uniform(0, rows), random.uniform(0, columns)
        a, b = random.uniform(20, rows / 2), random.uniform(20, columns / 2)
        edge = ndimage.gaussian_filter(random.normal(size=(rows, columns)).astype("f4"), 6)
        inside = ((y - r) / a) ** 2 + ((x - c) / b) ** 2 + 0.1 * edge / edge.std() < 1
        share = ndimage.gaussian_filter(inside.astype(np.float32), 1)
        grey += share * (random.choice([20.0, 235.0, 300.0]) - grey)
    if random.random() < 0.2:  # an even corner
        grey[x + y < random.uniform(50, 300)] = 128
    grain = ndimage.gaussian_filter(noise, random.choice([0.0, 0.0, 0.6, 1.2]))
    grey += random.choice([1.0, 4.0, 12.0, 25.0]) * grain / grain.std()
    return np.clip(grey, 0, 255).astype(np.uint8)


@functools.lru_cache(200)
def _ground(seed):
    """The texture of a seed, which takes most of the time, and the state of the random numbers."""
    random = np.random.default_rng(seed)
    rows, columns = random.integers(300, 1100), random.integers(400, 1400)
    return texture(random, rows, columns), random.bit_generator.state


def draw(seed, bar=True):
    """Draws a micrograph by a seed, with a bar or without."""
    random = np.random.default_rng(seed)
    ground, random.bit_generator.state = _ground(seed)
    rows, columns = ground.shape
    image = Image.fromarray(ground)
    where = random.choice(["picture", "below", "above"], p=[0.55, 0.35, 0.1])
    strip = 0
    if where != "picture":
        strip = int(random.integers(36, max(40, rows // 5)))
        paper = int(random.choice([0, 255, 200]))
        whole = Image.new("L", (columns, rows + strip), paper)
        whole.paste(image, (0, strip if where == "above" else 0))
        image = whole
    top = {"picture": 0, "below": rows, "above": 0}[where]
    height = strip or rows
    length, kind = 0.0, "none"
    if strip:
        _text(image, random, (columns * 0.45, top + 4), 255 - paper if paper else 255)
        if paper == 0 and random.random() < 0.3:
            place = rows if where == "below" else strip - 1
            ImageDraw.Draw(image).line([(0, place), (columns, place)], 255)
    if bar:
        kind = str(random.choice(KINDS[:-1] if strip else KINDS))
        length = _bar(image, random, kind, (top, height), int(paper) if strip else None)
    scale = random.choice([1.0, 1.0, 1.0, random.uniform(0.6, 1.4)])
    if scale != 1:
        size = round(image.width * scale), round(image.height * scale)
        length *= size[0] / image.width
        strip = strip * size[1] / image.height
        image = image.resize(size, Image.Resampling.BICUBIC)
    if random.random() < 0.4:
        stream = io.BytesIO()
        image.save(stream, "jpeg", quality=int(random.integers(70, 96)))
        image = Image.open(stream)
    grey = np.asarray(image)
    above, below = (strip if where == side else 0 for side in ("above", "below"))
    return Drawn(grey, length, above, below, f"{kind} {where} {scale:.2f}")


def _bar(image, random, kind, rows, paper):
    """Draws a bar; returns its length."""
    pen = ImageDraw.Draw(image)
    segmented = "segments" in kind or kind == "two rows"
    count = int(random.choice([3, 5, 7] if kind.startswith("outlined") else [4, 5, 6, 10]))
    length = int(random.integers(max(50, 0.06 * image.width), 0.3 * image.width))
    high = int(random.integers(2, 5) if kind == "ticks" else random.integers(3, 13))
    if segmented:
        length, high = min(max(length // count, 14), 0.35 * image.width // count) * count, high + 3
    length = int(length)
    column, row, dark = _place(image, random, (length, high), rows, paper, segmented)
    ink = 255 if dark or paper == 0 else 0
    other = 255 - ink
    right, low = column + length - 1, row + high - 1
    side = int(random.integers(1, 3))
    if kind == "box":
        ink, other = 0, 255
        pen.rectangle([column - 9, row - 8, right + 9, low + 26], other)
    if kind.startswith("outlined"):
        pen.rectangle([column - side, row - side, right + side, low + side], other)
    pen.rectangle([column, row, right, low], ink)
    if kind == "ticks":
        for place in (column, right - 1):
            pen.rectangle([place, row - 5, place + 1, low + 5], ink)
    if segmented:
        each, half = length // count, row + high // 2
        parts = [(row, half - 1), (half, low)] if kind == "two rows" else [(row, low)]
        for index in range(count):
            for part, (first, last) in enumerate(parts):
                shown = ink if (index + part) % 2 == 0 else other
                left = column + index * each
                pen.rectangle([left, first, left + each - 1, last], shown)
        if paper is not None:
            pen.rectangle([column, row, right, low], None, ink)
    if random.random() < 0.8:
        _text(
            image, random, (column + length * 0.3, low + 4 + 4 * (kind == "ticks")), ink, "200 nm"
        )
    return float(length)


def _place(image, random, size, rows, paper, both):
    """Returns column and row of a bar where it can be seen, and whether the picture is dark."""
    (length, high), (top, height), grey = size, rows, np.asarray(image)
    if paper is not None:
        last = max(13, int(0.43 * image.width) - length)
        row = top + int(random.integers(8, max(9, height - high - 22)))
        return int(random.integers(12, last)), row, False
    for _ in range(200):
        column = int(random.integers(12, image.width - length - 12))
        row = int(random.integers(15, height - high - 35))
        around = grey[row - 8 : row + high + 8, column - 8 : column + length + 8]
        low, high_value = np.percentile(around, (10, 90))
        seen = (low > 60 and high_value < 195) if both else (high_value < 170 or low > 85)
        if seen:
            return column, row, bool(high_value < 170)
    return column, row, True


def _text(image, random, place, ink, text="HV=80.0kV  Mag 20000x  27/11/2017"):
    font = ImageFont.load_default(int(random.integers(11, 18)))
    ImageDraw.Draw(image).text(place, text, ink, font)
