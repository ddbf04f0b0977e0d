import functools

import jax
import jax.numpy as jnp
import numpy as np
from helpers.membrane_runs import tiny

from srd_jax.tasks.surfaces import model

CONFIG = tiny().model


# Pictures of one shape: one compilation for all tests.
@functools.cache
def network():
    return jax.jit(model.as_function(CONFIG))


def test_a_turned_picture_has_the_same_answer_turned():
    parameters = model.random_parameters(CONFIG, jax.random.key(0))
    y, x = np.mgrid[:33, :33] - 16.0
    image = np.random.default_rng(0).normal(size=(33, 33)) + 3 * np.cos(0.7 * x + 0.3 * y)
    mask = np.hypot(x, y) < 15
    # By a quarter, counter-clockwise as seen: four of the eight turns of half a turn.
    pictures = jnp.asarray(np.stack([image, np.rot90(image)]), jnp.float32)
    masks = jnp.asarray(np.stack([mask, np.rot90(mask)]))
    # But for what the picture itself adds, which isn't the same for a turned one.
    still = {k: 0 * v if k.startswith("whole") else v for k, v in parameters.items()}
    found = network()(still, pictures, masks)
    for value in jax.tree.leaves(found):
        np.testing.assert_allclose(value[1], jnp.roll(value[0], 4, axis=0), atol=2e-4)
    assert found.logit.shape == (2, 8, 12)
    assert np.ptp(np.asarray(found.logit[0]), axis=0).max() > 0.1


def test_pixels_outside_of_the_mask_do_not_count():
    parameters = model.random_parameters(CONFIG, jax.random.key(1))
    random = np.random.default_rng(1)
    mask = jnp.asarray(random.random((2, 33, 33)) < 0.7)
    image = jnp.where(mask, jnp.asarray(random.normal(size=(2, 33, 33)), jnp.float32), 0.0)
    found = network()(parameters, image, mask)
    assert all(np.isfinite(value).all() for value in jax.tree.leaves(found))
    assert found.fraction.min() > 0 and found.fraction.max() < 1
    empty = network()(parameters, 0 * image, jnp.zeros_like(mask))
    assert all(np.isfinite(value).all() for value in jax.tree.leaves(empty))
