"""Fake methods and grana for the tests of evaluation."""

import math

import numpy as np

from helpers.crops import ellipse, stripes
from srd_jax.imaging.dataset import Granum
from srd_jax.measuring.measurement import Measurement, Method
from srd_jax.support.errors import InputError


class Fake(Method):
    """Answers each crop with its rows times a factor; refuses crops of 66 rows."""

    batch_size = 3

    def __init__(self, factor, relative_sd=None, quality=None):
        self.factor, self.relative_sd, self.quality = factor, relative_sd, quality
        self.batches = []

    def prepare(self, image):
        if len(image.image) == 66:
            raise InputError("<66> rows & no more; accepted are others")
        return image.image.shape

    def measure(self, prepared, with_attention=False):
        self.batches.append(len(prepared))
        return [self.measured(*shape) for shape in prepared]

    def measured(self, rows, columns):
        period = rows * self.factor if rows != 77 else math.nan
        sd = None if self.relative_sd is None else period * self.relative_sd
        return Measurement(period, sd, None, 1.0, (0, rows, 0, columns), self.quality)


def grana(rows=(60, 120, 66, 400, 77, 90, 100, 64), px_per_nm=1.3):
    """Stripes of six layers a granum."""
    shapes = [(count, 90) for count in rows]
    return [
        Granum(
            f"granum <{i}>",
            stripes(i, shape, shape[0] / 6) / np.float32(255) * ellipse(shape),
            ellipse(shape),
            shape[0] / 6,
            px_per_nm,
        )
        for i, shape in enumerate(shapes)
    ]


METHODS = {"net & co": Fake(1 / 6 * 1.05, 0.1), "twice": Fake(1 / 3, quality=0.9)}
