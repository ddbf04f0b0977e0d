import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from srd_jax.tasks.period.config import PeriodConfig
from srd_jax.training import optimizer
from srd_jax.training.config import OptimizerConfig


def run_of(**fields):
    """100 steps in epochs of 5."""
    return PeriodConfig(epochs=20, steps_per_epoch=5, optimizer=OptimizerConfig(**fields))


def rates(config):
    schedule = optimizer.learning_rate(config)
    return np.array([float(schedule(step)) for step in range(config.steps + 1)])


@pytest.mark.parametrize("schedule", ["constant", "cosine", "step"])
@pytest.mark.parametrize("warmup", [0, 1, 20])
def test_learning_rate(schedule, warmup):
    config = run_of(
        schedule=schedule,
        warmup_steps=warmup,
        learning_rate=0.3,
        step_epochs=(6, 13),
        step_factor=0.1,
    )
    expected = []
    for step in range(config.steps + 1):
        if step < warmup:
            expected.append(0.3 * step / warmup)
        elif schedule == "constant":
            expected.append(0.3)
        elif schedule == "cosine":
            done = (step - warmup) / (config.steps - warmup)
            expected.append(0.3 * 0.5 * (1 + math.cos(math.pi * done)))
        else:
            expected.append(0.3 * 0.1 ** ((step >= 6 * 5) + (step >= 13 * 5)))
    np.testing.assert_allclose(rates(config), expected, rtol=1e-5, atol=1e-7)


def test_schedule_runs_on_the_device():
    config = run_of(warmup_steps=10)
    steps = jnp.arange(config.steps + 1)
    np.testing.assert_allclose(
        jax.jit(jax.vmap(optimizer.learning_rate(config)))(steps), rates(config), atol=1e-9
    )


def adamw(parameter, gradients, rate, decay, clip):
    """AdamW of Loshchilov and Hutter 2019 (arXiv:1711.05101), algorithm 2, of clipped gradients."""
    first, second = np.zeros_like(parameter), np.zeros_like(parameter)
    for step, gradient in enumerate(gradients, start=1):
        gradient = gradient * min(1.0, clip / np.linalg.norm(gradient))
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        update = first / (1 - 0.9**step) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
        parameter = parameter - rate * (update + decay * parameter)
    return parameter


@pytest.mark.parametrize("clip", [1.0, 5.0, 1e6])
def test_steps_are_adamw_of_clipped_gradients(clip):
    random = np.random.default_rng(0)
    start = random.normal(size=12)
    # Of different norms, since one step of AdamW alone does not depend on the gradient's scale.
    gradients = random.normal(size=(4, 12)) * [[1.0], [3.0], [0.1], [10.0]]
    update = optimizer.make(
        run_of(
            name="adamw",
            schedule="constant",
            warmup_steps=0,
            learning_rate=0.1,
            weight_decay=0.2,
            clip_norm=clip,
        )
    )
    # The norm is that of all parameters together.
    parameters = {"a": jnp.asarray(start[:5]), "b": jnp.asarray(start[5:])}
    state = update.init(parameters)
    for gradient in gradients:
        split = {"a": jnp.asarray(gradient[:5]), "b": jnp.asarray(gradient[5:])}
        updates, state = update.update(split, state, parameters)
        parameters = jax.tree.map(jnp.add, parameters, updates)
    found = np.concatenate([parameters["a"], parameters["b"]])
    expected = adamw(start, gradients, 0.1, 0.2, clip)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def orthogonalised(matrix):
    """The quintic iteration of Jordan 2024 (https://kellerjordan.github.io/posts/muon), 5 steps."""
    x = matrix / np.linalg.norm(matrix)
    for _ in range(5):
        a = x @ x.T
        x = 3.4445 * x + (-4.775 * a + 2.0315 * a @ a) @ x
    return x


def test_muon_steps_along_orthogonalised_kernels_and_adam_takes_the_rest():
    random = np.random.default_rng(0)
    shape, rate, decay = (3, 3, 4, 8), 0.1, 0.2
    start = {"kernel": random.normal(size=shape), "queries": random.normal(size=(2, 8))}
    gradients = [{name: random.normal(size=x.shape) for name, x in start.items()} for _ in range(3)]
    update = optimizer.make(
        run_of(
            schedule="constant",
            warmup_steps=0,
            learning_rate=rate,
            weight_decay=decay,
            clip_norm=1e6,
        )
    )
    parameters = jax.tree.map(jnp.asarray, start)
    state = update.init(parameters)
    kernel, momentum = start["kernel"].reshape(36, 8), np.zeros((36, 8))
    for step, gradient in enumerate(gradients, start=1):
        updates, state = update.update(jax.tree.map(jnp.asarray, gradient), state, parameters)
        parameters = jax.tree.map(jnp.add, parameters, updates)
        slope = gradient["kernel"].reshape(36, 8)
        momentum = 0.95 * momentum + 0.05 * slope
        # Nesterov's momentum without bias, as Adam's by Dozat 2016.
        ahead = 0.95 * momentum / (1 - 0.95 ** (step + 1)) + 0.05 * slope / (1 - 0.95**step)
        direction = orthogonalised(ahead) * 0.2 * np.sqrt(36)
        kernel = kernel - rate * (direction + decay * kernel)
    np.testing.assert_allclose(parameters["kernel"].reshape(36, 8), kernel, rtol=1e-3, atol=1e-4)
    # Adam's first steps are the rate in size, whatever the gradient's.
    moved = np.abs(parameters["queries"] - start["queries"]).max()
    assert 0.5 * rate < moved < 3 * len(gradients) * rate


@pytest.mark.parametrize("longest", [0.0, 0.3, 0.99])
def test_average_forgets_the_first_parameters(longest):
    config = dataclasses.replace(OptimizerConfig(), average_decay=longest)
    values = np.random.default_rng(1).normal(size=(40, 3))
    expected, found = values[0], {"a": jnp.asarray(values[0])}
    for step, value in enumerate(values):
        decay = min(longest, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * value
        found = optimizer.averaged(found, {"a": jnp.asarray(value)}, jnp.int32(step), config)
    np.testing.assert_allclose(found["a"], expected, rtol=1e-5, atol=1e-6)


def test_decay_reaches_its_limit():
    one, zero = {"a": jnp.ones(())}, {"a": jnp.zeros(())}
    config = OptimizerConfig(average_decay=0.99)
    for step, decay in ((0, 0.1), (1, 2 / 11), (889, 890 / 899), (891, 0.99), (10**6, 0.99)):
        found = optimizer.averaged(one, zero, jnp.int32(step), config)["a"]
        np.testing.assert_allclose(found, decay, rtol=1e-6)
