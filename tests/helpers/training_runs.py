"""Runs of a tiny network, small enough to be trained within the tests."""

import atexit
import dataclasses
import functools
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import jax
import numpy as np
import orbax.checkpoint as ocp

import srd_jax
from helpers import hurry
from srd_jax.networks.receptive_field import Block
from srd_jax.synthetic.config import StripesConfig
from srd_jax.tasks.make import make_task
from srd_jax.tasks.period.config import EncoderConfig, ModelConfig, PeriodConfig
from srd_jax.training import checkpoint, start, train
from srd_jax.training.config import OptimizerConfig, ValidationConfig
from srd_jax.training.task import Task

ROOT = pathlib.Path(srd_jax.__file__).parents[1]
ITEMS = ("parameters", "average", "optimizer")

_folder = pathlib.Path(tempfile.mkdtemp(prefix="srd_jax_tests_"))
atexit.register(shutil.rmtree, _folder, ignore_errors=True)

# Where the bits don't matter, programs are compiled in a hurry.
HURRY = hurry.FLAGS

# A config file that launch.py can read.
CONFIG_FILE = _folder / "tiny.py"
CONFIG_FILE.write_text(
    f"import sys\nsys.path.insert(0, {str(ROOT / 'tests')!r})\n"
    "from helpers.training_runs import tiny as get_config\n"
)


def tiny(**changes) -> PeriodConfig:
    """A run of 4 steps, one a chunk, with a validation after steps 2 and 4."""
    config = PeriodConfig(
        name="tiny",
        frame=(50, 24),
        batch_size=4,
        steps_per_epoch=2,
        epochs=2,
        log_every_steps=1,
        model=ModelConfig(
            encoder=EncoderConfig((Block(1, (2, 2)), Block(1, (2, 1))), channels=4),
            initial_period=10.0,
        ),
        source=StripesConfig(period=(4.0, 16.0)),
        optimizer=OptimizerConfig("adamw", warmup_steps=1),
        validation=ValidationConfig(images=4, batch_size=4, frame=(50, 24), pictures=0),
    )
    return dataclasses.replace(config, **changes)


def task_of(config) -> Task:
    """The task of a config whose images are drawn, so that no workdir is needed."""
    return make_task(config, _folder / "none")


@functools.cache
def undisturbed() -> pathlib.Path:
    """The workdir of a tiny run that was never stopped; tests must not write to it."""
    workdir = _folder / "undisturbed"
    train.run(tiny(), workdir, make_task)
    return workdir


def read_checkpoint(workdir, step):
    """The arrays of a checkpoint by item and place in its tree, as orbax itself reads them."""
    folder = (workdir / "checkpoints" / str(step)).absolute()
    trees = {}
    with ocp.PyTreeCheckpointer() as checkpointer:
        for item in ITEMS:
            there = ocp.StandardCheckpointHandler().metadata(folder / item)
            # Whatever devices it was saved from.
            host = jax.tree.map(lambda _: ocp.RestoreArgs(restore_type=np.ndarray), there)
            trees[item] = checkpointer.restore(folder / item, restore_args=host)
    leaves, _ = jax.tree_util.tree_flatten_with_path(trees)
    return {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in leaves}


def same_bits(first, second):
    """Tells whether two dicts of arrays hold the same names, types and bits."""
    return first.keys() == second.keys() and all(
        first[name].dtype == second[name].dtype
        and first[name].shape == second[name].shape
        and first[name].tobytes() == second[name].tobytes()
        for name in first
    )


def assert_restores(config, workdir, step):
    """Checks that a checkpoint is restored bit by bit onto all devices, whoever saved it."""
    like = start._abstract_state(config, task_of(config), train.data_mesh(config.batch_size))
    with checkpoint.manager(workdir, read_only=True) as checkpoints:
        found, rows = checkpoint.restore(checkpoints, step, like)
    assert [row["step"] for row in rows] == [*range(1, step + 1)]
    leaves = jax.tree.leaves({name: getattr(found, name) for name in ITEMS})
    saved = [*read_checkpoint(workdir, step).values()]
    assert len(leaves) == len(saved) > 0
    for leaf, expected in zip(leaves, saved, strict=True):
        assert leaf.devices() == set(jax.devices())
        assert all(
            np.asarray(shard.data).tobytes() == expected.tobytes()
            for shard in leaf.addressable_shards
        )


def python(*arguments, **environment):
    """Runs Python in the project's root, compiling as for a user, and returns it."""
    flags = os.environ.get("SRD_TESTS_XLA_FLAGS", "")
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XLA_FLAGS": flags, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def one_line(error):
    """The message of an exception, which must be one line."""
    text = str(error)
    assert text
    assert "\n" not in text
    return text
