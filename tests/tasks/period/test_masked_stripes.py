import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers.crops import ellipse
from scipy import ndimage, stats

from srd_jax.imaging.preparation import FRAME
from srd_jax.synthetic.config import StripesConfig
from srd_jax.tasks.period import masked_stripes
from srd_jax.tasks.period.config import AugmentConfig, MaskedStripesConfig, ModelConfig

pytestmark = pytest.mark.hurry

GEOMETRY = ModelConfig().geometry
FIELD = GEOMETRY.receptive_field
NARROW = (476, 46)
KEY = jax.random.key(3)
IMAGES = 100
# Rows are cut to 70 to 100 %, and flipped.
ROWS_ALONE = AugmentConfig(
    tilt=0.0, columns=(1.0, 1.0), black=(0.0, 0.0), white=(255.0, 255.0), noise=(0.0, 0.0)
)


def config(noise_sd=(0.0, 0.0), clean=(1, 4), even=(0.0, 0.0)):
    stripes = StripesConfig(period=(40.0, 80.0), noise_sd=noise_sd, clean_rectangles=clean)
    return MaskedStripesConfig(stripes=stripes, even_noise_sd=even, augment=ROWS_ALONE)


@functools.partial(jax.jit, static_argnums=0)
def _rendered(noise_sd, even):
    return masked_stripes.render(KEY, IMAGES, FIELD, config(noise_sd, (1, 1), even), GEOMETRY)


def rendered(noise_sd, even):
    """Images of one receptive field in grey levels; the same key gives the same stripes."""
    return 255 * np.asarray(_rendered(noise_sd, even).image)


def period_of(profile):
    """Period of the strongest wave of 15 to 250 px in a profile, px, by its Fourier transform."""
    size = 2**16
    power = abs(np.fft.rfft((profile - profile.mean()) * np.hanning(len(profile)), size))
    low, high = size // 250, size // 15
    return size / (low + np.argmax(power[low:high]))


def test_even_noise_is_normal_everywhere():
    clear, noisy = rendered((0.0, 0.0), (0.0, 0.0)), rendered((0.0, 0.0), (6.0, 6.0))
    apart = (clear > 36) & (clear < 255 - 36)
    assert stats.kstest((noisy - clear)[apart][:20_000], stats.norm(0, 6).cdf).pvalue > 0.01
    assert noisy.min() == 0
    assert noisy.max() == 255


def test_even_noise_does_not_spare_the_clean_rectangles():
    # A frame of one receptive field is one clean rectangle.
    clear, noisy = rendered((0.0, 0.0), (0.0, 0.0)), rendered((50.0, 50.0), (0.0, 0.0))
    np.testing.assert_allclose(clear, noisy, atol=1e-4)
    both = rendered((50.0, 50.0), (6.0, 6.0))
    assert (both - clear)[(clear > 36) & (clear < 219)].std() == pytest.approx(6, rel=0.02)


def test_sd_of_even_noise_is_uniform_over_its_range():
    clear, noisy = (rendered((0.0, 0.0), even) for even in ((0.0, 0.0), (2.0, 8.0)))
    apart = (clear > 40) & (clear < 215)
    sd = [(b - a)[inside].std() for a, b, inside in zip(clear, noisy, apart, strict=True)]
    assert stats.kstest(sd, stats.uniform(2, 6).cdf).pvalue > 0.01


def test_validation_shows_unchanged_stripes_inside_of_masks_alone():
    mask = np.stack([ellipse(NARROW), np.ones(NARROW, bool)])
    draw = jax.jit(
        functools.partial(masked_stripes.render_masked, geometry=GEOMETRY, config=config())
    )
    batch = jax.device_get(draw(KEY, mask))
    np.testing.assert_array_equal(batch.mask, mask)
    assert not batch.image[~mask].any()
    assert (batch.image[mask] > 0).mean() > 0.99
    assert period_of(batch.image[1].mean(axis=1)) == pytest.approx(batch.target[1], rel=0.01)
    middle = batch.image[0, 60:-60, 20:26].mean(axis=1)
    assert period_of(middle) == pytest.approx(batch.target[0], rel=0.02)


@functools.cache
def augmented():
    """Images of two keys, alternately in ellipses and in full masks."""
    shown = [ellipse(FRAME), np.ones(FRAME, bool)] * 4
    draw = functools.partial(
        masked_stripes.render_augmented, frame=NARROW, config=config(), geometry=GEOMETRY
    )
    masks, draw = masked_stripes.framed(shown), jax.jit(draw)
    batch = jax.device_get(draw(KEY, masks, jnp.arange(8)))
    again = jax.device_get(draw(KEY, masks, jnp.arange(8)))
    jax.tree.map(np.testing.assert_array_equal, batch, again)
    return batch, jax.device_get(draw(jax.random.key(4), masks, jnp.arange(8)))


def test_the_target_is_the_period_that_the_changed_image_shows():
    batch, other = augmented()
    full = batch.mask.all(axis=(1, 2))
    assert full[1::2].all()
    measured = [period_of(image.mean(axis=1)) for image in batch.image[full]]
    np.testing.assert_allclose(measured, batch.target[full], rtol=0.01)
    # 40 to 80 px, enlarged by up to 1 / 0.7.
    targets = np.concatenate([batch.target[full], other.target[full]])
    assert targets.min() >= 40
    assert targets.max() <= 80 / 0.69
    assert len(set(targets.tolist())) == len(targets)


def test_nothing_is_outside_of_the_masks_but_the_blur_along_them():
    for batch in augmented():
        assert (~batch.mask).any()
        near = ndimage.binary_dilation(batch.mask, np.ones((1, 41, 41)))
        assert batch.image[~near].max(initial=0) < 0.02
        assert (batch.image[batch.mask] > 0.01).mean() > 0.95


def test_a_narrow_frame_shows_no_column_twice():
    for image in augmented()[0].image[1::2]:
        grain = image - image.mean(axis=1, keepdims=True)
        between = np.corrcoef(grain.T)[~np.eye(NARROW[1], dtype=bool)]
        assert abs(between).max() < 0.3


def test_images_and_keys_differ():
    batch, other = augmented()
    assert not set(batch.target.tolist()) & set(other.target.tolist())
    assert (batch.image != other.image).mean() > 0.5
