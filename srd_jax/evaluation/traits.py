"""Traits that make a granum easy or hard to measure: height, contrast, noise."""

import numpy as np
from scipy import ndimage


def height(mask: np.ndarray) -> float:
    """Returns the height of a granum, px: the 0.8-quantile of its columns' spans, as in GRANA.

    Args:
      mask: bool (rows, columns), True inside of the granum; its lamellae run horizontally.
    """
    columns = mask[:, mask.any(axis=0)]
    spans = len(columns) - columns.argmax(axis=0) - columns[::-1].argmax(axis=0)
    return float(np.quantile(spans, 0.8))


def contrast(image: np.ndarray, mask: np.ndarray, period_px: float) -> float:
    """Returns the contrast of the lamellae, (light - dark) / (light + dark).

    Light and dark are the extremes of the local sinusoid (see `_sinusoid`); the median over the
    granum is returned. Bent lamellae and a factor of the grey values don't change it, noise hardly
    does.

    Args:
      image: (rows, columns) grey values from 0 on.
      mask: bool (rows, columns), True inside of the granum; its lamellae run horizontally.
      period_px: true period, px of the crop.
    """
    mean, wave = _sinusoid(image, mask, period_px)
    return float(np.median((np.abs(wave) / np.maximum(mean, 1e-9))[mask]))


def noise(image: np.ndarray, mask: np.ndarray, period_px: float) -> float:
    """Returns the noise of the image relative to its lamellae.

    It is the root mean square of the grey values less the local sinusoid (see `_sinusoid`), over
    the root mean square of the sinusoid. Dirt and overtones of the lamellae count as noise.

    Args:
      image, mask, period_px: see `contrast`.
    """
    mean, wave = _sinusoid(image, mask, period_px)
    lamellae = np.real(wave * _turning(len(image), period_px))[mask]
    left = (image - mean)[mask] - lamellae
    return float(np.linalg.norm(left) / max(np.linalg.norm(lamellae), 1e-9))


def _sinusoid(
    image: np.ndarray, mask: np.ndarray, period_px: float
) -> tuple[np.ndarray, np.ndarray]:
    """Fits a sinusoid with the true period around each pixel; returns mean and complex amplitude.

    The sinusoid is the real part of the amplitude times `_turning`. The fit weights pixels by a
    Gaussian with an sd of one period vertically and half a period horizontally.
    """

    def around(values: np.ndarray) -> np.ndarray:
        return ndimage.gaussian_filter(values * mask, (period_px, period_px / 2), mode="constant")

    weight = np.maximum(around(np.ones(image.shape)), 1e-9)
    mean = around(image) / weight
    return mean, 2 * around((image - mean) * np.conj(_turning(len(image), period_px))) / weight


def _turning(rows: int, period_px: float) -> np.ndarray:
    return np.exp(2j * np.pi * np.arange(rows)[:, None] / period_px)
