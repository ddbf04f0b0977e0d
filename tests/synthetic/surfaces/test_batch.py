import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from srd_jax.support.errors import InputError
from srd_jax.support.fields import checked
from srd_jax.synthetic.surfaces import batch, develop, fractions, scene
from srd_jax.synthetic.surfaces.config import LookConfig, SurfacesConfig
from srd_jax.synthetic.surfaces.names import KINDS

pytestmark = pytest.mark.hurry
CONFIG = SurfacesConfig(kinds=("D", "G", "D"))
SHAPE = (48, 64)


@functools.cache
def drawer():
    return jax.jit(lambda key: batch.draw_pictures(key, CONFIG, 6, SHAPE, 16))


def test_batches_are_pictures_with_their_truth():
    found = jax.device_get(drawer()(jax.random.key(0)))
    assert [KINDS[i] for i in found.kind] == ["D", "G", "D"] * 2
    assert found.image.shape == found.mask.shape == (6, *SHAPE)
    for name, low, high in (("cell", 60, 100), ("thickness", 40, 110)):
        values = getattr(found.surface, name)
        assert (values >= low).all() and (values <= high).all() and len(set(values)) == 6
    for kind, level, fraction in zip(found.kind, found.surface.level, found.fraction, strict=True):
        assert fractions.level_of_fraction(KINDS[kind], fraction) == pytest.approx(level, abs=1e-4)
        assert min(fraction, 1 - fraction) >= 0.1
    np.testing.assert_allclose(
        np.exp(found.log_cell_px), found.surface.cell / found.px_nm, rtol=1e-5
    )
    for image, mask in zip(found.image, found.mask, strict=True):
        assert mask.mean() > 0.2 and not image[~mask].any()
        # A few grey values are clipped.
        assert image[mask].mean() == pytest.approx(0, abs=0.05)
        assert image[mask].std() == pytest.approx(1, abs=0.1)


def test_the_same_key_gives_the_same_bits_and_another_one_others():
    first, again, other = (drawer()(jax.random.key(seed)) for seed in (3, 3, 4))
    for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(again), strict=True):
        assert np.array_equal(a, b)
    assert np.abs(first.image - other.image).max() > 0.5


def test_pictures_without_damage_are_their_projections():
    look = LookConfig(
        domains=0, overlaid=0, fade=0, absorption=(0.001, 0.001), blur=(0.05, 0.05),
        contrast=(40, 40), noise=(0.001, 0.001), shading=(0, 0), slope=0, plastoglobules=(0, 0),
        specks=(0, 0), bounded=0, edges=0, masked=0, jpeg=0,
    )  # fmt: skip
    rng = np.random.default_rng(0)
    projected = jnp.float32(rng.uniform(0, 60, (16, 24)))
    developed = jax.jit(functools.partial(develop.develop, look=look))
    grey, mask = developed(jax.random.key(1), projected, 0 * projected, jnp.float32(1.5))
    assert mask.all() and (np.round(grey) == grey).all() and grey.min() >= 0
    inside = (np.asarray(grey) > 0) & (np.asarray(grey) < 255)
    found = np.corrcoef(np.asarray(grey)[inside], -np.asarray(projected)[inside])[0, 1]
    assert found > 0.98


def test_distortions_leave_the_mean_cell_and_direction():
    look = LookConfig(strain=0.0, bent=(0.05, 0.05), bent_scale=(1.5, 1.5))
    moved = displaced(0, dataclasses.replace(CONFIG, look=look, px_nm=(8.0, 8.0)))
    rows, columns = (np.arange(n) - (n - 1) / 2 for n in SHAPE)
    # A plane fitted by least squares is flat.
    y, x = np.meshgrid(rows, columns, indexing="ij")
    design = np.stack([np.ones(y.size), y.ravel(), x.ravel()], axis=1)
    fitted = np.linalg.lstsq(design, moved.reshape(2, -1).T, rcond=None)[0]
    np.testing.assert_allclose(fitted, np.zeros((3, 2)), atol=1e-3)
    assert 0.5 < moved.std() / (0.05 * 80) < 2
    moved = displaced(2, dataclasses.replace(CONFIG, look=LookConfig(strain=0.3, bent=(0.0, 0.0))))
    # Columns x and y of the displacement, rows y and x of the place.
    strain = np.linalg.lstsq(8 * design, moved.reshape(2, -1).T, rcond=None)[0][1:]
    strain = strain[::-1]
    assert strain[0, 0] == pytest.approx(-strain[1, 1], abs=1e-3) and np.abs(strain).max() > 0.01
    assert strain[0, 1] == pytest.approx(strain[1, 0], abs=1e-3) and np.abs(strain).max() <= 0.3


def displaced(seed, config):
    draw = jax.jit(functools.partial(scene.draw_displacement, shape=SHAPE, config=config))
    return np.asarray(draw(jax.random.key(seed), cell=jnp.float32(80.0), px_nm=jnp.float32(8.0)))


def test_grey_values_are_standardised_inside_of_the_mask():
    rng = np.random.default_rng(2)
    grey, mask = rng.normal(100, 20, (12, 12)), rng.random((12, 12)) < 0.6
    found = batch.standardised(jnp.float32(grey), jnp.array(mask))
    expected = np.where(mask, (grey - grey[mask].mean()) / grey[mask].std(), 0)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert not np.asarray(batch.standardised(jnp.ones((4, 4)), jnp.zeros((4, 4), bool))).any()


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (SurfacesConfig(kinds=("D", "Q")), "config.kinds[1] is 'Q'; accepted: G, D, P"),
        (SurfacesConfig(kinds=()), "config.kinds[0] is ''; accepted: G, D, P"),
        (SurfacesConfig(cell=(100.0, 60.0)), "config.cell is (100.0, 60.0)"),
        (SurfacesConfig(look=LookConfig(blur=(0.0, 1.0))), "config.look.blur is (0.0, 1.0)"),
    ],
)
def test_wrong_configs_are_refused(config, words):
    with pytest.raises(InputError) as caught:
        checked(config)
    assert words in str(caught.value)
