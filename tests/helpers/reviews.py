"""Folders of analysed micrographs under review, whose grana are measured by geometry alone."""

import dataclasses
import os
import pathlib
import signal
import sys

import numpy as np

from helpers import analyses
from srd_jax.analysis.granum import Granum, Value
from srd_jax.analysis.output import records
from srd_jax.analysis.output.folder import Folder
from srd_jax.analysis.output.records import Record
from srd_jax.review.state.review import Review

PLACES = ((80.0, 80.0), (250.0, 80.0), (400.0, 100.0), (100.0, 250.0), (280.0, 260.0))


def measure(source, tasks):
    """Stands for the worker: area by the shoelace formula, the rest given or fixed."""
    return [(_granum(task), b"PNG of granum %d" % task.number) for task in tasks]


def _granum(task):
    x, y = np.array(task.outline).T
    area = abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
    direction = 45.0 if task.direction_deg is None else task.direction_deg
    period = 11.0 if task.period_px is None else task.period_px
    return Granum(
        number=task.number,
        status="ok",
        reason="",
        outline=tuple(map(tuple, task.outline)),
        x_px=float(x.mean()),
        y_px=float(y.mean()),
        detection=None,
        touches_border=False,
        direction_deg=Value(direction, 1.0),
        period_px=Value(period, 0.5),
        area_px2=Value(float(area), 10.0),
    )


def record(name="m0", threshold=0.5, px_per_nm=0.6, grana=None, folder=None):
    if grana is None:
        grana = [
            analyses.granum(number, *place, status="low_confidence" if number == 3 else "ok")
            for number, place in enumerate(PLACES, 1)
        ]
    file = str((folder or pathlib.Path()) / f"{name}.png")
    return Record({"threshold": threshold}, (), analyses.analysis(file, grana, px_per_nm))


def write(root, names=("m0", "m1"), **options):
    """Writes records, pictures and micrographs."""
    folder = Folder(root)
    for name in names:
        micrograph = root / "uploads" / f"{name}.png"
        micrograph.parent.mkdir(parents=True, exist_ok=True)
        micrograph.write_bytes(b"")
        made = record(name, folder=root / "gone", **options)
        for granum in made.analysis.grana:
            path = folder.granum(name, granum.number)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"machine's %d" % granum.number)
        records.write(folder.record(name), made)
    return folder


def opened(root, **options):
    return Review(root, **{"measure": measure} | options)


def ellipse(x, y, along=30.0, across=20.0):
    return [list(one) for one in analyses.ellipse(x, y, along, across, 0.0, 24)]


class Person:
    """Applies operations with keys of its own, at the present revision."""

    def __init__(self, review, name="m0", who="ann"):
        self.review, self.name, self.who = review, name, who

    def __call__(self, do, **fields):
        revision = self.review.revision
        key = f"{self.who} {self.name} {revision + 1}"
        return self.review.apply(self.name, {"do": do, **fields}, revision, key, self.who)


def plain(review):
    """All that a review shows."""
    files = [dataclasses.asdict(one) for one in review.files()]
    grana = {one["name"]: list(map(dataclasses.asdict, review.grana(one["name"]))) for one in files}
    return files, grana


def main(root):
    """Decides for ever; prints each revision that is acknowledged."""
    with_review = opened(pathlib.Path(root))
    person = Person(with_review)
    while True:
        number = with_review.revision % 5 + 1
        print(person("accept", granum=number).revision, flush=True)
        outline = ellipse(*PLACES[number - 1])
        print(person("outline", granum=number, outline=outline).revision, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: os._exit(1))
    main(sys.argv[1])
