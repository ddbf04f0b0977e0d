"""Losses of the maps, each a mean over the pixels that count.

Arrays are (B, rows, columns); `weight` is 1 for pixels that count and 0 for others, which influence
neither a loss nor its gradient.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from srd_jax.synthetic.scenes.batch import Tiles
from srd_jax.tasks.grana.config import LossConfig
from srd_jax.tasks.grana.model import Prediction

# Keeps the ratios of Dice and Tversky finite where there is no granum, px.
_SMOOTH = 1.0
# Tversky: weights of missed and of wrong pixels (Salehi, Erdogmus and Gholipour 2017,
# arXiv:1706.05721).
_MISSED, _WRONG = 0.7, 0.3
_FOCUS = 2.0
_FOCAL_SHARE = 0.15
# Errors beyond grow the loss linearly.
_DISTANCE_KNEE, _PERIOD_KNEE = 0.1, 0.05
# Keeps the gradient of a short vector's direction finite.
_LEAST_LENGTH = 1e-3


def bce(logit: jax.Array, target: jax.Array, weight: jax.Array) -> jax.Array:
    """Computes the mean binary cross entropy."""
    return _mean(_cross_entropy(logit, target), weight)


def dice(logit: jax.Array, target: jax.Array, weight: jax.Array) -> jax.Array:
    """Computes 1 − (2 Σ p·y + s) / (Σ p + Σ y + s) over the whole batch, s = 1 px.

    Source: Milletari, Navab and Ahmadi 2016, "V-Net" (arXiv:1606.04797).
    """
    hit, missed, wrong = _areas(logit, target, weight)
    return 1.0 - (2 * hit + _SMOOTH) / (2 * hit + missed + wrong + _SMOOTH)


def tversky(logit: jax.Array, target: jax.Array, weight: jax.Array) -> jax.Array:
    """Computes 1 − (TP + s) / (TP + 0.7 FN + 0.3 FP + s) over the whole batch, s = 1 px."""
    hit, missed, wrong = _areas(logit, target, weight)
    return 1.0 - (hit + _SMOOTH) / (hit + _MISSED * missed + _WRONG * wrong + _SMOOTH)


def focal(logit: jax.Array, target: jax.Array, weight: jax.Array) -> jax.Array:
    """Computes the mean of −(1 − p_t)² ln p_t, p_t the probability of what is true.

    Source: Lin et al. 2017, "Focal loss for dense object detection" (arXiv:1708.02002), without
    their balance of classes.
    """
    entropy = _cross_entropy(logit, target)
    # ln p_t is the negative entropy.
    return _mean(entropy * (-jnp.expm1(-entropy)) ** _FOCUS, weight)


# (logit, target 0 or 1, weight) → ()
Loss = Callable[[jax.Array, jax.Array, jax.Array], jax.Array]

GRANUM: dict[str, Loss] = {
    "bce": bce,
    "dice": dice,
    "focal": focal,
    "tversky": tversky,
    "bce_dice": lambda *args: bce(*args) + dice(*args),
    "bce_tversky": lambda *args: bce(*args) + tversky(*args),
    "focal_dice": lambda *args: focal(*args) + dice(*args),
    "bce_dice_focal": lambda *args: bce(*args) + dice(*args) + _FOCAL_SHARE * focal(*args),
}


def smooth_l1(found: jax.Array, true: jax.Array, weight: jax.Array, knee: float) -> jax.Array:
    """Computes the mean of e² / (2 · knee) where |e| < knee, and of |e| − knee / 2 elsewhere."""
    error = jnp.abs(found - true)
    value = jnp.where(error < knee, 0.5 * jnp.square(error) / knee, error - 0.5 * knee)
    return _mean(value, weight)


def vector(found: Prediction, true: Tiles, weight: jax.Array) -> jax.Array:
    """Computes the mean squared error of cosine and sine.

    The best prediction is their mean over what is possible: the less certain the direction, the
    shorter the vector.
    """
    error = jnp.square(found.cosine - true.cosine) + jnp.square(found.sine - true.sine)
    return _mean(error, weight)


def cosine(found: Prediction, true: Tiles, weight: jax.Array) -> jax.Array:
    """Computes the mean of 1 − cos of the error of the doubled direction."""
    length = jnp.sqrt(jnp.square(found.cosine) + jnp.square(found.sine) + _LEAST_LENGTH**2)
    along = found.cosine * true.cosine + found.sine * true.sine
    return _mean(1.0 - along / length, weight)


DIRECTION: dict[str, Callable[[Prediction, Tiles, jax.Array], jax.Array]] = {
    "vector": vector,
    "cosine": cosine,
}


def parts(found: Prediction, true: Tiles, config: LossConfig) -> dict[str, jax.Array]:
    """Returns the terms of the loss by name, without their weights: granum and those of its maps.

    Granum or not counts where it can be told; the distance within grana there; direction and period
    where they can be read.
    """
    granum, care = (x.astype(jnp.float32) for x in (true.granum, true.care))
    readable = granum * true.readable.astype(jnp.float32)
    return {
        "granum": GRANUM[config.granum](found.logit, granum, care),
        "distance": smooth_l1(found.distance, true.distance, granum * care, _DISTANCE_KNEE),
        "direction": DIRECTION[config.direction](found, true, readable),
        "period": smooth_l1(found.log_period, true.log_period, readable, _PERIOD_KNEE),
    }


def total(terms: dict[str, jax.Array], config: LossConfig) -> jax.Array:
    """Returns the weighted sum of `parts`."""
    return (
        terms["granum"]
        + config.distance_weight * terms["distance"]
        + config.direction_weight * terms["direction"]
        + config.period_weight * terms["period"]
    )


def _cross_entropy(logit: jax.Array, target: jax.Array) -> jax.Array:
    return jax.nn.softplus(logit) - logit * target


def _areas(
    logit: jax.Array, target: jax.Array, weight: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Returns the soft areas that are hit (TP), missed (FN) and wrong (FP), px."""
    probability = jax.nn.sigmoid(logit)
    hit = (weight * probability * target).sum()
    return hit, (weight * target).sum() - hit, (weight * probability).sum() - hit


def _mean(values: jax.Array, weight: jax.Array) -> jax.Array:
    return (values * weight).sum() / jnp.maximum(weight.sum(), 1.0)
