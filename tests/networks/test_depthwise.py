import jax
import numpy as np
import pytest
from scipy.signal import correlate

from srd_jax.networks.depthwise import depthwise


def arrays(size, seed=0):
    random = np.random.default_rng(seed)
    image, cotangent = random.normal(size=(2, 2, 7, 9, 3)).astype(np.float32)
    return image, random.normal(size=(*size, 3)).astype(np.float32), cotangent


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (5, 5), (3, 1)])
def test_against_scipy_channel_by_channel(size):
    image, kernel, _ = arrays(size)
    expected = np.stack(
        [
            np.stack(
                [correlate(one[..., c], kernel[..., c], "same", "direct") for c in range(3)], -1
            )
            for one in image
        ]
    )
    np.testing.assert_allclose(depthwise(image, kernel), expected, atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (5, 5)])
def test_gradients_against_the_grouped_convolution(size):
    image, kernel, cotangent = arrays(size, seed=1)

    def grouped(image, kernel):
        return jax.lax.conv_general_dilated(
            image,
            kernel[:, :, None],
            (1, 1),
            "SAME",
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
            feature_group_count=3,
        )

    found, expected = (jax.vjp(f, image, kernel)[1](cotangent) for f in (depthwise, grouped))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)
