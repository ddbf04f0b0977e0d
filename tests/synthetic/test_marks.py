import io

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from scipy import fft

from srd_jax.synthetic import marks
from srd_jax.synthetic.config import QualityConfig
from srd_jax.synthetic.draws import Deck, smooth_field

pytestmark = pytest.mark.hurry

ROWS, COLUMNS = jnp.arange(96.0), jnp.arange(128.0)
SIZE = jnp.float32(96), jnp.float32(128)


def picture(seed=0):
    field = jax.jit(
        lambda key: smooth_field(key, ROWS, COLUMNS, (jnp.float32(6), jnp.float32(9)), (6, 9))
    )(jax.random.key(seed))
    return np.clip(np.round(128 + 45 * np.asarray(field)), 0, 255)


@pytest.mark.parametrize("quality", [30, 50, 75, 95])
def test_jpeg_is_what_the_decoder_of_a_jpeg_file_gives(quality):
    image = picture()
    file = io.BytesIO()
    Image.fromarray(image.astype(np.uint8)).save(file, "JPEG", quality=quality)
    expected = np.asarray(Image.open(file)).astype(float)
    found = np.clip(np.round(marks.jpeg(jnp.asarray(image), jnp.float32(quality))), 0, 255)
    # The library's cosines are rounded, so a coefficient halfway between two steps may go either
    # way; all others agree, and so does the loss of detail.
    assert np.mean(np.abs(found - expected) <= 1) > 0.95
    lost, lost_there = (x - image for x in (found, expected))
    if quality <= 50:  # above, little more than the rounding to whole levels is lost
        assert np.corrcoef(lost.ravel(), lost_there.ravel())[0, 1] > 0.9
    assert lost.std() == pytest.approx(lost_there.std(), rel=0.1)


def test_jpeg_rounds_the_cosines_of_each_block():
    image = picture(1)
    found = np.asarray(marks.jpeg(jnp.asarray(image), jnp.float32(50)), np.float64) - 128
    blocks = found.reshape(12, 8, 16, 8).transpose(0, 2, 1, 3)
    cosines = fft.dctn(blocks, axes=(2, 3), norm="ortho") / np.array(marks._JPEG)
    np.testing.assert_allclose(cosines, np.round(cosines), atol=2e-4)


def test_stain_darkens_a_few_round_places():
    config = QualityConfig(blobs=(5, 5), blob_radius=(3.0, 3.0), blob_depth=(50.0, 50.0))
    flat = jnp.zeros((96, 128))
    draw = jax.jit(lambda key: marks.stain(key, ROWS, COLUMNS, SIZE, flat, config))
    found = np.asarray(draw(jax.random.key(0)))
    assert found.min() >= 0
    # The integral of five Gaussians of depth 1.2 * 50, sd about 3, less their parts outside.
    assert found.sum() == pytest.approx(5 * 60 * 2 * np.pi * 9, rel=0.35)
    assert not np.asarray(
        marks.stain(jax.random.key(0), ROWS, COLUMNS, SIZE, flat, QualityConfig(blobs=(0, 0)))
    ).any()


def test_scratches_are_thin_and_straight():
    config = QualityConfig(scratches=2.0)
    found = np.asarray(marks.scratches(jax.random.key(3), ROWS, COLUMNS, SIZE, config))
    share = np.mean(found != 0)
    assert 0.002 < share < 0.1
    assert np.abs(found).max() > 10
    none = marks.scratches(jax.random.key(3), ROWS, COLUMNS, SIZE, QualityConfig(scratches=0.0))
    assert not np.asarray(none).any()


def test_scan_lines_run_along_one_axis():
    config = QualityConfig(scan_lines=1.0, scan_line_sd=(2.0, 2.0))
    seen = set()
    for seed in range(8):
        found = np.asarray(marks.scan_lines(jax.random.key(seed), (96, 128), config))
        constant = tuple(bool(np.ptp(found, axis=axis).max() == 0) for axis in (0, 1))
        seen.add(constant)
        assert found.std() == pytest.approx(2, rel=0.3)
    assert seen == {(True, False), (False, True)}


def test_smooth_fields_are_normal_and_as_smooth_as_asked():
    rows, columns = jnp.arange(64.0), jnp.arange(200.0)
    draw = jax.jit(
        jax.vmap(
            lambda key: smooth_field(key, rows, columns, (jnp.float32(5), jnp.float32(20)), (4, 8))
        )
    )
    fields = np.asarray(draw(jax.random.split(jax.random.key(0), 300)), np.float64)
    np.testing.assert_allclose(fields.var(axis=0), 1, atol=0.45)
    assert fields.var() == pytest.approx(1, abs=0.03)
    assert abs(fields.mean()) < 0.03
    # Bumps of sd 0.7 scales: the correlation at distance d is exp(-(d / (2 * 0.7 scale))^2).
    for axis, scale, lag in ((1, 5, 5), (2, 20, 20)):
        near = np.take(fields, np.arange(fields.shape[axis] - lag), axis)
        far = np.take(fields, np.arange(lag, fields.shape[axis]), axis)
        assert np.mean(near * far) == pytest.approx(np.exp(-((1 / 1.4) ** 2)), abs=0.05), scale


def test_log_uniform_values_are_uniform_in_their_logarithm():
    keys = jax.random.split(jax.random.key(0), 2000)
    values = np.asarray(jax.vmap(lambda key: Deck(key, 1).log_uniform((2.0, 50.0)))(keys))
    shares = np.histogram(np.log(values), np.linspace(np.log(2), np.log(50), 5))[0] / 2000
    np.testing.assert_allclose(shares, 0.25, atol=0.03)
