"""What makes a granum easy or hard to measure: its height in layers and its contrast."""

import numpy as np
from scipy import ndimage


def height(mask: np.ndarray) -> float:
    """Returns the height of a granum, px: the 0.8-quantile of its columns' spans (as in GRANA).

    Args:
      mask: (rows, columns), true inside of the granum, whose lamellae run horizontally.
    """
    columns = mask[:, mask.any(axis=0)]
    spans = len(columns) - columns.argmax(axis=0) - columns[::-1].argmax(axis=0)
    return float(np.quantile(spans, 0.8))


def contrast(image: np.ndarray, mask: np.ndarray, period_px: float) -> float:
    """Returns the contrast of the lamellae, (light - dark) / (light + dark).

    Light and dark are those of the sinusoid with the true period that fits best around a pixel,
    about one period up and down and half a period to either side; the median over the granum is
    returned. So it needs no straight lamellae, grey values times a factor don't change it, and
    noise hardly does.

    Args:
      image: (rows, columns) grey values from 0 on.
      mask: (rows, columns), true inside of the granum, whose lamellae run horizontally.
      period_px: true period, px of the crop.
    """

    def around(values: np.ndarray) -> np.ndarray:
        return ndimage.gaussian_filter(values * mask, (period_px, period_px / 2), mode="constant")

    weight = np.maximum(around(np.ones(image.shape)), 1e-9)
    mean = around(image) / weight
    turn = 2 * np.pi * np.arange(len(image))[:, None] / period_px
    wave = (around((image - mean) * np.cos(turn)), around((image - mean) * np.sin(turn)))
    amplitude = 2 * np.hypot(*wave) / weight
    return float(np.median((amplitude / np.maximum(mean, 1e-9))[mask]))
