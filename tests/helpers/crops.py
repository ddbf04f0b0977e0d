"""Crops of stripes, and small random networks, for the tests of prediction."""

import functools

import jax
import numpy as np

from helpers.image_files import with_blue, write_png
from srd_jax.tasks.period.config import EncoderConfig, ModelConfig
from srd_jax.tasks.period.model import random_parameters
from srd_jax.tasks.period.weights import PeriodWeights, save


def stripes(seed, shape=(120, 150), period=20.0):
    """Noisy grey stripes (rows, columns), uint8."""
    random = np.random.default_rng(seed)
    wave = 128 + 90 * np.sin(2 * np.pi * (np.arange(shape[0]) / period + random.random()))
    return np.clip(wave[:, None] + random.normal(0, 12, shape), 0, 255).astype(np.uint8)


def ellipse(shape):
    """True inside of the ellipse that fills a crop."""
    rows, columns = (2 * (np.arange(size) + 0.5) / size - 1 for size in shape)
    return rows[:, None] ** 2 + columns**2 < 1


def write_crop(path, seed=0, shape=(120, 150), period=20.0):
    """Writes stripes in an ellipse, pure blue outside."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_png(path, with_blue(stripes(seed, shape, period), ellipse(shape)))


@functools.cache
def random_weights(confidence=True, sd=0.1):
    """Random weights of a small network: periods of 70 to 80 px of the frame, by the image.

    Its sd is proportional to `sd`; 0.1 gives 2 to 3 px of the frame.
    """
    config = ModelConfig(encoder=EncoderConfig(channels=4), confidence=confidence)
    drawn = random_parameters(config, jax.random.key(1))
    # As they are drawn, the answers for two images differ by no more than 0.1 %.
    parameters = {
        name: np.asarray(value)
        * np.float32(2.4 if name.startswith("encoder.") else 1)
        * np.float32(8 if name.endswith("output.kernel") else 1)
        for name, value in drawn.items()
    }
    if confidence:
        parameters["sd_regressor.output.bias"] = np.full(1, np.log(sd), np.float32)
    return PeriodWeights(parameters, config, {"run": "random"})


def write_weights(path, **options):
    """Writes random_weights(**options)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save(path, random_weights(**options))
    return path
