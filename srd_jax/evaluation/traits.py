"""What makes a granum easy or hard to measure: its height in layers, contrast and noise."""

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

    Light and dark are those of the sinusoid around a pixel (see `_sinusoid`); the median over the
    granum is returned. So it needs no straight lamellae, grey values times a factor don't change
    it, and noise hardly does.

    Args:
      image: (rows, columns) grey values from 0 on.
      mask: (rows, columns), true inside of the granum, whose lamellae run horizontally.
      period_px: true period, px of the crop.
    """
    mean, wave = _sinusoid(image, mask, period_px)
    return float(np.median((np.abs(wave) / np.maximum(mean, 1e-9))[mask]))


def noise(image: np.ndarray, mask: np.ndarray, period_px: float) -> float:
    """Returns how much else than a sinusoid with the true period the image shows.

    That is the root mean square of what the sinusoid around a pixel (see `_sinusoid`) leaves of
    its grey value, over that of the sinusoid: noise and dirt, and the overtones of lamellae that
    aren't sinusoidal.

    Args:
      image: (rows, columns) grey values from 0 on.
      mask: (rows, columns), true inside of the granum, whose lamellae run horizontally.
      period_px: true period, px of the crop.
    """
    mean, wave = _sinusoid(image, mask, period_px)
    lamellae = np.real(wave * _turning(len(image), period_px))[mask]
    left = (image - mean)[mask] - lamellae
    return float(np.linalg.norm(left) / max(np.linalg.norm(lamellae), 1e-9))


def _sinusoid(
    image: np.ndarray, mask: np.ndarray, period_px: float
) -> tuple[np.ndarray, np.ndarray]:
    """Returns mean and complex amplitude of the best sinusoid around each pixel, of its period.

    Around is about one period up and down and half a period to either side. The sinusoid is the
    real part of the amplitude times `_turning`.
    """

    def around(values: np.ndarray) -> np.ndarray:
        return ndimage.gaussian_filter(values * mask, (period_px, period_px / 2), mode="constant")

    weight = np.maximum(around(np.ones(image.shape)), 1e-9)
    mean = around(image) / weight
    return mean, 2 * around((image - mean) * np.conj(_turning(len(image), period_px))) / weight


def _turning(rows: int, period_px: float) -> np.ndarray:
    return np.exp(2j * np.pi * np.arange(rows)[:, None] / period_px)
