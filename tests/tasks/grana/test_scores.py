import math

import numpy as np
import pytest

from srd_jax.support.errors import InputError
from srd_jax.tasks.grana.scores import (
    THRESHOLDS,
    best_threshold,
    direction_error,
    granum_scores,
    median,
)


def test_scores_by_hand():
    probability = np.array([[0.9, 0.8, 0.5, 0.2], [0.1, 0.6, 0.7, 0.4]])
    granum = np.array([[1, 1, 0, 1], [0, 1, 0, 0]], bool)
    care = np.array([[1, 1, 1, 1], [1, 0, 1, 1]], bool)
    # Hit: 0.9, 0.8; missed: 0.2; wrong: 0.5, 0.7; 0.6 doesn't count.
    assert granum_scores(probability, granum, care) == {
        "iou": 2 / 5,
        "precision": 2 / 4,
        "recall": 2 / 3,
    }
    assert granum_scores(probability, granum, care, 0.75)["precision"] == 1.0


def test_scores_of_the_whole_set_are_no_mean_over_tiles():
    # IoU 1/1 and 1/3 in two tiles; 2/4 in all.
    probability = np.array([[1.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    granum = np.array([[1, 0, 0], [1, 0, 0]], bool)
    assert granum_scores(probability, granum, np.ones_like(granum))["iou"] == 2 / 4


def test_nothing_found_where_nothing_is_counts_as_right():
    nothing, every = np.zeros((2, 2)), np.ones((2, 2), bool)
    assert set(granum_scores(nothing, ~every, every).values()) == {1.0}
    assert granum_scores(nothing, every, every) == {"iou": 0.0, "precision": 1.0, "recall": 0.0}


@pytest.mark.parametrize("middle", [0.2, 0.35, 0.6])
def test_the_threshold_is_the_nearest_to_a_half_that_is_nearly_the_best(middle):
    random = np.random.default_rng(0)
    granum, care = random.random((2, 40, 40)) < np.array([0.3, 0.8])[:, None, None]
    probability = np.clip(random.normal(middle + 0.25 * granum, 0.15), 0, 1)
    every = {t: granum_scores(probability, granum, care, t)["iou"] for t in THRESHOLDS}
    good = [t for t, iou in every.items() if iou >= 0.9 * max(every.values())]
    found = best_threshold(probability, granum, care)
    assert found == min(good, key=lambda t: abs(t - 0.5))


def test_of_equal_thresholds_a_half_is_taken():
    probability, granum = np.array([0.2, 0.3, 0.7, 0.9]), np.array([0, 0, 1, 1], bool)
    found = best_threshold(probability, granum, np.ones(4, bool))
    assert found == 0.5


def test_without_grana_there_is_no_threshold():
    with pytest.raises(InputError, match="accepted: tiles with grana"):
        best_threshold(np.ones(3), np.ones(3, bool), np.zeros(3, bool))


def test_direction_errors_in_degrees():
    true = np.radians([10.0, 175.0, 0.0, 30.0, 60.0])
    found = np.radians([12.0, 5.0, 90.0, 30.0, 59.9999])
    vectors = (np.cos(2 * found) * 0.3, np.sin(2 * found) * 0.3, np.cos(2 * true), np.sin(2 * true))
    np.testing.assert_allclose(direction_error(*vectors), [2, 10, 90, 0, 1e-4], atol=1e-9)


def test_the_median_of_nothing_is_nan():
    assert median(np.array([3.0, 1.0, 8.0])) == 3.0
    assert math.isnan(median(np.zeros(0)))
