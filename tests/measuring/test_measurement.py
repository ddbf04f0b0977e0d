import math

import pytest

from srd_jax.measuring.measurement import Measurement, Method, mean_of_views, nearest, of_views


def view(period, sd, scale=1.0):
    return Measurement(period, sd, None, scale, (0, 9, 0, 9))


class Counting(Method[int]):
    """Measures numbers; each is its own period."""

    batch_size = 2

    def prepare(self, image):
        return int(image)

    def measure(self, prepared, with_attention=False):
        return [Measurement(number, None, None, 1.0, (0, 1, 0, 1)) for number in prepared]


def test_crops_that_cannot_be_prepared_keep_their_reasons_and_places():
    found = Counting().measure_good([3, "is empty", 5, "is blank"])
    assert [one if isinstance(one, str) else one.period_px for one in found] == [
        3,
        "is empty",
        5,
        "is blank",
    ]
    assert Counting().measure_good([]) == []


def test_the_variance_of_views_is_that_of_their_mixture():
    # Weights 1/1 and 1/4, that is 0.8 and 0.2; variance 0.8 * 1 + 0.2 * 4 + 0.8 * 0.2 * 5 ** 2.
    period, sd = mean_of_views([view(20.0, 1.0), view(25.0, 2.0)])
    assert period == pytest.approx(21.0)
    assert sd == pytest.approx(math.sqrt(5.6))
    assert mean_of_views([view(20.0, None), view(26.0, None)]) == (23.0, None)
    for bad in (view(20.0, 0.0), view(math.nan, 1.0), view(20.0, math.nan)):
        assert not all(map(math.isfinite, mean_of_views([bad, view(20.0, 1.0)])))


def test_the_nearest_view_is_nearest_in_proportion():
    views = [view(10.0, 1.0), view(30.0, 1.0), view(math.nan, 1.0), view(-3.0, 1.0)]
    assert [nearest(views, at).period_px for at in (5.0, 17.0, 18.0, 90.0)] == [10, 10, 30, 30]
    assert nearest(views[2:], 20.0) is views[2]


def test_views_at_several_scales_become_one_measurement():
    views = [view(20.0, 1.0, 3.0), view(25.0, 2.0, 1.5)]
    found = of_views(views)
    assert found.views == tuple(views)
    assert (found.period_px, found.sd_px) == mean_of_views(views)
    assert (found.scale, found.box) == (3.0, (0, 9, 0, 9))
    assert of_views(views[:1]) is views[0]
