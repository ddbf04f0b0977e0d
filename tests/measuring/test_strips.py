import numpy as np
import pytest
from helpers.lamellae import everywhere, lamellae

from srd_jax.measuring.strips import correlation, correlations, follow


def _by_sums(profiles, valid):
    """Returns the autocorrelation by its definition, pair by pair."""
    found = []
    for shift in range(len(profiles)):
        first, second = np.s_[: len(profiles) - shift], np.s_[shift:]
        pairs = valid[first] & valid[second]
        if 20 * pairs.sum() <= 3 * valid.sum():
            break
        one, other = (np.where(pairs, profiles[part], 0) for part in (first, second))
        # The energy of all pixels that are paired with a valid one.
        energies = (
            (profiles[first] ** 2 * valid[second]).sum(),
            (profiles[second] ** 2 * valid[first]).sum(),
        )
        found.append((one * other).sum() / np.sqrt(np.prod(energies)))
    return np.array(found)


@pytest.mark.parametrize("rows", [37, 40])
def test_correlations_are_sums_over_pairs(rows):
    random = np.random.default_rng(rows)
    valid = random.random((rows, 7)) < 0.9
    profiles = np.where(valid, random.normal(size=valid.shape), 0)
    parts = [slice(None), slice(0, 3), slice(3, None)]
    for part, found in zip(parts, correlations(profiles, valid, parts), strict=True):
        expected = _by_sums(profiles[:, part], valid[:, part])
        np.testing.assert_allclose(found, expected, atol=1e-12)
    np.testing.assert_array_equal(
        correlation(profiles, valid), correlations(profiles, valid, parts)[0]
    )


def test_a_correlation_ends_where_exactly_the_least_share_of_pairs_is_left():
    # 3 of 20 rows are 15 %, whatever the rounding of a Fourier transform makes of them.
    for strips in range(1, 30):
        profiles = np.random.default_rng(strips).normal(size=(20, strips))
        assert len(correlation(profiles, np.ones(profiles.shape, bool))) == 17


@pytest.mark.parametrize("slope", [0.0, 0.2])
def test_strips_follow_lamellae(slope):
    image = lamellae(18.0, slope, noise=0)
    found = follow(image, everywhere(image), 18.0, 6.0)
    assert found.valid[50:-50].all()
    middle = np.s_[60:-60]
    assert found.slope[middle] == pytest.approx(slope, abs=0.02)
    assert found.cosine == pytest.approx(1 / np.hypot(1, slope), abs=0.005)
    # Means along sines are sines: nothing is lost.
    assert found.profiles[middle].std() == pytest.approx(1, rel=0.15)


@pytest.mark.parametrize("missing", [0, 1])
def test_a_strip_is_valid_where_more_than_half_of_it_is_inside(missing):
    image = lamellae(16.0)
    columns = follow(image, everywhere(image), 16.0, 5.0).columns
    # From a strip's left edge up to its middle column, and one column less.
    half, middle = columns[1] - columns[0], columns[4]
    part = np.zeros(image.shape, bool)
    part[:, middle - half + missing : middle + 1] = True
    assert follow(image, part, 16.0, 5.0).valid[100, 4] == (not missing)
