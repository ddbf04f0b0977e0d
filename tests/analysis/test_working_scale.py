import math

import numpy as np
import pytest

from srd_jax.analysis.maps import Maps
from srd_jax.analysis.working_scale import estimate
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.synthetic.scenes.batch import WORKING_PX_PER_NM


def detector(*stripes):
    """A detector that sees stripes of 11 to 36 nm: period, px, first and last share of rows."""

    def detect(micrograph, px_per_nm):
        scale = 0.5 * WORKING_PX_PER_NM / px_per_nm
        shape = tuple(math.ceil(length * scale) for length in micrograph.grey.shape)
        maps = np.zeros((4, *shape))
        log = np.full(shape, math.log(20 * px_per_nm))
        for period, first, last in stripes:
            if 11 < period / px_per_nm < 36:
                part = np.s_[round(first * shape[0]) : round(last * shape[0])]
                maps[0][part], maps[2][part], log[part] = 0.9, 0.8, math.log(period)
        return Maps(*maps, log_period=log, scale=scale)

    return detect


IMAGE = Micrograph("leaf.tif", np.zeros((900, 1200), np.uint8))


@pytest.mark.parametrize("period", [4.8, 8.0, 13.4, 31.0, 60.0])
def test_the_scale_gives_the_stripes_20_nm(period):
    found = estimate(IMAGE, detector((period, 0.3, 0.8)))
    assert found.px_per_nm == pytest.approx(period / 20, rel=0.01)
    assert f"{period:.1f} px" in found.note
    assert "others" not in found.note


def test_the_larger_area_in_periods_counts_and_a_rival_is_named():
    found = estimate(IMAGE, detector((8.0, 0.0, 0.3), (40.0, 0.3, 1.0)))
    assert found.px_per_nm == pytest.approx(8 / 20, rel=0.01)
    assert "others" not in found.note
    found = estimate(IMAGE, detector((8.0, 0.0, 0.03), (40.0, 0.05, 0.6)))
    assert "others as clear" in found.note


@pytest.mark.parametrize("shape", [(900, 1200), (9, 9), (1, 1)])
def test_without_stripes_the_scale_is_that_of_the_training(shape):
    found = estimate(Micrograph("leaf.tif", np.zeros(shape, np.uint8)), detector())
    assert found.px_per_nm == WORKING_PX_PER_NM
    assert "no stripes" in found.note


def test_a_large_micrograph_is_looked_at_in_part():
    shapes = []

    def detect(micrograph, px_per_nm):
        shapes.append(np.array(micrograph.grey.shape) * WORKING_PX_PER_NM / px_per_nm)
        return detector()(micrograph, px_per_nm)

    estimate(Micrograph("leaf.tif", np.broadcast_to(np.uint8(0), (20_000, 20_000))), detect)
    assert len(shapes) > 3
    assert np.max(shapes) < 1510
