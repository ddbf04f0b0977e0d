"""Calibrates the network's probabilities and sds on pictures that it hasn't learned from."""

import dataclasses

import numpy as np
from scipy import optimize, special

from srd_jax.tasks.surfaces.candidates import Candidates
from srd_jax.tasks.surfaces.weights import Calibration

# With fewer, nothing is fitted.
LEAST = 30

# Levels of central intervals, and how many sds of a normal distribution each reaches.
_LEVELS = np.arange(1, 100) / 100
_REACH = special.ndtri((1 + _LEVELS) / 2)
_SCALES = np.geomspace(0.1, 10, 1001)
_TEMPERATURES = (0.2, 10.0)


def calibrated(found: Candidates, by: Calibration) -> Candidates:
    """Returns candidates with calibrated weights and sds; the weights of a picture sum to 1."""
    factors = np.array([by.log_cell, by.fraction, by.turn, by.tilt], np.float32)
    weight = np.asarray(tempered(np.asarray(found.weight), by.temperature), np.float32)
    return dataclasses.replace(found, weight=weight, sd=np.asarray(found.sd) * factors)


def tempered(probability: np.ndarray, temperature: float) -> np.ndarray:
    """Returns probabilities p^(1/temperature), normalised along the last axis.

    Source: temperature scaling, Guo et al. 2017, arXiv:1706.04599.
    """
    with np.errstate(divide="ignore"):
        logits = np.log(np.asarray(probability, np.float64)) / temperature
    return special.softmax(logits, axis=-1)


def fit_temperature(probability: np.ndarray, kind: np.ndarray) -> float:
    """Returns the temperature at which the true kinds are most probable.

    Args:
      probability: (N, K) of each kind.
      kind: (N,) the true one.
    """
    if len(kind) < LEAST:
        return 1.0
    logits = np.log(np.maximum(np.asarray(probability, np.float64), 1e-30))

    def loss(log_temperature: float) -> float:
        scaled = special.log_softmax(logits / np.exp(log_temperature), axis=-1)
        return -float(scaled[np.arange(len(kind)), kind].mean())

    bounds = np.log(_TEMPERATURES)
    found: optimize.OptimizeResult = optimize.minimize_scalar(loss, bounds=bounds, method="bounded")
    return float(np.exp(found.x))


def fit_scale(error: np.ndarray, sd: np.ndarray) -> float:
    """Returns the factor of sds whose intervals hold their nominal shares of the errors.

    It minimises the calibration error (Kuleshov, Fenner and Ermon 2018), the mean of
    (p̂ − p)² / (p (1 − p)) over central normal intervals of levels p that hold shares p̂.

    Args:
      error: (N,) any unit.
      sd: (N,) in the same unit.
    """
    if len(error) < LEAST:
        return 1.0
    ratio = np.sort(np.abs(error) / sd)
    scales = float(np.quantile(ratio, 0.6827)) * _SCALES
    held = np.searchsorted(ratio, scales[:, None] * _REACH, side="right") / len(ratio)
    cost = np.mean(np.square(held - _LEVELS) / (_LEVELS * (1 - _LEVELS)), axis=1)
    return max(float(scales[np.argmin(cost)]), 1e-6)
