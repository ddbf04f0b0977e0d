import numpy as np
import pytest
from helpers.training_runs import task_of, tiny

from srd_jax.training.candidates import kept_epochs
from srd_jax.training.config import EndConfig
from srd_jax.training.metrics import patience_is_over, smoothed

TASK = task_of(tiny())


def rows_of(errors, per_epoch=2):
    """Rows of a run in which the mean training error of each epoch is given."""
    return [
        {"epoch": epoch + (i + 1) / per_epoch, "train_mae": error + (2 * i + 1 - per_epoch) / 10}
        for epoch, error in enumerate(errors)
        for i in range(per_epoch)
    ]


def test_the_training_error_is_averaged_over_the_last_epochs():
    errors = np.random.default_rng(0).uniform(1, 5, 9)
    expected = np.array([errors[max(0, e - 2) : e + 1].mean() for e in range(9)])
    np.testing.assert_allclose(smoothed(rows_of(errors), "train_mae", 3), expected)
    # An epoch that is not over doesn't count.
    np.testing.assert_allclose(smoothed(rows_of(errors)[:-1], "train_mae", 3), expected[:-1])
    assert smoothed([], "train_mae", 3).size == 0


def test_patience_counts_epochs_since_the_lowest_validation_error():
    rows = rows_of([1.0] * 8)
    for row, error in zip(rows[1::2], [5, 4, 3, 3.5, 3.2, 3.1, 3.3, 9], strict=True):
        row["val_mae"] = error
    end = EndConfig(patience_epochs=4)
    ended = [patience_is_over(rows[:n], end, TASK, True) for n in range(2, 17, 2)]
    assert ended == [False] * 6 + [True] * 2
    assert not patience_is_over(rows, EndConfig(), TASK, True)
    assert not patience_is_over([], end, TASK, True)
    assert not patience_is_over(rows_of([1.0] * 8), end, TASK, True)


def test_without_held_out_crops_patience_follows_the_smoothed_training_error():
    rows = rows_of([5, 4, 3, 2, 3, 2.5, 3, 3.5])
    end = EndConfig(patience_epochs=3, smoothing_epochs=2)
    # Smoothed: 5, 4.5, 3.5, 2.5, 2.5, 2.75, 2.75, 3.25: the first of the lowest is epoch 4.
    ended = [patience_is_over(rows[: 2 * n], end, TASK, False) for n in range(1, 9)]
    assert ended == [False] * 6 + [True] * 2


def test_the_deepest_local_minima_and_the_named_epochs_are_kept():
    errors = [9, 8, 7, 8, 9, 6, 5, 6, 7, 4, 5, 6, 8, 7, 7.5]
    end = EndConfig(smoothing_epochs=1, keep_epochs=(2, 5, 99), keep_minima=2)
    assert kept_epochs(rows_of(errors), end, TASK) == [2, 5, 7, 10]
    three = EndConfig(smoothing_epochs=1, keep_minima=3)
    # The last one stands, as far as the run has come.
    assert kept_epochs(rows_of(errors), three, TASK) == [3, 7, 10]
    assert kept_epochs(rows_of(errors), EndConfig(smoothing_epochs=1, keep_minima=9), TASK) == [
        3,
        7,
        10,
        14,
    ]
    assert kept_epochs([], three, TASK) == []


@pytest.mark.parametrize("seed", range(5))
def test_what_is_kept_was_kept_ever_since_its_epoch(seed):
    errors = np.random.default_rng(seed).normal(size=60).cumsum() / 9 + 5
    end = EndConfig(smoothing_epochs=3, keep_epochs=(10, 20), keep_minima=4)
    rows = rows_of(errors)
    before: set[int] = set()
    for epoch in range(1, 61):
        now = set(kept_epochs(rows[: 2 * epoch], end, TASK))
        assert now <= before | {epoch}
        before = now
    assert len(before) <= 6
    assert {10, 20} < before
    lowest = 1 + int(np.argmin(smoothed(rows, "train_mae", 3)))
    assert lowest in before
