import csv
import json
import os
import shutil
import struct

import numpy as np
import pytest
from helpers.training_runs import (
    CONFIG_FILE,
    HURRY,
    ROOT,
    python,
    read_checkpoint,
    same_bits,
    undisturbed,
)
from PIL import Image
from safetensors.numpy import load_file
from tensorboardX.proto import event_pb2

FILES = {
    "config.json",
    "metrics.csv",
    "events",
    "curves.png",
    "checkpoints",
    "weights.safetensors",
    "summary.json",
    "time.json",
}


def launch(*arguments, **environment):
    return python("launch.py", *arguments, **environment)


def refused(status, *arguments):
    """Launches a command that must fail, and returns its line of error."""
    done = launch(*arguments)
    assert done.returncode == status
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    return done.stderr.removeprefix("error: ").rstrip()


def scalars(folder):
    """(tag, step) → value of all events, read as the format's records are laid out."""
    values = {}
    for path in folder.iterdir():
        data = path.read_bytes()
        while data:  # length, its checksum, event, its checksum
            (size,) = struct.unpack("<Q", data[:8])
            event = event_pb2.Event.FromString(data[12 : 12 + size])  # pyright: ignore
            values |= {(value.tag, event.step): value.simple_value for value in event.summary.value}
            data = data[16 + size :]
    return values


@pytest.fixture(scope="module")
def launched(tmp_path_factory):
    workdir = tmp_path_factory.mktemp("launch") / "new" / "run"
    return workdir, launch(f"--config={CONFIG_FILE}", f"--workdir={workdir}")


def test_a_run_says_what_it_does_and_nothing_else(launched):
    workdir, done = launched
    assert done.returncode == 0
    assert done.stderr == ""
    first, *epochs, bar, best, results = done.stdout.splitlines()
    assert first.startswith(f"{workdir}: new parameters; ")
    assert [line.split(",")[0] for line in epochs] == ["epoch 1/2", "epoch 2/2"]
    assert bar.startswith("tiny ")
    assert "4/4" in bar
    assert best.startswith("best validation MAE ")
    assert results.startswith(f"results in {workdir}: ")


def test_a_run_leaves_its_files(launched):
    workdir, _ = launched
    assert {path.name for path in workdir.iterdir()} == FILES
    assert np.ptp(np.asarray(Image.open(workdir / "curves.png").convert("L"))) > 100
    assert json.loads((workdir / "config.json").read_text())["epochs"] == 2
    with (workdir / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["1", "2", "3", "4"]
    assert [row["images"] for row in rows] == ["4", "8", "12", "16"]
    assert [bool(row["val_mae"]) for row in rows] == [False, True, False, True]
    summary = json.loads((workdir / "summary.json").read_text())
    assert summary["val_mae"] == min(float(row["val_mae"]) for row in rows if row["val_mae"])
    events = scalars(workdir / "events")
    for name in ("train_loss", "train_mae", "gradient_norm", "learning_rate", "val_mae"):
        table = {(name, int(row["step"])): float(row[name]) for row in rows if row[name]}
        found = {key: value for key, value in events.items() if key[0] == name}
        assert found == pytest.approx(table, rel=1e-6)


def test_the_weights_are_the_average_of_the_best_checkpoint(launched):
    workdir, _ = launched
    step = json.loads((workdir / "summary.json").read_text())["best_step"]
    average = {
        key.split("'")[3]: value
        for key, value in read_checkpoint(workdir, step).items()
        if key.startswith("['average']")
    }
    assert same_bits(load_file(workdir / "weights.safetensors"), average)


def test_a_launched_run_ends_with_the_bits_of_one_called_from_python(launched):
    workdir, _ = launched
    assert same_bits(read_checkpoint(workdir, 4), read_checkpoint(undisturbed(), 4))
    for name in ("metrics.csv", "summary.json", "config.json"):
        assert (workdir / name).read_bytes() == (undisturbed() / name).read_bytes()


def test_a_metric_that_is_not_finite_is_one_line(tmp_path):
    done = launch(
        f"--config={CONFIG_FILE}",
        f"--workdir={tmp_path / 'run'}",
        "--config.loss.name=mse",
        "--config.optimizer.learning_rate=1e30",
        "--config.optimizer.schedule=constant",
        XLA_FLAGS=HURRY,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("stopped: validation MAE is nan at step 2; ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("flag", "found"),
    [
        ("--config.epoch=3", "epoch not found"),
        ("--config.epochs=many", "--config.epochs=many"),
        ("--config.frame=(50,24.5)", "config.frame[1] is 24.5; accepted: int"),
        ("epochs=3", "unexpected argument epochs=3"),
    ],
)
def test_a_wrong_flag_is_one_line(tmp_path, flag, found):
    workdir = tmp_path / "run"
    assert found in refused(2, f"--config={CONFIG_FILE}", f"--workdir={workdir}", flag)
    assert not workdir.exists()


def test_half_of_the_flags_of_several_processes_is_one_line(tmp_path):
    workdir = tmp_path / "run"
    message = refused(2, f"--config={CONFIG_FILE}", f"--workdir={workdir}", "--num_processes=2")
    assert message.startswith("several processes need --coordinator_address, --num_processes and")
    assert not workdir.exists()


def test_a_folder_of_crops_that_no_stage_reads_is_one_line(tmp_path):
    workdir = tmp_path / "run"
    message = refused(
        2, f"--config={CONFIG_FILE}", f"--workdir={workdir}", f"--config.data.dir={tmp_path}"
    )
    assert message.startswith(f"config.data.dir is {str(tmp_path)!r}, but tiny trains on drawn")
    assert not workdir.exists()


def test_a_platform_that_is_not_there_is_one_line(tmp_path):
    done = launch(f"--config={CONFIG_FILE}", f"--workdir={tmp_path}", JAX_PLATFORMS="none_such")
    assert done.returncode == 2
    assert done.stderr.startswith("error: JAX finds no device: JAX_PLATFORMS is 'none_such'")
    assert done.stderr.count("\n") == 1


def test_a_missing_config_file_is_one_line(tmp_path):
    path = tmp_path / "none.py"
    assert refused(2, f"--config={path}").startswith(f"{path}: no such file")


def test_a_workdir_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("x")
    workdir = tmp_path / "file" / "run"
    message = refused(2, f"--config={CONFIG_FILE}", f"--workdir={workdir}")
    assert message.startswith(f"{workdir}/config.json: cannot be written (")


def test_a_damaged_checkpoint_is_one_line(tmp_path):
    workdir = tmp_path / "run"
    shutil.copytree(undisturbed(), workdir)
    (workdir / "summary.json").unlink()
    newest = workdir / "checkpoints" / "4"
    for path in (newest / "average" / "d").iterdir():
        os.truncate(path, 100)
    message = refused(2, f"--config={CONFIG_FILE}", f"--workdir={workdir}")
    assert message.startswith(f"{newest}: cannot be restored (")


def test_launch_is_flags_only():
    assert len((ROOT / "launch.py").read_text().splitlines()) < 60
