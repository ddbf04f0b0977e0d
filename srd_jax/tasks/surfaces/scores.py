"""Computes scores of found structures: kind, cell, volume fraction and orientation."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from srd_jax.synthetic.surfaces import orientations
from srd_jax.synthetic.surfaces.names import KINDS
from srd_jax.tasks.surfaces.calibration import fit_scale, fit_temperature
from srd_jax.tasks.surfaces.candidates import Candidates, away
from srd_jax.tasks.surfaces.targets import Truth
from srd_jax.tasks.surfaces.weights import Calibration
from srd_jax.training.task import Score

ACCURACY = Score("accuracy", "right kinds", best="max")
LOSS = Score("loss", "loss")

# How near a candidate must be to lead to the true structure.
_REACH_DEG, _REACH_CELL = 10.0, 0.06


@struct.dataclass
class Found:
    """Answers and truth of validation pictures, (B,) first.

    Attributes:
      kinds: (B, K) probability of each kind.
      candidates: (B, N) the best answers.
      true: what is true.
      away: (B, N, 3) vectors of the rotations from the candidates to the truth.
      axis: (B, N) angles between the axes of view, see `orientations.errors`.
      terms: parts of the loss by name, (B,).
      loss: (B,).
    """

    kinds: jax.Array
    candidates: Candidates
    true: Truth
    away: jax.Array
    axis: jax.Array
    terms: dict[str, jax.Array]
    loss: jax.Array


def away_of(found: Candidates, true: Truth) -> tuple[jax.Array, jax.Array]:
    """Returns how far candidates are from the truth; see `Found.away` and `Found.axis`."""
    apart = jax.vmap(away)(found.rotation, true.rotation, true.kind)
    right = jnp.broadcast_to(true.rotation[:, None], found.rotation.shape)
    cubic, hexagonal = (orientations.errors(found.rotation, right, kind)[1] for kind in ("D", "L"))
    return apart, jnp.where((true.kind == KINDS.index("L"))[:, None], hexagonal, cubic)


def scores(found: Found) -> dict[str, float]:
    """Returns the scores of a validation set.

    Returns:
      loss; accuracy, the share of right kinds; of those with the right kind the medians of the
      absolute errors: cell_percent, axis_deg, turn_deg, angle_deg (all of the orientation),
      fraction; reached, the share of pictures of which a candidate has the right kind, a cell
      within 6 % and an orientation within 10 degrees.
    """
    right = _right(found)
    one, true = found.candidates, found.true
    ratio = np.exp(np.asarray(one.log_cell - np.asarray(true.log_cell)[:, None], np.float64))
    angle = np.degrees(np.linalg.norm(found.away, axis=-1))
    fits = (np.asarray(one.kind) == np.asarray(true.kind)[:, None]) & (angle < _REACH_DEG)
    fits &= (np.abs(ratio - 1) < _REACH_CELL) & (np.asarray(one.weight) > 0)
    fraction = np.abs(np.asarray(one.fraction)[:, 0] - np.asarray(true.fraction))
    return {
        "loss": float(np.mean(found.loss)),
        "accuracy": float(np.mean(right)),
        "cell_percent": 100 * _median(np.abs(ratio[right, 0] - 1)),
        "axis_deg": _median(np.degrees(np.asarray(found.axis)[right, 0])),
        "turn_deg": _median(np.degrees(np.abs(np.asarray(found.away)[right, 0, 2]))),
        "angle_deg": _median(angle[right, 0]),
        "fraction": _median(fraction[right]),
        "reached": float(np.mean(fits.any(axis=1))),
    } | {f"{name}_loss": float(np.mean(term)) for name, term in found.terms.items()}


def calibrate(found: Found) -> Calibration:
    """Fits the calibration to a validation set: kinds by all, sds by those with the right kind."""
    kind = np.asarray(found.true.kind)
    errors = errors_by_number(found)
    factors = {name: fit_scale(error, sd) for name, (error, sd) in errors.items()}
    return Calibration(fit_temperature(np.asarray(found.kinds), kind), **factors)


def coverage(found: Found, fitted: Calibration) -> dict[str, dict[str, float]]:
    """Returns the shares of errors within 1 and 1.96 calibrated sds by number."""
    factors = dataclasses.asdict(fitted)
    return {
        name: {
            "within_68": float(np.mean(np.abs(error) <= factors[name] * sd)),
            "within_95": float(np.mean(np.abs(error) <= 1.96 * factors[name] * sd)),
        }
        for name, (error, sd) in errors_by_number(found).items()
        if error.size
    }


def errors_by_number(found: Found) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Returns errors and sds of the best candidates with the right kind by `model.NUMBERS`."""
    right = _right(found)
    one, true = found.candidates, found.true
    sd = np.asarray(one.sd, np.float64)[right, 0]
    apart = np.asarray(found.away, np.float64)[right, 0]
    log_cell = np.asarray(one.log_cell)[right, 0] - np.asarray(true.log_cell)[right]
    fraction = np.asarray(one.fraction)[right, 0] - np.asarray(true.fraction)[right]
    tilt = np.concatenate([apart[:, 0], apart[:, 1]])
    return {
        "log_cell": (log_cell, sd[:, 0]),
        "fraction": (fraction, sd[:, 1]),
        "turn": (apart[:, 2], sd[:, 2]),
        "tilt": (tilt, np.concatenate([sd[:, 3], sd[:, 3]])),
    }


def confusion(found: Found) -> dict[str, dict[str, int]]:
    """Returns how many pictures of each true kind were taken for each kind."""
    true, got = np.asarray(found.true.kind), np.argmax(found.kinds, axis=-1)
    return {
        kind: {
            other: int(np.sum((true == i) & (got == j)))
            for j, other in enumerate(KINDS)
            if np.any((true == i) & (got == j))
        }
        for i, kind in enumerate(KINDS)
        if np.any(true == i)
    }


def _right(found: Found) -> np.ndarray:
    """Returns which pictures' best candidates have the right kind, (B,) bool."""
    return np.asarray(found.candidates.kind)[:, 0] == np.asarray(found.true.kind)


def _median(values: np.ndarray) -> float:
    return float(np.median(values)) if values.size else math.nan
