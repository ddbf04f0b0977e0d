import os
import pathlib
import subprocess
import sys

from helpers.command import read
from helpers.crops import write_crop, write_weights

import srd_jax

ROOT = pathlib.Path(srd_jax.__file__).parents[1]


def test_python_m_srd_jax(tmp_path):
    weights = write_weights(tmp_path / "weights.safetensors")
    write_crop(tmp_path / "grana" / "a crop with a rather long name 01.png")
    (tmp_path / "grana" / "text.png").write_text("hello")
    done = subprocess.run(
        [sys.executable, "-m", "srd_jax", "predict", "grana", "--weights", weights],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert "\na crop with a rather long name 01.png  " in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert [row["status"] for row in read(tmp_path / "results.csv")] == ["ok", "error"]


def test_a_reader_that_goes_early_leaves_no_traceback():
    process = subprocess.Popen(
        [sys.executable, "-m", "srd_jax", "weights"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdout.close()  # as `| head` does, before anything is written
    with process.stderr:
        assert process.stderr.read() == ""
    assert process.wait() == 141
