import collections
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import hurry
from scipy import stats

from srd_jax.networks.receptive_field import Geometry
from srd_jax.support.errors import InputError
from srd_jax.synthetic import stripes
from srd_jax.synthetic.config import StripesConfig
from srd_jax.tasks.period.config import ModelConfig

pytestmark = pytest.mark.hurry

GEOMETRY = ModelConfig().geometry
KEY = jax.random.key(20)


# A clean pixel is the same to the last bit, which not all options of the compiler see to.
@functools.partial(jax.jit, static_argnums=(1, 2, 3, 4, 5), compiler_options=hurry.FULL)
def rendered(key, size, frame, period, noise_sd, clean):
    config = StripesConfig(period=period, noise_sd=noise_sd, clean_rectangles=clean)
    return stripes.render(key, size, frame, config, GEOMETRY)


def render(size, frame, period=(20.0, 140.0), noise_sd=(0.0, 0.0), clean=(1, 4), key=KEY):
    batch = rendered(key, size, frame, period, noise_sd, clean)
    return np.asarray(batch.image), np.asarray(batch.mask), np.asarray(batch.target)


def stripe_edges(profile):
    """Rows where the profile crosses the middle grey level upwards, and downwards."""
    high = profile - 128.0 / 255.0
    crossing = np.flatnonzero(np.sign(high[:-1]) != np.sign(high[1:]))
    at = crossing + high[crossing] / (high[crossing] - high[crossing + 1])
    upwards = high[crossing + 1] > 0
    return at[upwards], at[~upwards]


# Of few sorts, since each sort compiles anew.
TALL, SMALL = (24, (476, 62)), (256, (220, 38))
NOISY = {"noise_sd": (50.0, 50.0), "clean": (0, 0)}


def test_measured_period_is_the_target():
    image, _, target = render(*TALL)
    for one, period in zip(image, target, strict=True):
        edges = [side for side in stripe_edges(one.mean(1)) if len(side) > 2]
        slopes = [np.polyfit(np.arange(len(side)), side, 1)[0] for side in edges]
        measured = np.average(slopes, weights=[len(side) for side in edges])
        np.testing.assert_allclose(measured, period, rtol=2e-3)
    assert np.all(target % 1 != 0)


def test_periods_are_uniform_over_their_range():
    *_, target = render(*SMALL)
    assert target.min() >= 20 and target.max() <= 140
    assert stats.kstest(target, stats.uniform(20, 120).cdf).pvalue > 0.01


def test_light_fraction_and_phase_are_uniform():
    # Ten whole periods: the mean grey level tells the fraction, the tenth frequency the phase.
    image, *_ = render(*SMALL, period=(22.0, 22.0))
    light = (255 * image.mean((1, 2)) - 50) / (205.5 - 50)
    assert stats.kstest(light, stats.uniform(0.15, 0.30).cdf).pvalue > 0.01
    phase = np.angle(np.fft.rfft(image.mean(2), axis=1)[:, 10])
    assert stats.kstest(phase, stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 0.01


@pytest.mark.parametrize(
    ("period", "fraction", "phase"),
    [(20.0, 0.15, 0.0), (33.7, 0.45, 0.9), (139.9, 0.3, 0.5), (3.3, 0.2, 0.37), (0.7, 0.4, 0.1)],
)
def test_light_cover_is_the_mean_of_a_square_wave_over_each_row(period, fraction, phase):
    rows, oversampling = 150, 1000
    at = (np.arange(rows * oversampling) + 0.5) / oversampling
    wave = (phase + at / period) % 1 < fraction
    expected = wave.reshape(rows, oversampling).mean(1)
    cover = stripes.light_cover(rows, *(jnp.float32(x) for x in (period, fraction, phase)))
    assert cover.shape == (rows,)
    np.testing.assert_allclose(cover, expected, atol=2 / oversampling + 1e-4)
    assert cover.min() >= 0 and cover.max() <= 1


def test_grey_levels_are_uniform_between_their_limits():
    image, *_ = render(*TALL)
    grey = 255 * image
    light = grey.mean(2) > 128
    # Rows beside an edge are mixed.
    alone = np.zeros_like(light)
    alone[:, 1:-1] = (light[:, 1:-1] == light[:, 2:]) & (light[:, 1:-1] == light[:, :-2])
    for rows, low, high in ((alone & ~light, 0, 100), (alone & light, 156, 255)):
        pixels = grey[rows].ravel()
        assert pixels.size > 10_000
        assert pixels.min() > low - 0.01 and pixels.max() < high + 0.01
        uniform = stats.uniform(low, high - low)
        assert stats.kstest(pixels[:10_000], uniform.cdf).pvalue > 0.01


def noise_of(size, frame, noise_sd, clean):
    """Noise, and a mask of the pixels that aren't clipped, both (size, rows, columns).

    The same key draws the same stripes, with noise or without.
    """
    clear, *_ = render(size, frame)
    noisy, *_ = render(size, frame, noise_sd=noise_sd, clean=clean)
    margin = 6 * noise_sd[1]
    return 255 * (noisy - clear), (255 * clear > margin) & (255 * clear < 255 - margin)


def test_noise_is_normal_outside_of_the_clean_rectangles_only():
    noise, unclipped = noise_of(*TALL, (6.0, 6.0), (1, 2))
    clean = noise == 0
    for one, unclipped_one, clean_one in zip(noise, unclipped, clean, strict=True):
        fields = covered_fields(clean_one)
        assert len(fields) > 0
        noisy = unclipped_one & ~union(fields, clean_one.shape)
        assert stats.kstest(one[noisy][:5000], stats.norm(0, 6).cdf).pvalue > 0.01


def test_noise_sd_of_an_image_is_uniform_over_its_range():
    noise, unclipped = noise_of(*SMALL, (2.0, 8.0), (0, 0))
    sd = [one[inside].std() for one, inside in zip(noise, unclipped, strict=True)]
    assert stats.kstest(sd, stats.uniform(2, 6).cdf).pvalue > 0.01


def test_noise_is_clipped():
    image, *_ = render(*SMALL, **NOISY)
    assert image.min() == 0 and image.max() == 1
    assert (image == 0).mean() > 0.05 and (image == 1).mean() > 0.02


def covered_fields(clean, geometry=GEOMETRY):
    """Positions of the grid whose receptive fields are wholly clean."""
    (height, width), (down, right) = geometry.receptive_field, geometry.stride
    rows, columns = geometry.grid(*clean.shape)
    return [
        (i, j)
        for i in range(rows)
        for j in range(columns)
        if clean[down * i : down * i + height, right * j : right * j + width].all()
    ]


def union(fields, frame, geometry=GEOMETRY):
    (height, width), (down, right) = geometry.receptive_field, geometry.stride
    mask = np.zeros(frame, bool)
    for i, j in fields:
        mask[down * i : down * i + height, right * j : right * j + width] = True
    return mask


def rectangles(count, frame, draws, geometry=GEOMETRY):
    draw = jax.vmap(lambda key: stripes.clean_rectangles(key, frame, count, geometry))
    return np.asarray(jax.jit(draw)(jax.random.split(KEY, draws)))


def test_clean_rectangles_are_receptive_fields():
    for clean in rectangles((1, 4), (412, 62), 30):
        fields = covered_fields(clean)
        assert len(fields) >= 1
        np.testing.assert_array_equal(union(fields, clean.shape), clean)


def test_one_clean_rectangle_is_one_field_at_any_position():
    frame, draws = (348, 42), 480  # as many rows as columns: a common draw would show
    found = [covered_fields(clean) for clean in rectangles((1, 1), frame, draws)]
    assert all(len(fields) == 1 for fields in found)
    counts = collections.Counter(fields[0] for fields in found)
    rows, columns = GEOMETRY.grid(*frame)
    assert len(counts) == rows * columns
    assert stats.chisquare(list(counts.values())).pvalue > 0.01


def test_number_of_clean_rectangles_is_uniform():
    # Fields that do not overlap, and so many that two seldom coincide.
    sparse = Geometry((2, 2), (2, 2))
    draws = rectangles((1, 4), (160, 160), 400, sparse).sum((1, 2)) / 4
    counts = collections.Counter(draws.tolist())
    assert set(counts) == {1, 2, 3, 4}
    assert stats.chisquare(list(counts.values())).pvalue > 0.01


def test_no_clean_rectangles():
    assert not rectangles((0, 0), (220, 38), 3).any()


@pytest.mark.parametrize("frame", [(220, 38), (284, 46), (220, 62)])
def test_any_aligned_frame(frame):
    arguments = (2, frame, StripesConfig(noise_sd=(0.0, 100.0)), GEOMETRY)
    batch = jax.eval_shape(lambda key: stripes.render(key, *arguments), KEY)
    assert batch.image.shape == batch.mask.shape == (2, *frame) and batch.target.shape == (2,)
    assert batch.image.dtype == batch.target.dtype == jnp.float32
    assert batch.mask.dtype == jnp.bool_


def test_misaligned_frame_is_refused():
    with pytest.raises(InputError, match="frame 221x38 does not align"):
        stripes.render(KEY, 1, (221, 38), StripesConfig(), GEOMETRY)


def test_a_key_gives_the_same_bits_and_another_key_others():
    first, same, other = (render(*SMALL, **NOISY, key=jax.random.key(k)) for k in (1, 1, 2))
    for one, again in zip(first, same, strict=True):
        np.testing.assert_array_equal(one, again)
    assert np.all(first[2] != other[2])
    assert np.mean(first[0] == other[0]) < 0.1  # clipped pixels may agree


def test_images_of_a_batch_are_drawn_independently():
    image, mask, target = render(*SMALL, **NOISY)
    assert mask.all()
    assert len(set(target.tolist())) == len(target)
    # The grain left when each row's mean is taken away: uncorrelated between any two images.
    grain = (image - image.mean(2, keepdims=True)).reshape(len(image), -1)
    between = np.corrcoef(grain)[~np.eye(len(image), dtype=bool)]
    assert abs(between).max() < 5 / grain.shape[1] ** 0.5


def test_an_image_of_a_compiled_batch_is_the_image_of_its_key():
    size, frame = SMALL
    image, _, target = render(size, frame, **NOISY)
    config = StripesConfig(noise_sd=(50.0, 50.0), clean_rectangles=(0, 0))
    alone, period = stripes._image(jax.random.split(KEY, size)[7], frame, config, GEOMETRY)
    np.testing.assert_allclose(alone, image[7], atol=1e-4)
    np.testing.assert_allclose(period, target[7], rtol=1e-6)
