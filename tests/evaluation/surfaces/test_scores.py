import dataclasses
import math
import pathlib

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from srd_jax.evaluation.surfaces import scores
from srd_jax.evaluation.surfaces.scores import Compared, Errors
from srd_jax.evaluation.surfaces.truth import Known

TRUE = Rotation.from_euler("zyx", (0.4, 0.7, -0.3)).as_matrix()
KNOWN = Known(pathlib.Path("one.png"), "D", 80.0, 0.7, TRUE, 2.0)
# A quarter turn of the crystal about its x axis.
QUARTER = Rotation.from_euler("x", math.pi / 2).as_matrix()


def turned(degrees, axis):
    """The orientation, turned about an axis of the section."""
    turn = Rotation.from_rotvec(np.radians(degrees) * np.eye(3)["xyz".index(axis)]).as_matrix()
    return turn @ TRUE


def test_a_right_answer_has_no_error():
    one = scores.errors(KNOWN, "D", 40.0, TRUE @ QUARTER, 0.3)
    assert one.right
    assert [one.cell, one.fraction] == pytest.approx([0, 0], abs=1e-6)
    assert [one.in_plane, one.axis] == pytest.approx([0, 0], abs=0.05)


def test_errors_are_those_that_were_made():
    in_plane = scores.errors(KNOWN, "D", 41.0, turned(5, "z"), 0.4)
    assert in_plane.cell == pytest.approx(0.025)
    assert in_plane.fraction == pytest.approx(0.1)
    assert in_plane.in_plane == pytest.approx(5, abs=0.05)
    assert in_plane.axis == pytest.approx(0, abs=0.05)
    assert scores.errors(KNOWN, "D", 40.0, turned(-4, "x"), 0.3).axis == pytest.approx(4, abs=0.05)


def test_both_sides_of_some_surfaces_differ():
    known = dataclasses.replace(KNOWN, kind="I-WP")
    assert scores.errors(known, "I-WP", 40.0, TRUE, 0.3).fraction == pytest.approx(-0.4)


def test_another_type_has_no_other_errors():
    one = scores.errors(KNOWN, "G", 40.0, TRUE, 0.3)
    assert not one.right
    assert math.isnan(one.cell)


def test_sums():
    def compared(error, status="ok", right=True):
        errors = Errors(True, error, 100 * error, 10.0, error) if right else Errors(False)
        return Compared(KNOWN, status, None, errors, errors, (0.011, 1.5, 6.0, 0.005))

    some = [
        compared(0.01),
        compared(-0.02),
        compared(0.03, "low_confidence"),
        compared(0.0, "low_confidence", right=False),
        Compared(KNOWN, "error"),
    ]
    header, asked, searched, refined, ok = scores.summary(some)
    assert asked[1:3] == ["0 of 5", "–"]
    assert header[1:3] == ["type right", "a"]
    assert searched[1] == refined[1] == "3 of 5"
    assert refined[2] == "2.00 %"
    assert ok[1:3] == ["2 of 2", "1.50 %"]
    _, one, two, one_ok, two_ok = scores.coverage(some)
    # 1, 2 and 3 % or degrees with sds of 1.1 % and 1.5°; 10° with one of 6°.
    assert one == ["1 sd", "33 %", "33 %", "0 %", "0 %"]
    assert two == ["2 sd", "67 %", "100 %", "100 %", "33 %"]
    assert one_ok == ["1 sd, ok", "50 %", "50 %", "0 %", "0 %"]
    assert two_ok == ["2 sd, ok", "100 %", "100 %", "100 %", "50 %"]
    assert list(scores.coverage([]))[1][1] == list(scores.summary([]))[1][2] == "–"
