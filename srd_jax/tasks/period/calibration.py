"""Calibrates a network's sd, so that its intervals hold their nominal shares of the errors.

docs/methods.md, "Calibration of the network's sd", has the reasons for the choices here.
"""

import dataclasses
import math

import numpy as np

from srd_jax.support.errors import InputError
from srd_jax.support.fields import limited

# With fewer errors, the share within 1 sd is known to 9 percentage points only.
LEAST_ERRORS = 30

# Levels of central intervals.
_LEVELS = np.arange(1, 100) / 100
_SCALES = np.geomspace(0.1, 10, 1001)

_DEGREES = 4.0  # of freedom of Student's t; few, so that gross errors weigh little
_EXPONENTS = (0.0, 3.0)
_EXPONENT_SD = 0.5  # of the normal prior around 1, which decides if all sds are about equal


@dataclasses.dataclass(frozen=True)
class Calibration:
    """The map sd → scale · (sd / 1 px)^exponent of sds in px of the frame.

    Attributes:
      scale: calibrated sd, px of the frame, for a predicted sd of 1 px.
      exponent: 1 where the predicted sds are proportional to the errors, 0 where they tell nothing.
    """

    scale: float = limited(1.0, 1e-12)
    exponent: float = limited(1.0, 0.0)

    def apply(self, sd: np.ndarray) -> np.ndarray:
        """Returns the calibrated sd for each predicted sd, both in px of the frame."""
        return self.scale * sd**self.exponent


def fit(error: np.ndarray, sd: np.ndarray) -> Calibration:
    """Fits the calibration to the errors of held-out crops.

    A few gross errors, such as doubled periods, hardly change it. The exponent maximises the
    likelihood of Student's t distribution with 4 degrees of freedom (Lange, Little and Taylor 1989)
    times a normal prior, 1 ± 0.5. The scale minimises the calibration error (Kuleshov, Fenner and
    Ermon 2018) over the levels p = 1 … 99 % of central normal intervals, which is the mean of
    (p̂ − p)² / (p (1 − p)) for a share p̂ of errors in the interval.

    Args:
      error: (N,) measured - true period, px of the frame.
      sd: (N,) predicted, px of the frame, not calibrated.

    Raises:
      InputError: there are fewer than LEAST_ERRORS errors, more or fewer sds than errors, a number
        isn't finite, an sd isn't above 0, or most errors are 0.
    """
    from scipy import special  # late, as most uses of a calibration don't need it

    _check(error, sd)
    exponent = _exponent(error, sd)
    ratio = np.sort(np.abs(error) / sd**exponent)
    scales = _typical(ratio) * _SCALES
    reach = special.ndtri((1 + _LEVELS) / 2)  # sds of a normal distribution
    observed = np.searchsorted(ratio, scales[:, None] * reach, side="right") / len(ratio)
    distance = np.mean(np.square(observed - _LEVELS) / (_LEVELS * (1 - _LEVELS)), axis=1)
    return Calibration(float(scales[np.argmin(distance)]), float(exponent))


def _exponent(error: np.ndarray, sd: np.ndarray) -> float:
    """Returns the exponent of the greatest posterior probability, see `fit`."""
    from scipy import optimize

    log_sd = np.log(sd)
    # Centred, so that scale and exponent hardly depend on each other.
    log_sd = log_sd - log_sd.mean()

    def loss(numbers: np.ndarray) -> float:
        log_scale, exponent = numbers
        log_spread = log_scale + exponent * log_sd
        squares = np.square(error) * np.exp(-2 * log_spread)
        nll = log_spread + (_DEGREES + 1) / 2 * np.log1p(squares / _DEGREES)
        return float(np.sum(nll) + 0.5 * ((exponent - 1) / _EXPONENT_SD) ** 2)

    start = [np.log(_typical(np.abs(error))), 1.0]
    found = optimize.minimize(loss, start, method="L-BFGS-B", bounds=[(None, None), _EXPONENTS])
    return found.x[1]


def _typical(sizes: np.ndarray) -> float:
    """Returns the 68 % quantile of sizes, which is the sd of normal errors."""
    return float(np.quantile(sizes, 0.6827))


def _check(error: np.ndarray, sd: np.ndarray) -> None:
    if error.ndim != 1 or error.shape != sd.shape:
        raise InputError(
            f"errors of shape {error.shape} and sds of shape {sd.shape}; "
            "accepted are as many sds as errors"
        )
    if len(error) < LEAST_ERRORS:
        raise InputError(
            f"{len(error)} errors to calibrate the sd by; accepted are at least {LEAST_ERRORS}"
        )
    for number, (one, its_sd) in enumerate(zip(error, sd, strict=True)):
        if not (math.isfinite(one) and 0 < its_sd < math.inf):
            raise InputError(
                f"error {number} is {one}, its sd {its_sd}; accepted are finite ones, sds above 0"
            )
    if _typical(np.abs(error)) == 0:
        raise InputError("most errors are exactly 0; accepted are errors of measurements")
