"""When a run ends before its last epoch, and which of its epochs are kept as candidates."""

from collections.abc import Sequence

import numpy as np

from srd_jax.tasks.period.config import EndConfig
from srd_jax.training.metrics import Row


def smoothed_errors(rows: Sequence[Row], epochs: int) -> np.ndarray:
    """Returns after each whole epoch the training MAE over the last few, px of the frame.

    Args:
      rows: of metrics.csv, from the first on.
      epochs: how many epochs are averaged; fewer at the start of the run.

    Returns:
      (whole epochs,) float64.
    """
    number = np.ceil(np.array([row["epoch"] for row in rows])).astype(int)
    error = np.array([row["train_mae"] for row in rows])
    whole = int(rows[-1]["epoch"]) if rows else 0
    each = np.array([error[number == epoch].mean() for epoch in range(1, whole + 1)])
    return np.array([each[max(0, end - epochs) : end].mean() for end in range(1, whole + 1)])


def patience_is_over(rows: Sequence[Row], end: EndConfig, error: str) -> bool:
    """Tells whether a run has gone on long enough without a lower error.

    Args:
      rows: of metrics.csv, from the first on, the last one at the end of an epoch.
      end: of the run's config.
      error: column of the validation error; empty where nothing is held out, for the smoothed
        training MAE.
    """
    if not end.patience_epochs or not rows:
        return False
    if error:
        errors = np.array([(row["epoch"], row[error]) for row in rows if error in row])
        if not errors.size:
            return False
        best = errors[np.argmin(errors[:, 1]), 0]
    else:
        best = 1 + int(np.argmin(smoothed_errors(rows, end.smoothing_epochs)))
    return rows[-1]["epoch"] - best >= end.patience_epochs


def kept_epochs(rows: Sequence[Row], end: EndConfig) -> list[int]:
    """Returns the epochs whose parameters are candidates so far, rising.

    They are `end.keep_epochs` and the deepest local minima of the smoothed training MAE: lower
    than all within `end.smoothing_epochs` to either side, as far as the run has come. What is
    dropped once never comes back, however the run goes on.

    Args:
      rows: of metrics.csv, from the first on.
      end: of the run's config.
    """
    errors = smoothed_errors(rows, end.smoothing_epochs)
    reach = end.smoothing_epochs
    minima = [
        epoch
        for epoch in range(1, len(errors) + 1)
        if epoch - 1 == _lowest(errors, max(0, epoch - 1 - reach), epoch + reach)
    ]
    deepest = sorted(minima, key=lambda epoch: errors[epoch - 1])[: end.keep_minima]
    always = [epoch for epoch in end.keep_epochs if epoch <= len(errors)]
    return sorted({*always, *deepest})


def _lowest(errors: np.ndarray, first: int, end: int) -> int:
    return first + int(np.argmin(errors[first:end]))
