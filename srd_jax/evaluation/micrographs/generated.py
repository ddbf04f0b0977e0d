"""Draws micrographs with their true grana."""

import pathlib
from collections.abc import Iterator

import numpy as np

from srd_jax.evaluation.micrographs.annotations.label_images import of_labels
from srd_jax.evaluation.micrographs.truth import POSSIBLE, SURE, Annotated, TrueGranum
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.synthetic.scenes.micrographs import DrawnMicrograph, draw

SOURCE = "the generator"


def drawn(seed: int, count: int) -> Iterator[tuple[Micrograph, Annotated]]:
    """Yields drawn micrographs one after the other; the same seed gives the same ones."""
    # Far apart, so that two seeds have no micrograph in common.
    seeds = np.random.SeedSequence(seed).generate_state(count) >> 1
    for index, one in enumerate(seeds):
        made = draw(int(one))
        name = f"generated_{index:04d}"
        micrograph = Micrograph(name, made.grey, made.px_per_nm, SOURCE)
        yield micrograph, annotated(name, made)


def annotated(name: str, made: DrawnMicrograph) -> Annotated:
    """Returns the truth of a drawn micrograph; grana that can't be read well are possible ones."""
    areas = {int(one.name): one.area for one in of_labels(made.labels)}
    grana = tuple(
        TrueGranum(
            name=str(one.number),
            area=areas[one.number],
            certainty=SURE if one.certain else POSSIBLE,
            direction_deg=one.direction_deg if one.certain else None,
            period_px=one.period_px if one.certain else None,
            layers=one.layers if one.certain else None,
            cut=one.touches_border,
        )
        for one in made.grana
        if one.number in areas
    )
    rows, columns = made.grey.shape
    return Annotated(name, grana, (), (rows, columns), pathlib.Path(SOURCE))
