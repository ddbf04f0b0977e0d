"""The command line starts quickly: it imports nothing that a command needs only when it runs."""

import os
import pathlib
import subprocess
import sys

import pytest

import srd_jax

ROOT = pathlib.Path(srd_jax.__file__).parents[1]

# With what loads them: JAX alone takes half a second.
HEAVY = {
    "absl",
    "dask",
    "distributed",
    "flax",
    "imagecodecs",
    "jax",
    "jinja2",
    "matplotlib",
    "optax",
    "orbax",
    "pandas",
    "rich",
    "scipy",
    "skimage",
    "tifffile",
}

PROGRAM = """
import sys
from srd_jax.cli import main
try:
    status = main(sys.argv[1:])
except SystemExit as end:  # argparse, after --help
    status = end.code
print(status, *sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


def started(*arguments):
    """Runs the command line in a process; returns its status and the packages it has loaded."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    status, *modules = done.stderr.splitlines()[-1].split()
    return int(status), set(modules)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--help"], 0),
        (["analyse", "--help"], 0),
        (["app", "--help"], 0),
        (["merge", "--help"], 0),
        (["surfaces", "--help"], 0),
        (["surfaces", "fit", "--help"], 0),
        (["predict", "--method", "no such one", "crop.png"], 2),
        (["predict", "--shard", "3/2", "crop.png"], 2),
        (["predict", "--workers", "-1", "crop.png"], 2),
        (["predict", "--dask", "local:0", "crop.png"], 2),
        (["analyse", "--shard", "0/2", "--out", "out", "micrograph.tif"], 2),
        (["surfaces"], 2),
        (["surfaces", "fit", "--cell-nm", "60", "micrograph.tif"], 2),
        (["surfaces", "generate", "--n", "0", "--out", "drawn"], 2),
        (["surfaces", "render", "--type", "no such one", "--a", "79", "--out", "a.png"], 2),
        (["no such command"], 2),
    ],
)
def test_help_and_mistakes_load_no_large_package(arguments, status):
    found, modules = started(*arguments)
    assert found == status
    assert not modules & (HEAVY | {"numpy"})


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict", "no such crop.png"],
        ["predict", "--weights", "w.safetensors", "--method", "fft", "crop.png"],
        ["merge", "all.csv", "no such part.csv"],
        ["surfaces", "fit", "no such micrograph.tif"],
        ["surfaces", "generate", "--out", "drawn"],
    ],
)
def test_what_is_missing_is_told_before_jax_is_loaded(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, modules = started(*arguments)
    assert status == 2
    assert not modules & {"flax", "jax", "matplotlib", "orbax"}


def test_weights_are_read_without_jax():
    status, modules = started("weights")
    assert status == 0
    assert "safetensors" in modules
    assert not modules & (HEAVY - {"absl"})
