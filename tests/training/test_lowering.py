"""Every program of a training and a measurement lowers for GPUs and TPUs, which needs neither."""

import dataclasses
import math
import pathlib
import re

import jax
import jax.numpy as jnp
import pytest
from jax import export

from srd_jax.measuring.estimator import Estimator
from srd_jax.support import compiling
from srd_jax.tasks.config_files import read_config
from srd_jax.tasks.make import make_task
from srd_jax.tasks.period import model, weights
from srd_jax.tasks.period.config import CropsConfig, DataConfig, MaskedStripesConfig
from srd_jax.training import optimizer, steps, train

CONFIGS = pathlib.Path(__file__).parents[2] / "configs"
PLATFORMS = ("cuda", "tpu")
NAMES = [f"stage{i}" for i in range(1, 7)] + [f"release{i}" for i in range(1, 5)]
# Marks of how arrays lie on devices; no other call may leave the program.
PLACING = {"Sharding", "SPMDFullToShardShape", "SPMDShardToFullShape"}


@pytest.fixture(autouse=True)
def _as_on_an_accelerator(monkeypatch):
    # Some functions ask for the back end while they are traced.
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    compiling.compiler_options.cache_clear()
    yield
    compiling.compiler_options.cache_clear()


@pytest.fixture(scope="module")
def config_of():
    def read(name, dtype="float32", preset="full"):
        config = read_config(CONFIGS / f"{name}.py", preset)
        network = dataclasses.replace(config.model, compute_dtype=dtype)
        config = dataclasses.replace(config, model=network)
        if isinstance(config.source, CropsConfig | MaskedStripesConfig):
            config = dataclasses.replace(
                config, data=DataConfig(dir=str(CONFIGS.parent / "samples"))
            )
        return config

    return read


def abstract_state(config):
    def state():
        parameters = model.random_parameters(config.model, jax.random.key(0))
        update = optimizer.make(config)
        return steps.TrainState(jnp.int32(0), parameters, parameters, update.init(parameters))

    return jax.eval_shape(state)


def lowered(function, *arguments, devices=1):
    """The StableHLO of both platforms, after the checks that hold for every program."""
    program = export.export(function, platforms=PLATFORMS)(*arguments)
    assert program.platforms == PLATFORMS
    assert program.nr_devices == devices
    text = program.mlir_module()
    assert "stablehlo" in text
    assert not re.search(r"\bf64\b|xf64", text), "float64"
    assert not re.search(r"tensor<\?|x\?x|callback", text), "a dynamic shape or a host callback"
    assert set(re.findall(r"custom_call @([\w.]+)", text)) <= PLACING
    # Scatters of images are slow on accelerators, or add in a random order.
    scattered = re.findall(
        r'"stablehlo\.scatter".*?\}\) : .*? -> tensor<([\dx]+)x', text, re.DOTALL
    )
    assert all(math.prod(map(int, shape.split("x"))) < 10_000 for shape in scattered)
    return text


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", NAMES)
def test_training_steps(config_of, name, dtype):
    config = config_of(name, dtype)
    task = make_task(config, pathlib.Path())
    take = steps.make_steps(config, train.data_mesh(config.batch_size), task)
    text = lowered(take, abstract_state(config), jax.eval_shape(lambda: task.source.arrays))
    convolutions = re.findall(r"stablehlo\.convolution.*-> tensor<[\dx]*x(f32|bf16)>", text)
    assert set(convolutions) == {"f32" if dtype == "float32" else "bf16"}


@pytest.mark.parametrize("name", [*NAMES[:6], "release4"])
def test_validation(config_of, name):
    config = config_of(name)
    task = make_task(config, pathlib.Path())
    validate = steps.make_validation(config, task.source, task.evaluate)
    parameters = abstract_state(config).parameters
    lowered(validate, parameters, jax.eval_shape(lambda: task.source.arrays))


@pytest.mark.parametrize("name", ["stage4", "release4"])
def test_training_steps_of_eight_devices(config_of, name):
    config = config_of(name)
    mesh = jax.sharding.AbstractMesh((8,), ("data",), axis_types=(jax.sharding.AxisType.Auto,))
    task = make_task(config, pathlib.Path())
    take = steps.make_steps(config, mesh, task)
    arrays = jax.eval_shape(lambda: task.source.arrays)
    everywhere = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
    state, arrays = jax.tree.map(
        lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=everywhere),
        (abstract_state(config), arrays),
    )
    text = lowered(take, state, arrays, devices=8)
    assert '["data"=8]' in text


def test_prediction():
    network = Estimator(weights.load())
    image = jax.ShapeDtypeStruct((network.batch_size, 476, 476), jnp.float32)
    parameters = jax.eval_shape(lambda: dict(network.weights.parameters))
    lowered(jax.jit(lambda p, i: network._evaluate(p, i, True)), parameters, image)
