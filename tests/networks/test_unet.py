import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from srd_jax.networks import attention_gate, layers, modules, unet
from srd_jax.networks.receptive_field import multiple_of
from srd_jax.networks.unet import UNet, doubled, reach

CHANNELS = (4, 8, 8)


def build():
    return UNet(CHANNELS, outputs=3, group=4, rngs=nnx.Rngs(0))


@pytest.fixture(scope="module")
def network():
    apply = jax.jit(modules.as_function(build))
    parameters = modules.parameters_of(build())
    return lambda image: np.asarray(apply(parameters, image))


def image(rows, columns, seed=0):
    return np.random.default_rng(seed).normal(size=(2, rows, columns, 1)).astype(np.float32)


def test_the_result_is_half_as_fine(network):
    assert network(image(32, 24)).shape == (2, 16, 12, 3)
    assert multiple_of(len(CHANNELS)) == 4


def test_parameters_have_names_and_start_finite():
    parameters = modules.parameters_of(build())
    assert {"stem.kernel", "down.1.norms.0.scale", "up.0.gate.psi", "head.bias"} <= {*parameters}
    assert parameters["head.kernel"].shape == (1, 1, 8, 3)
    assert modules.parameter_shapes(build) == modules.shapes_of(parameters)


def test_a_pixel_has_influence_within_the_reach_and_not_beyond(network):
    plain = image(160, 160)
    changed = plain.copy()
    changed[:, 80, 80] += 5.0
    rows, columns = np.nonzero(np.abs(network(plain) - network(changed)).max((0, 3)))
    # Centres of the result's pixels, px of the image.
    away = np.maximum(np.abs(2 * rows + 0.5 - 80), np.abs(2 * columns + 0.5 - 80))
    assert reach(len(CHANNELS)) / 2 < away.max() <= reach(len(CHANNELS))


def test_a_part_of_an_image_has_the_result_of_the_whole(network):
    whole = image(160, 160, seed=1)
    margin = -(-reach(len(CHANNELS)) // 4) * 4
    part = network(whole[:, 32:144, 32:144])[:, margin // 2 : -margin // 2, margin // 2 :]
    expected = network(whole)[:, 16 + margin // 2 : 72 - margin // 2, 16 + margin // 2 : 72]
    inner = np.s_[:, :, : -margin // 2]
    np.testing.assert_allclose(part[inner], expected[inner], atol=1e-5)


def test_gradients_are_those_of_plain_operations(monkeypatch):
    parameters, random = modules.parameters_of(build()), np.random.default_rng(2)
    x, weight = image(16, 16), random.normal(size=(2, 8, 8, 3))

    def gradient():
        apply = modules.as_function(build)
        return jax.jit(jax.grad(lambda parameters: (apply(parameters, x) * weight).sum()))(
            parameters
        )

    def convolve(image, kernel, groups=1):
        layout = ("NHWC", "HWIO", "NHWC")
        return jax.lax.conv_general_dilated(
            image, kernel, (1, 1), "SAME", dimension_numbers=layout, feature_group_count=groups
        )

    found = gradient()
    for module in (unet, layers, attention_gate):
        plain = {
            "convolve_same": convolve,
            "add_bias": lambda image, bias: image + bias.reshape(1, 1, 1, -1),
            "relu": jax.nn.relu,
            "depthwise": lambda image, kernel: convolve(image, kernel[:, :, None], image.shape[3]),
        }
        for name in plain.keys() & vars(module).keys():
            monkeypatch.setattr(module, name, plain[name])
    for name, expected in gradient().items():
        np.testing.assert_allclose(found[name], expected, atol=2e-4, rtol=1e-3, err_msg=name)


def test_doubled_repeats_each_pixel():
    small = np.arange(12.0).reshape(1, 2, 3, 2)
    np.testing.assert_array_equal(doubled(jnp.asarray(small)), small.repeat(2, 1).repeat(2, 2))


def test_attention_gates_see_the_skip_of_their_own_level(monkeypatch):
    seen = []
    call = unet.AttentionGate.__call__
    monkeypatch.setattr(
        unet.AttentionGate,
        "__call__",
        lambda gate, x, g: seen.append((x.shape, g.shape)) or call(gate, x, g),
    )
    jax.eval_shape(UNet((4, 8, 12, 16), 1, group=4, rngs=nnx.Rngs(0)), image(32, 32))
    assert seen == [((2, 8, 8, 12), (2, 4, 4, 12)), ((2, 16, 16, 8), (2, 8, 8, 8))]
