"""Micrographs, and results for them, drawn from a seed: a pipeline without detector and method."""

import dataclasses
import pathlib
import zlib

import numpy as np
from PIL import Image

from srd_jax.analysis.granum import Analysis, Granum, Strain, Value
from srd_jax.imaging.crop import Crop
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.support.errors import InputError


@dataclasses.dataclass(frozen=True)
class Analysed:
    analysis: Analysis
    crops: dict[int, Crop]


def ellipse(x, y, along, across, degrees, points=60):
    """The outline of an ellipse whose long axis runs counter-clockwise from the horizontal."""
    turns = np.linspace(0, 2 * np.pi, points, endpoint=False)
    angle = np.radians(degrees)
    u, v = along * np.cos(turns), across * np.sin(turns)
    xs = x + u * np.cos(angle) + v * np.sin(angle)
    ys = y - u * np.sin(angle) + v * np.cos(angle)
    return tuple((float(a), float(b)) for a, b in zip(xs, ys, strict=True))


def granum(number, x, y, direction=30.0, period=12.0, status="ok", **changes):
    """A granum of 80 × 40 px with its numbers."""
    values = {
        "number": number,
        "status": status,
        "reason": "" if status == "ok" else "sd 3.00 nm is above 2.5 nm",
        "outline": ellipse(x, y, 40, 20, direction),
        "x_px": float(x),
        "y_px": float(y),
        "detection": 0.9,
        "touches_border": False,
        "direction_deg": Value(direction, 1.5),
        "period_px": Value(period, 0.4),
        "area_px2": Value(np.pi * 800, 60.0),
        "perimeter_px": Value(193.8, 4.0),
        "height_px": Value(38.0, 1.0),
        "diameter_px": Value(78.0, 2.0),
        "gsi": Value(0.21, 0.02),
        "layers": Value(3.1, 0.3),
        "thylakoids": round(38.0 / period),
    }
    return Granum(**values | changes)


def analysis(file, grana, px_per_nm=0.6, **changes):
    values = {"rows": 400, "columns": 500, "px_per_nm": px_per_nm}
    values["px_per_nm_source"] = "" if px_per_nm is None else "given"
    return Analysis(str(file), grana=tuple(grana), **values | changes)


STRAIN = Strain(Value(0.1, 0.02), Value(150.0, 5.0), 0.0001, 7)


def drawn(path, grey):
    """Grana of a micrograph, their numbers drawn from a seed of its name and its grey values."""
    rng = np.random.default_rng([zlib.crc32(pathlib.Path(path).name.encode()), int(grey.sum())])
    found = []
    for number in range(1, int(rng.integers(3, 7))):
        x, y = rng.uniform(50, 450), rng.uniform(50, 350)
        period, direction = rng.normal(12, 0.8), rng.uniform(0, 180)
        status = rng.choice(["ok", "ok", "ok", "low_confidence"])
        found.append(granum(number, x, y, direction, period, str(status)))
    return found


def stripes(period=12.0, shape=(60, 100)):
    rows = np.arange(shape[0])[:, None]
    image = np.broadcast_to(0.5 + 0.3 * np.cos(2 * np.pi * rows / period), shape)
    return Crop(image.astype(np.float32), np.ones(shape, bool), None, "")


def read(path):
    """Reads a micrograph; text is refused."""
    try:
        with Image.open(path) as picture:
            return Micrograph(str(path), np.asarray(picture.convert("L")), 0.6, "given")
    except OSError as error:
        raise InputError(f"{path}: not an image; accepted: PNG") from error


def analyse(micrograph):
    """A pipeline that draws its results."""
    found = drawn(micrograph.name, micrograph.grey)
    strain = STRAIN if len(found) > 3 else None
    result = analysis(micrograph.name, found, strain=strain)
    return Analysed(result, {one.number: stripes() for one in found[:-1]})


def write_micrographs(folder, number=6):
    """Writes small micrographs of noise."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(5)
    paths = []
    for index in range(number):
        path = folder / f"m{index}.png"
        Image.fromarray(rng.integers(60, 200, (400, 500), np.uint8)).save(path)
        paths.append(path)
    return paths


def traced(crop, granum, words, px_per_nm):
    """Stands for the picture of traced lamellae."""
    return Image.fromarray(np.rint(255 * crop.image).astype(np.uint8)).convert("RGB")
