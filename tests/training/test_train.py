import dataclasses
import functools
import json
import logging
import shutil
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers.training_runs import (
    one_line,
    read_checkpoint,
    same_bits,
    task_of,
    tiny,
    undisturbed,
)

from srd_jax.support.errors import InputError
from srd_jax.tasks.make import make_task
from srd_jax.tasks.period import losses, model, sources
from srd_jax.tasks.period.config import LossConfig
from srd_jax.training import optimizer, steps, train
from srd_jax.training.config import StartConfig


def initial_parameters(config):
    return jax.jit(functools.partial(model.random_parameters, config.model))(jax.random.key(7))


def first_state(config):
    parameters = initial_parameters(config)
    return steps.TrainState(
        step=jnp.int32(0),
        parameters=parameters,
        average=jax.tree.map(jnp.copy, parameters),
        optimizer=optimizer.make(config).init(parameters),
    )


def stepper(config):
    mesh = train.data_mesh(config.batch_size)
    take_steps = steps.make_steps(config, mesh, task_of(config))
    everywhere = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
    return lambda state: take_steps(state, ()), jax.device_put(first_state(config), everywhere)


def validation_batch(config, index):
    return sources.make(config).validation((), index)


def fixed_batch(config):
    return jax.jit(lambda: validation_batch(config, 3))()


@pytest.fixture
def images_of(monkeypatch):
    """Returns a function of config, first step and count: the images that these steps train on."""

    def look(config, task, update, state, batch, key):
        return state.replace(step=state.step + 1), {"image": batch.image, "target": batch.target}

    monkeypatch.setattr(steps, "train_step", look)

    def seen(config, first, count):
        config.log_every_steps = config.steps_per_epoch = count
        take_steps, state = stepper(config)
        _, batches = take_steps(state.replace(step=jnp.int32(first)))
        return np.asarray(batches["image"])

    return seen


def test_the_images_of_a_step_follow_from_seed_and_step_alone(images_of):
    together = images_of(tiny(), 0, 4)
    assert len({image.tobytes() for image in together.reshape(-1, *tiny().frame)}) == 16
    for step in (0, 3):
        np.testing.assert_array_equal(images_of(tiny(epochs=9), step, 1)[0], together[step])
    assert not np.isclose(images_of(tiny(seed=1), 0, 4), together).all(axis=(-1, -2)).any()


def test_the_validation_set_is_the_same_for_all_seeds_and_none_of_the_training(images_of):
    first, second = (validation_batch(tiny(seed=seed), 0) for seed in (0, 1))
    np.testing.assert_array_equal(first.image, second.image)
    np.testing.assert_array_equal(first.target, second.target)
    other = tiny()
    other.validation.seed = 5
    for batch in (validation_batch(tiny(), 1), validation_batch(other, 0)):
        assert not np.isin(batch.target, first.target).any()
    training = images_of(tiny(seed=tiny().validation.seed), 0, 4)
    valid = {np.asarray(image).tobytes() for image in first.image}
    assert not valid & {image.tobytes() for image in training.reshape(-1, *tiny().frame)}


def test_validation_is_the_network_on_the_validation_set():
    config = tiny()
    config.validation.images = 8
    parameters = initial_parameters(config)
    task = task_of(config)
    found = steps.make_validation(config, task.source, task.evaluate)(parameters, ())
    period, target = found.period, found.target
    assert found.sd is None
    batches = [validation_batch(config, index) for index in range(2)]
    np.testing.assert_allclose(target, np.concatenate([b.target for b in batches]), rtol=1e-6)
    apply = jax.jit(model.as_function(config.model))
    expected = np.concatenate([apply(parameters, batch.image).period for batch in batches])
    np.testing.assert_allclose(period, expected, rtol=1e-4)


@pytest.fixture
def one_step():
    config = tiny()
    config.model.encoder.dropout = 0.0
    config.optimizer.warmup_steps = 0
    config.optimizer.schedule = "constant"
    config.optimizer.learning_rate = 3e-3
    update = optimizer.make(config)
    return config, jax.jit(functools.partial(steps.train_step, config, task_of(config), update))


def test_steps_lower_the_loss_on_a_fixed_batch(one_step):
    config, step = one_step
    state, batch = first_state(config), fixed_batch(config)
    found = []
    for _ in range(40):
        state, metrics = step(state, batch, jax.random.key(0))
        found.append(float(metrics["loss"]))
    assert int(state.step) == 40
    assert found[-1] < 0.5 * found[0]


def test_the_metrics_of_a_step_are_those_of_its_first_parameters(one_step):
    config, step = one_step
    state, batch = first_state(config), fixed_batch(config)

    def loss(parameters):
        period = model.as_function(config.model)(parameters, batch.image).period
        queries = parameters["period_pool.queries"]
        overlap = ((queries[0] * queries[1]) ** 2).mean()
        return losses.log_period(period, batch.target).mean() + 0.1 * overlap, period

    (expected, period), gradient = jax.jit(jax.value_and_grad(loss, has_aux=True))(state.parameters)
    _, metrics = step(state, batch, jax.random.key(0))
    assert float(metrics["loss"]) == pytest.approx(float(expected), rel=1e-5)
    assert float(metrics["mae"]) == pytest.approx(
        float(jnp.abs(period - batch.target).mean()), 1e-5
    )
    flat = np.concatenate([np.ravel(leaf) for leaf in gradient.values()])
    assert float(metrics["gradient_norm"]) == pytest.approx(np.linalg.norm(flat), rel=1e-4)


def test_the_state_is_donated_without_a_warning():
    take_steps, state = stepper(tiny())
    leaves = jax.tree.leaves(state)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        state, _ = take_steps(state)
        take_steps(state)
    assert all(leaf.is_deleted() for leaf in leaves)


def test_chunks_are_compiled_once(caplog):
    take_steps, state = stepper(tiny())
    with jax.log_compiles(), caplog.at_level(logging.WARNING):
        for _ in range(3):
            state, _ = take_steps(state)
    compiled = [r.message for r in caplog.records if "Compiling jit(steps)" in r.getMessage()]
    assert len(compiled) == 1


def test_the_validation_is_compiled_once(caplog, tmp_path):
    config = tiny()
    confident = dataclasses.replace(config.model, confidence=True)
    config = dataclasses.replace(config, model=confident, loss=LossConfig("gaussian_nll"))
    with jax.log_compiles(), caplog.at_level(logging.WARNING):
        train.run(config, tmp_path / "run", make_task)  # calibrates at its end
    compiled = [r.message for r in caplog.records if "Compiling jit(validate)" in r.getMessage()]
    assert len(compiled) == 1


@pytest.mark.parametrize(("metric", "value"), [("loss", np.nan), ("gradient_norm", np.inf)])
def test_a_metric_that_is_not_finite_stops_the_run(tmp_path, monkeypatch, metric, value):
    make_steps = steps.make_steps

    def make_spoiled(config, mesh, task):
        take_steps = make_steps(config, mesh, task)

        def take_spoiled(state, arrays):
            state, metrics = take_steps(state, arrays)
            # The fourth step, the second of its chunk.
            spoiled = [
                x if state.step < 4 or i < 1 else value for i, x in enumerate(metrics[metric])
            ]
            return state, metrics | {metric: np.array(spoiled)}

        return take_spoiled

    config = tiny(log_every_steps=2)
    with monkeypatch.context() as patch:
        patch.setattr(steps, "make_steps", make_spoiled)
        with pytest.raises(train.Stopped) as stop:
            train.run(config, tmp_path, make_task)
    kept = tmp_path / "checkpoints" / "2"
    assert one_line(stop.value) == (
        f"stopped: {metric} is {value} at step 4; last good checkpoint: {kept}"
    )
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["2"]
    assert train.run(config, tmp_path, make_task)["steps"] == 4


def test_a_validation_that_is_not_finite_stops_the_run(tmp_path):
    config = tiny()
    config.loss.name = "mse"
    config.optimizer.learning_rate = 1e30
    with pytest.raises(train.Stopped) as stop:
        train.run(config, tmp_path, make_task)
    message = one_line(stop.value)
    assert message.startswith("stopped: validation MAE is nan at step 2; ")
    assert "none was saved yet" in message
    assert not (tmp_path / "weights.safetensors").exists()


def second_stage(**start):
    config = tiny(name="second", seed=4, start=StartConfig(**start))
    config.optimizer.learning_rate = 0.0
    return config


@pytest.mark.parametrize(("by", "kind"), [("stage", "averaged"), ("workdir", "last")])
def test_a_stage_starts_from_the_parameters_of_another(tmp_path, capsys, by, kind):
    shutil.copytree(undisturbed(), tmp_path / "stage1")
    source = {"stage": {"stage": "stage1"}, "workdir": {"workdir": str(tmp_path / "stage1")}}[by]
    workdir = tmp_path / "second"
    train.run(second_stage(**source, parameters=kind), workdir, make_task)
    best = json.loads((undisturbed() / "summary.json").read_text())["best_step"]
    item = {"averaged": "average", "last": "parameters"}[kind]
    # At a rate of zero they are still those that the stage began with.
    expected, found = (
        {key.removeprefix(f"['{name}']"): array for key, array in arrays.items() if name in key}
        for name, arrays in (
            (item, read_checkpoint(undisturbed(), best)),
            ("parameters", read_checkpoint(workdir, 4)),
        )
    )
    assert same_bits(found, expected)
    assert (
        f"{kind} parameters of {tmp_path / 'stage1'}, step {best}; copied: {len(found)} parameters"
        in capsys.readouterr().out
    )


def test_a_stage_whose_source_is_missing_is_one_line_and_can_be_mended(tmp_path):
    workdir = tmp_path / "second"
    with pytest.raises(InputError) as error:
        train.run(second_stage(stage="stage1"), workdir, make_task)
    assert one_line(error.value).startswith(f"{tmp_path / 'stage1'}: holds no checkpoints; ")
    # Nothing of the wrong config stays that would refuse the right one.
    train.run(second_stage(workdir=str(undisturbed())), workdir, make_task)


def test_a_stage_with_another_network_is_one_line_with_the_parameters(tmp_path):
    config = second_stage(workdir=str(undisturbed()))
    config.model.confidence = True
    config.model.hidden = 5
    with pytest.raises(InputError) as error:
        train.run(config, tmp_path, make_task)
    message = one_line(error.value)
    assert message.startswith(f"{undisturbed()}: ")
    assert "missing sd_pool.queries" in message
    assert "period_regressor.hidden.bias has shape (8,), accepted: (5,)" in message
