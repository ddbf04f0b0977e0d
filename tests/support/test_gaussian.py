import numpy as np
import pytest
from scipy import ndimage

from srd_jax.support.gaussian import gaussian_mean, mean_along_rows, mean_at


@pytest.mark.parametrize("shape", [(1, 1), (5, 300), (130, 71)])
@pytest.mark.parametrize("sd", [0.1, 2.0, 9.3, 60.0])
def test_means_are_those_of_a_convolution(shape, sd):
    values = np.random.default_rng(0).normal(size=(2, *shape))
    expected = np.stack([ndimage.gaussian_filter(one, sd, mode="constant") for one in values])
    np.testing.assert_allclose(gaussian_mean(values, sd), expected, atol=1e-12)
    np.testing.assert_allclose(gaussian_mean(values, sd, 3), expected[:, ::3, ::3], atol=1e-12)
    rows = ndimage.gaussian_filter1d(values, sd, mode="constant")
    np.testing.assert_allclose(mean_along_rows(values, sd, 2), rows.mT[:, ::2], atol=1e-12)


def test_means_at_some_columns():
    values = np.random.default_rng(1).normal(size=(2, 150, 200))
    columns = np.array([0, 77, 199])
    expected = ndimage.gaussian_filter1d(values, 11.0, mode="constant")[..., columns]
    np.testing.assert_allclose(mean_at(values, 11.0, columns), expected.mT, atol=1e-12)


def test_the_type_stays():
    assert gaussian_mean(np.ones((9, 9), np.float32), 2.0).dtype == np.float32
