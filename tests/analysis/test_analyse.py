import numpy as np
import pytest
from helpers.micrographs import Stack, depth, drawn
from helpers.training_runs import one_line

from srd_jax.analysis.analyse import analyse
from srd_jax.support.errors import InputError

GREY = np.zeros((40, 50), np.uint8)


def test_an_array_with_masks_is_analysed():
    stack = Stack(250.0, 200.0, 160.0, 120.0, 40.0, 13.0)
    y, x = np.mgrid[:400, :500] + 0.5
    found = analyse(drawn([stack]).grey, 0.67, masks=depth(stack, x, y) > 0)
    (granum,) = found.grana
    assert granum.status == "ok"
    assert granum.period_px.value == pytest.approx(13, rel=0.015)
    assert (found.file, found.px_per_nm, found.px_per_nm_source) == ("array", 0.67, "given")


@pytest.mark.parametrize(
    ("grey", "options", "message"),
    [
        (np.zeros((4, 5, 3), np.uint8), {}, "array: of shape (4, 5, 3)"),
        (np.zeros((0, 5)), {}, "array: of shape (0, 5)"),
        (np.zeros((4, 5), complex), {}, "type complex128; accepted are grey values"),
        (np.full((4, 5), np.nan), {}, "accepted are finite ones"),
        (GREY, {"px_per_nm": 0.0}, "px_per_nm is 0.0"),
        (GREY, {"threshold": 1.5}, "threshold is 1.5; accepted is a number between 0 and 1"),
    ],
)
def test_what_is_no_micrograph_is_refused(grey, options, message):
    with pytest.raises(InputError) as error:
        analyse(grey, **{"masks": GREY, **options})
    assert message in one_line(error.value)
