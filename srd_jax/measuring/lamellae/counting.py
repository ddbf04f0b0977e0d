"""Counts the layers of a granum, its thylakoids, along the phase of its lamellae.

A layer is a light lumen between two dark lines. docs/methods.md, "Layers", explains the steps and
has the accuracy.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from srd_jax.measuring.lamellae.phase import Phase, lamella_phase

# The height of a granum is this quantile of its columns' heights, as published, and so is the
# number of its layers. The spread over columns is that of the taller ones.
_HEIGHT, _TALL = 0.8, 0.5
# Confidence of a column at which its phase doesn't count, but the mean period does, and from which
# on the phase counts alone.
_DOUBTFUL, _CLEAR = 0.5, 0.75
# A column's mean distance of layers differs from the granum's by no more than this share.
_UNEVEN = 0.15
# Width of a part whose phase is independent of the next one's, periods.
_APART = 4.0
# Sd of the number by what is seen of a layer at both ends; least relative sd of a period, and the
# one of a period without an sd.
_ENDS, _LEAST_SD, USUAL_SD = 0.35, 0.02, 0.05


def count_layers(
    grey: ArrayLike, mask: ArrayLike, period_px: float, sd_px: float | None
) -> tuple[float, float]:
    """Counts the layers of a granum.

    Args:
      grey: (rows, columns) grey values of the crop, its lamellae about horizontal.
      mask: (rows, columns), True inside of the granum.
      period_px: measured period, px.
      sd_px: its standard deviation, px; None if it isn't known.

    Returns:
      The number of layers, with the parts of layers at both ends, and its standard deviation.

    Raises:
      InputError: see `lamella_phase`.
    """
    return counted(lamella_phase(grey, mask, period_px), mask, period_px, sd_px)


def counted(
    phase: Phase, mask: ArrayLike, period_px: float, sd_px: float | None
) -> tuple[float, float]:
    """Counts the layers of a granum whose phase is known; see `count_layers`."""
    heights, layers, trust = columns_layers(phase, mask)
    number = float(np.quantile(layers, _HEIGHT))
    tall = heights >= np.quantile(heights, _TALL)
    parts = max(int(np.count_nonzero(tall)) / (_APART * period_px), 1.0)
    spread = float(np.std(layers[tall] / heights[tall])) * phase.period_px / math.sqrt(parts)
    relative = USUAL_SD if sd_px is None else max(sd_px / period_px, _LEAST_SD)
    # A clear phase corrects a period, unless that may be another one.
    unclear = max(1 - float(trust[tall].mean()), min(relative / _UNEVEN, 1.0))
    return number, math.hypot(_ENDS, number * spread, number * relative * unclear)


def columns_layers(phase: Phase, mask: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the height, px, the layers and the phase's share in them of each column inside.

    Each is (columns,), for the columns in which the mask isn't empty. A height is the span from the
    first to the last pixel of the mask.
    """
    mask = np.asarray(mask).astype(bool)
    columns = np.flatnonzero(mask.any(axis=0))
    part = mask[:, columns]
    first, last = part.argmax(axis=0), len(part) - 1 - part[::-1].argmax(axis=0)
    heights = last - first + 1.0
    # From edge to edge of the pixels, not from middle to middle.
    longer = heights / np.maximum(heights - 1, 1)
    span = (phase.turns[last, columns] - phase.turns[first, columns]) * longer
    by_mean = heights / phase.period_px
    clear = (phase.confidence[:, columns] * part).sum(axis=0) / part.sum(axis=0)
    trust = np.clip((clear - _DOUBTFUL) / (_CLEAR - _DOUBTFUL), 0.0, 1.0)
    ratio = np.clip(span / by_mean, 1 - _UNEVEN, 1 + _UNEVEN)
    return heights, by_mean * (1 + trust * (ratio - 1)), trust
