"""Lamellae of a known period, for the tests of the classical methods."""

import numpy as np


def lamellae(
    period, slope=0.0, bend=0.0, second=0.0, alternate=0.0, noise=0.1, shape=(220, 300), seed=0
):
    """Grey values 0..1 of lamellae whose mean distance perpendicular to them is known.

    Args:
      period: mean distance of adjacent lamellae, px.
      slope: rows per column in the middle.
      bend: by how much the slope at the right edge is greater, that at the left one smaller.
      second, alternate: amplitudes at half of the period and at twice the period, of 1.
      noise: standard deviation, grey values.
    """
    random = np.random.default_rng(seed)
    column = np.linspace(-1, 1, shape[1])
    slopes = slope + bend * column
    # Vertical spacing is the same in all columns, the perpendicular one is less by the cosine.
    vertical = period / np.cos(np.arctan(slopes)).mean()
    shift = np.cumsum(slopes)
    phase = 2 * np.pi * ((np.arange(shape[0])[:, None] - shift) / vertical + random.random())
    wave = np.cos(phase) + second * np.cos(2 * phase) + alternate * np.cos(phase / 2)
    background = 0.1 * np.linspace(-1, 1, shape[0])[:, None] ** 2 + 0.05 * column
    return np.clip(0.5 + 0.15 * wave + background + random.normal(0, noise, shape), 0, 1)


def everywhere(image):
    return np.ones(image.shape, bool)


def membranes(period, distance, layers=8, noise=0.03, columns=None):
    """Grey values 0..1 of horizontal layers, each of two dark lines, the second one weaker.

    Args:
      period: distance of adjacent layers, px.
      distance: between the two lines of a layer, periods; 0 for a single line.
      layers: number of periods in the height.
      noise: standard deviation, grey values.
      columns: width, px; None for the height's.
    """
    rows = round(layers * period)
    turns = (np.arange(rows) / period + 0.8) % 1 - 0.5
    dark = sum(
        depth * np.exp(-(((turns - at) / 0.08) ** 2) / 2)
        for depth, at in ((1.0, -distance / 2), (0.8 if distance else 0.0, distance / 2))
    )
    grain = np.random.default_rng(0).normal(0, noise, (rows, columns or rows))
    return np.clip(0.7 - 0.3 * dark[:, None] + grain, 0, 1)
