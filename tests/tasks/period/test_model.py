import dataclasses
import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from helpers.network_in_numpy import forward

from srd_jax.networks.receptive_field import Block
from srd_jax.support.compiling import jit, over_images
from srd_jax.support.errors import InputError
from srd_jax.tasks.period import model
from srd_jax.tasks.period.config import EncoderConfig, ModelConfig
from srd_jax.tasks.period.model import ConvEncoder, SRDNet

FRAME = (284, 46)  # a grid of 2 x 5
SMALL = ModelConfig(
    encoder=EncoderConfig(blocks=(Block(2, (2, 2)), Block(1, (2, 1))), channels=4, dropout=0.1),
    confidence=True,
)
SMALL_FRAME = (20, 14)  # a grid of 3 x 3


def images(count=2, frame=FRAME, seed=0):
    """Stripes of different periods, so that positions and images differ."""
    random = np.random.default_rng(seed)
    period = random.uniform(20, 60, (count, 1, 1))
    stripes = np.sin(2 * np.pi * np.arange(frame[0])[None, :, None] / period) > 0.3
    grey = np.where(stripes, 0.8, 0.2) + random.uniform(-0.2, 0.2, (count, *frame))
    return jnp.asarray(grey, jnp.float32)


def drawn_for(config, seed=0):
    return model.random_parameters(config, jax.random.key(seed))


@functools.cache
def parameters_of(confidence=True, gain=6**0.5):
    """Random parameters; the gain gives the features He's variance, as if they were trained."""
    drawn = drawn_for(ModelConfig(confidence=confidence))
    return {n: value * (gain if n.startswith("encoder") else 1.0) for n, value in drawn.items()}


def compiled(config):
    return jit(model.as_function(config), static_argnames="with_attention")


def network(confidence=True, **fields):
    return compiled(ModelConfig(confidence=confidence, **fields))


APPLY = model.as_function(ModelConfig(confidence=True))
answer, small_answer = network(), compiled(SMALL)


def test_network_against_its_description_in_float64():
    image = images()
    found = answer(parameters_of(), image, with_attention=True)
    for n in range(len(image)):
        period, sd, attention = forward(parameters_of(), image[n])
        assert attention.std() > 1e-3  # else any attention would do
        np.testing.assert_allclose(found.period[n], period, rtol=1e-4)
        np.testing.assert_allclose(found.sd[n], sd, rtol=1e-4)
        np.testing.assert_allclose(found.attention[n], attention, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("heads", [1, 3])
def test_any_number_of_heads(heads):
    config = dataclasses.replace(SMALL, heads=heads)
    parameters = drawn_for(config, seed=1)
    found = compiled(config)(parameters, images(frame=SMALL_FRAME), with_attention=True)
    assert found.attention is not None
    assert found.attention.shape == (2, 2, heads, *config.geometry.grid(*SMALL_FRAME))
    assert model.queries(parameters).shape == (2, heads, 4)
    for n, branch in enumerate(("period", "sd")):
        np.testing.assert_array_equal(
            model.queries(parameters)[n], parameters[f"{branch}_pool.queries"]
        )


@pytest.mark.parametrize(("batch", "frame"), [(1, (220, 38)), (3, (220, 38)), (1, (284, 62))])
def test_any_batch_and_aligned_frame(batch, frame):
    apply = functools.partial(model.as_function(ModelConfig(confidence=True)), with_attention=True)
    shapes = jax.eval_shape(apply, parameters_of(), images(batch, frame))
    assert shapes.period.shape == shapes.sd.shape == (batch,)
    assert shapes.attention.shape == (batch, 2, 2, *ModelConfig().geometry.grid(*frame))
    assert {leaf.dtype for leaf in jax.tree.leaves(shapes)} == {jnp.dtype(jnp.float32)}


def test_images_of_a_batch_do_not_see_each_other():
    image = images()
    periods = answer(parameters_of(), image).period
    assert abs(np.log(periods[0] / periods[1])) > 1e-3
    # At the same place of the batch; another place may be rounded otherwise by some processors.
    for other in (0.0, image[1, ::-1]):
        changed = answer(parameters_of(), image.at[1].set(other)).period
        np.testing.assert_array_equal(changed[0], periods[0])
    # Prediction computes one image at a time: there the place doesn't matter either.
    one_by_one = jit(lambda x: over_images(functools.partial(APPLY, parameters_of()), x).period)
    np.testing.assert_array_equal(one_by_one(image[::-1]), one_by_one(image)[::-1])


def test_misaligned_frame_is_refused():
    with pytest.raises(InputError, match=r"frame 285x46 does not align.* 284x46 and "):
        answer(parameters_of(), images(frame=(285, 46)))


def test_without_the_confidence_branch():
    found = network(confidence=False)(parameters_of(confidence=False), images())
    assert found.sd is None and found.attention is None
    same = {name: parameters_of()[name] for name in parameters_of(confidence=False)}
    with_sd, without = answer(parameters_of(), images()), network(confidence=False)
    np.testing.assert_allclose(without(same, images()).period, with_sd.period, rtol=1e-6)


def test_parameters():
    def size(shapes):
        return sum(math.prod(shape) for shape in shapes.values())

    shapes = model.parameter_shapes(ModelConfig(confidence=True))
    assert size(shapes) == 84_738
    encoder = {name: shape for name, shape in shapes.items() if name.startswith("encoder.")}
    assert size(encoder) == 83_552
    alone = model.parameter_shapes(ModelConfig())
    assert size(alone) == 83_552 + 64 + 64 * 8 + 8 + 8 + 1
    assert set(shapes) - set(alone) == {name for name in shapes if name.startswith("sd_")}
    drawn = parameters_of()
    assert {name: value.shape for name, value in drawn.items()} == shapes
    assert {value.dtype for value in drawn.values()} == {jnp.dtype(jnp.float32)}


def with_answer(u, v, config=SMALL):
    """Parameters whose regressors return u and v for any image."""
    parameters = drawn_for(config)
    for branch, answer in (("period", u), ("sd", v)):
        name = f"{branch}_regressor.output"
        parameters[f"{name}.kernel"] = jnp.zeros_like(parameters[f"{name}.kernel"])
        parameters[f"{name}.bias"] = jnp.full((1,), answer, jnp.float32)
    return parameters


@pytest.mark.parametrize(("u", "v"), [(4.0, 0.0), (0.25, 2.0), (11.0, -3.0), (0.26, 0.5)])
def test_period_and_sd_of_what_the_regressors_say(u, v):
    found = small_answer(with_answer(u, v), images(frame=SMALL_FRAME))
    field = SMALL.geometry.receptive_field[0]
    np.testing.assert_allclose(found.period, field / u, rtol=1e-6)
    np.testing.assert_allclose(found.sd, math.exp(v), rtol=1e-6)
    full = ModelConfig(confidence=True)
    period = answer(with_answer(u, v, full), images()).period
    np.testing.assert_allclose(period, 220 / u, rtol=1e-6)


def test_period_goes_on_along_its_tangent_below_a_quarter_of_a_period():
    def period(u):
        return 220.0 / model._positive(u)

    u = jnp.array([0.25, 0.2499, 0.1, 0.0, -1.0, -30.0, -1e4, -1e9])
    values, slopes = jax.vmap(jax.value_and_grad(period))(u)
    tangent = 880.0 - 3520.0 * (np.asarray(u, np.float64) - 0.25)
    np.testing.assert_allclose(values, tangent, rtol=1e-5)
    np.testing.assert_allclose(slopes, -3520.0, rtol=1e-4)
    above = jnp.array([0.2501, 0.5, 1.0, 4.0, 11.0])  # at 0.5 the tangent reaches 0
    np.testing.assert_array_equal(model._positive(above), above)
    np.testing.assert_allclose(jax.vmap(jax.grad(period))(above), -220.0 / above**2, rtol=1e-5)


@pytest.mark.parametrize("u", [-100.0, 0.0])
def test_gradients_stay_finite_when_the_regressor_is_far_off(u):
    def loss(parameters):
        found = model.as_function(SMALL)(parameters, images(frame=SMALL_FRAME))
        return (jnp.square(found.period - 55) + found.sd).sum()

    gradients = jit(jax.grad(loss))(with_answer(u, 0.0))
    assert all(np.isfinite(value).all() for value in gradients.values())
    assert gradients["period_regressor.output.bias"][0] < 0  # a descent makes u larger


def test_without_a_key_there_is_no_dropout():
    first, second = (answer(parameters_of(), images()).period for _ in range(2))
    np.testing.assert_array_equal(first, second)
    apply = network(encoder=EncoderConfig(dropout=0.0))
    found = apply(parameters_of(), images(), jax.random.key(0)).period
    np.testing.assert_allclose(found, first, rtol=1e-5)


def test_dropout_differs_by_key_and_keeps_the_mean():
    encoder = ConvEncoder(EncoderConfig(), rngs=nnx.Rngs(0))
    keys = jax.random.split(jax.random.key(1), 400)
    image = images(1, (220, 38))

    @nnx.jit
    def dropped(encoder, keys):
        return encoder(image), jax.vmap(lambda key: encoder(image, key))(keys)

    whole, features = (np.asarray(x).reshape(-1, 32) for x in dropped(encoder, keys))
    zero = features == 0
    # Binomial of 12,800 at 0.1: a sd of 0.0027.
    assert abs(zero.mean() - 0.1) < 0.01
    assert len(np.unique(zero, axis=0)) > 300
    np.testing.assert_allclose(features[~zero], (whole / 0.9).repeat(400, 0)[~zero], rtol=1e-5)


def test_dropout_is_drawn_from_the_key():
    with_key = functools.partial(answer, parameters_of(), images())
    first, same, other = (with_key(jax.random.key(seed)).period for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, same)
    assert np.all(first != other)


@pytest.mark.parametrize("initial", [55.0, 100.0])
def test_first_guesses_lie_near_the_initial_period(initial):
    config = ModelConfig(confidence=True, initial_period=initial)
    for seed in range(6):
        found = answer(drawn_for(config, seed), images(seed=seed))
        assert np.all(np.abs(np.log(found.period / initial)) < np.log(1.5))
        assert np.all(np.abs(np.log(found.sd / 10.0)) < np.log(3.0))


def test_all_hidden_units_are_active_at_the_start():
    @nnx.jit
    def hidden_units(net, image):
        features = net.encoder((image - net.config.grey_mean) / net.config.grey_sd)
        branches = ((net.period_pool, net.period_regressor), (net.sd_pool, net.sd_regressor))
        return jnp.stack([regressor.hidden(pool(features)[0]) for pool, regressor in branches])

    for seed in range(6):
        net = SRDNet(ModelConfig(confidence=True), rngs=nnx.Rngs(seed))
        assert hidden_units(net, images(2, (220, 38), seed)).min() > 0.2


def test_function_equals_the_module():
    net = SRDNet(SMALL, rngs=nnx.Rngs(jax.random.key(7)))
    parameters = drawn_for(SMALL, 7)
    image, key = images(frame=SMALL_FRAME), jax.random.key(8)
    called = nnx.jit(lambda net, *arguments: net(*arguments, with_attention=True))
    found = small_answer(parameters, image, key, with_attention=True)
    expected = called(net, image, key)
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)
    assert small_answer(parameters, image).attention is None


def test_function_does_not_keep_parameters():
    image = images(frame=SMALL_FRAME)
    periods = [small_answer(with_answer(u, 0.0), image).period for u in (4.0, 2.0, 4.0)]
    np.testing.assert_array_equal(periods[2], periods[0])
    np.testing.assert_array_equal(periods[1], 2 * periods[0])


def test_bfloat16_is_close_to_float32():
    exact = answer(parameters_of(), images())
    found = network(compute_dtype="bfloat16")(parameters_of(), images())
    assert {found.period.dtype, found.sd.dtype} == {jnp.dtype(jnp.float32)}
    assert np.any(found.period != exact.period)  # it is another computation
    np.testing.assert_allclose(found.period, exact.period, rtol=0.02)
    np.testing.assert_allclose(np.log(found.sd), np.log(exact.sd), atol=0.1)


def test_second_call_does_not_compile_again():
    apply, traces = model.as_function(SMALL), []

    @jit
    def period(parameters, image, key):
        traces.append(1)
        return apply(parameters, image, key).period

    for seed in range(3):
        parameters = drawn_for(SMALL, seed)
        period(parameters, images(frame=SMALL_FRAME, seed=seed), jax.random.key(seed))
    assert len(traces) == 1
