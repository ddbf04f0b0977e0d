"""One run on one device, on eight, and on two processes of four, and from each to the other."""

import functools
import os
import re
import shutil
import subprocess
import sys

import jax
import numpy as np
import pytest
from helpers.processes import free_port
from helpers.training_runs import (
    CONFIG_FILE,
    HURRY,
    ROOT,
    assert_restores,
    one_line,
    python,
    read_checkpoint,
    tiny,
)

from srd_jax.support.errors import InputError
from srd_jax.tasks.make import make_task
from srd_jax.tasks.period.model import random_parameters
from srd_jax.tasks.period.weights import about
from srd_jax.training import train, weights
from srd_jax.training.config import StartConfig

pytestmark = pytest.mark.hurry

LAST = 4
FILES = "checkpoints config.json curves.png events metrics.csv start.json summary.json time.json"
FLAGS = f"{HURRY} --xla_force_host_platform_device_count="

EIGHT = """
import pathlib, sys
sys.path.insert(0, "tests")
from helpers.training_runs import assert_restores, tiny
from srd_jax.tasks.make import make_task
from srd_jax.training import train
from srd_jax.training.config import StartConfig
start, workdir, other = sys.argv[1:]
config = tiny(batch_size=8, start=StartConfig(start))
train.run(config, workdir, make_task)
assert_restores(config, pathlib.Path(other), 4)
"""


@functools.cache
def start():
    """A weights file to start from, which spares each process to compile the drawing of one."""
    network = tiny().model
    parameters = jax.jit(functools.partial(random_parameters, network))(jax.random.key(7))
    path = CONFIG_FILE.parent / "start.safetensors"
    weights.save(path, weights.Weights(parameters, about(network), {"run": "random"}))
    return path


@functools.cache
def one_device():
    """The workdir of a whole run on one device; tests must not write to it."""
    workdir = CONFIG_FILE.parent / "one_device"
    train.run(tiny(batch_size=8, start=StartConfig(str(start()))), workdir, make_task)
    return workdir


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory):
    """The workdir of a whole run by two processes of four devices, and what each of them said."""
    workdir = tmp_path_factory.mktemp("two_processes") / "run"
    port = free_port()
    flags = os.environ.get("SRD_TESTS_XLA_FLAGS", "")
    environment = {
        "PYTHONPATH": str(ROOT),
        "XLA_FLAGS": f"{flags} {FLAGS}4",
        "JAX_PLATFORMS": "cpu",
    }
    processes = [
        subprocess.Popen(
            [
                sys.executable,
                "launch.py",
                f"--config={CONFIG_FILE}",
                "--config.batch_size=8",
                f"--config.start.workdir={start()}",
                f"--workdir={workdir}",
                f"--coordinator_address=127.0.0.1:{port}",
                "--num_processes=2",
                f"--process_id={number}",
            ],
            cwd=ROOT,
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]
    try:
        said = [process.communicate(timeout=600) for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [0, 0], said
    return workdir, said


@pytest.fixture(scope="module")
def eight_devices(tmp_path_factory):
    """The workdir of a whole run on eight devices, which then restore one device's checkpoint."""
    workdir = tmp_path_factory.mktemp("eight_devices") / "run"
    arguments = (start(), workdir, one_device())
    done = python("-c", EIGHT, *arguments, XLA_FLAGS=f"{FLAGS}8", JAX_PLATFORMS="cpu")
    assert done.returncode == 0, done.stderr
    assert "; 8 cpu device(s)\n" in done.stdout
    return workdir


def assert_like_one_device(workdir):
    found, expected = (read_checkpoint(d, LAST) for d in (workdir, one_device()))
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=0.0, atol=1e-6, err_msg=name)
    tables = [
        np.genfromtxt(d / "metrics.csv", delimiter=",", skip_header=1)
        for d in (workdir, one_device())
    ]
    np.testing.assert_allclose(tables[0], tables[1], rtol=1e-5)


def test_eight_devices_train_like_one_and_restore_its_bits(eight_devices):
    assert_like_one_device(eight_devices)


def test_two_processes_of_four_devices_train_like_one_device(two_processes):
    workdir, _ = two_processes
    assert_like_one_device(workdir)


def test_process_0_alone_prints_and_writes(two_processes):
    workdir, ((out, errors), others) = two_processes
    assert others == ("", "")
    assert errors == ""
    # Gloo, which adds over processes on a CPU, prints lines of its own, several at a time.
    lines = [line for line in out.splitlines() if not re.search(r"\[Gloo\]|peer ranks", line)]
    assert lines[0].endswith("; 8 cpu device(s) of 2 processes")
    assert len([line for line in lines if line.startswith("epoch ")]) == 2
    assert {path.name for path in workdir.iterdir()} == {*FILES.split(), "weights.safetensors"}
    assert len(list((workdir / "events").iterdir())) == 1


def test_one_device_goes_on_from_eight(eight_devices, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(eight_devices, run)
    shutil.rmtree(run / "checkpoints" / str(LAST))
    (run / "summary.json").unlink()
    train.run(tiny(batch_size=8, start=StartConfig(str(start()))), run, make_task)
    assert_like_one_device(run)


def test_one_device_restores_the_bits_that_two_processes_saved(two_processes):
    workdir, _ = two_processes
    assert_restores(tiny(batch_size=8), workdir, LAST)


@pytest.mark.parametrize(
    ("size", "accepted"), [(6, "8"), (20, "16 or 24"), (1, "8"), (17, "16 or 24")]
)
def test_the_check_of_the_batch_names_accepted_sizes(monkeypatch, size, accepted):
    monkeypatch.setattr(train.jax, "device_count", lambda: 8)
    with pytest.raises(InputError) as error:
        train.data_mesh(size)
    assert one_line(error.value) == (
        f"config.batch_size is {size}, but there are 8 devices; "
        f"accepted: a multiple of 8, such as {accepted}"
    )
