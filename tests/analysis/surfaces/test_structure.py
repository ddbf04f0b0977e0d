import numpy as np
import pytest
from helpers.cubic_membranes import NM_PER_PX, rendered

from srd_jax.analysis.surfaces.structure import THICKNESS, waves


# The strongest waves alone, and the distance to first order.
@pytest.mark.parametrize(("kind", "least"), [("D", 0.97), ("L", 0.85)])
def test_the_sum_of_the_waves_is_the_projection(kind, least):
    grey, rotation = rendered(kind, fraction=0.35 if kind == "L" else 0.3)
    of = waves(kind)
    k = of.q @ rotation.T / 78
    values = of.values[1] * np.sinc(k[:, 2] * 78 * THICKNESS)
    values = values * np.exp(2j * np.pi * of.q @ [0.1, 0.3, 0.7])
    at = (np.arange(96) - 47.5) * NM_PER_PX
    right, down = (np.exp(2j * np.pi * k[:, i, None] * at) for i in (0, 1))
    picture = -np.real((down * values[:, None]).T @ right)
    assert np.corrcoef(picture.ravel(), grey.ravel())[0, 1] > least
