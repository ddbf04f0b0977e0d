import os
import shutil
import signal

import numpy as np
import pytest
from helpers.training_runs import one_line, read_checkpoint, same_bits, tiny, undisturbed

from srd_jax.support.errors import InputError
from srd_jax.tasks.make import make_task
from srd_jax.training import train, weights

LAST = 4


def after_step(monkeypatch, step, action):
    """Makes a run take an action once `step` is shown, while the next steps are still to come."""
    show = train.Reporter.show

    def shown(reporter, rows, speed):
        show(reporter, rows, speed)
        if rows[-1]["step"] == step:
            action()

    monkeypatch.setattr(train.Reporter, "show", shown)


def assert_like_undisturbed(workdir):
    expected = undisturbed()
    assert same_bits(read_checkpoint(workdir, LAST), read_checkpoint(expected, LAST))
    for name in ("metrics.csv", "summary.json", "config.json"):
        assert (workdir / name).read_bytes() == (expected / name).read_bytes(), name
    # Not bytes: safetensors writes its metadata in no fixed order.
    found, reference = (weights.load(d / "weights.safetensors") for d in (workdir, expected))
    assert same_bits(found.parameters, reference.parameters)
    assert (found.about, found.origin) == (reference.about, reference.origin)
    assert found.calibration == reference.calibration


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def unfinished(workdir):
    """A copy of the undisturbed run as a kill just before its end leaves it."""
    shutil.copytree(undisturbed(), workdir)
    for name in ("summary.json", "metrics.csv", "weights.safetensors"):
        (workdir / name).unlink()
    return workdir


def content(folder):
    return {
        path.relative_to(folder): (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


# The stop falls on a step with a validation and on one without.
@pytest.mark.parametrize(("number", "saved"), [(signal.SIGINT, 2), (signal.SIGTERM, 3)])
def test_a_run_stopped_by_a_signal_goes_on_to_the_same_bits(
    tmp_path, monkeypatch, capsys, number, saved
):
    before = signal.getsignal(number)
    with monkeypatch.context() as patch:
        after_step(patch, saved - 1, lambda: os.kill(os.getpid(), number))
        with pytest.raises(train.Stopped) as stop:
            train.run(tiny(), tmp_path, make_task)
    message = one_line(stop.value)
    assert f"saved step {saved} of {LAST}" in message
    assert str(tmp_path) in message
    assert signal.getsignal(number) is before
    assert not (tmp_path / "summary.json").exists()
    assert names(tmp_path / "checkpoints") == ["2", "3"][: saved - 1]
    capsys.readouterr()
    train.run(tiny(), tmp_path, make_task)
    assert f"goes on from step {saved} of {LAST}" in capsys.readouterr().out
    assert_like_undisturbed(tmp_path)


def test_a_second_signal_interrupts_at_once_and_loses_only_steps(tmp_path, monkeypatch, capsys):
    def twice():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        after_step(patch, 3, twice)
        with pytest.raises(KeyboardInterrupt):
            train.run(tiny(), tmp_path, make_task)
    assert len((tmp_path / "metrics.csv").read_text().splitlines()) == 1 + 3
    capsys.readouterr()
    train.run(tiny(), tmp_path, make_task)
    assert "goes on from step 2" in capsys.readouterr().out
    assert_like_undisturbed(tmp_path)


def test_a_signal_during_the_last_steps_does_not_stop_the_run(tmp_path, monkeypatch):
    after_step(monkeypatch, LAST - 1, lambda: os.kill(os.getpid(), signal.SIGINT))
    train.run(tiny(), tmp_path, make_task)
    assert_like_undisturbed(tmp_path)


def test_a_half_written_checkpoint_is_not_taken_for_a_whole_one(tmp_path, capsys):
    workdir = unfinished(tmp_path / "run")
    half = workdir / "checkpoints" / f"{LAST}.orbax-checkpoint-tmp"
    half.with_suffix("").rename(half)
    shutil.rmtree(half / "optimizer")
    train.run(tiny(), workdir, make_task)
    assert "goes on from step 2" in capsys.readouterr().out
    assert names(workdir / "checkpoints") == ["2", "4"]
    assert_like_undisturbed(workdir)


def _halve(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(bytes(data))


@pytest.mark.parametrize(
    ("damage", "pattern"),
    [
        (_halve, "average/d/*"),
        (os.unlink, "average/d/*"),
        (_flip, "parameters/d/*"),
        (os.unlink, "parameters/manifest.ocdbt"),
        (_halve, "optimizer/_METADATA"),
        (shutil.rmtree, "optimizer"),
        (shutil.rmtree, "metadata"),
        (_halve, "metadata/metadata"),
        (_halve, "metrics/metrics"),
    ],
)
def test_a_damaged_newest_checkpoint_is_named(tmp_path, damage, pattern):
    workdir = unfinished(tmp_path / "run")
    newest = workdir / "checkpoints" / str(LAST)
    paths = list(newest.glob(pattern))
    assert paths
    for path in paths:
        damage(path)
    with pytest.raises(InputError) as error:
        train.run(tiny(), workdir, make_task)
    message = one_line(error.value)
    assert message.startswith(f"{newest}: ")
    assert "delete this folder" in message


def test_without_the_damaged_checkpoint_the_one_before_it_leads_to_the_same_bits(tmp_path, capsys):
    workdir = unfinished(tmp_path / "run")
    shutil.rmtree(workdir / "checkpoints" / str(LAST))
    train.run(tiny(), workdir, make_task)
    assert "goes on from step 2" in capsys.readouterr().out
    assert_like_undisturbed(workdir)


@pytest.mark.parametrize("missing", ["average", "metrics", "_CHECKPOINT_METADATA"])
def test_an_older_checkpoint_that_was_being_deleted_is_no_hindrance(tmp_path, capsys, missing):
    workdir = unfinished(tmp_path / "run")
    path = workdir / "checkpoints" / "2" / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    train.run(tiny(), workdir, make_task)
    assert f"goes on from step {LAST}" in capsys.readouterr().out
    assert_like_undisturbed(workdir)


def test_a_finished_run_is_left_as_it_is(tmp_path, capsys):
    workdir = tmp_path / "run"
    shutil.copytree(undisturbed(), workdir)
    before = content(workdir)
    summary = train.run(tiny(), workdir, make_task)
    assert f"{workdir}: this run is finished" in capsys.readouterr().out
    assert content(workdir) == before
    assert summary["steps"] == LAST
    assert np.isfinite(summary["val_mae"])


def test_a_workdir_of_another_config_is_refused_with_the_fields(tmp_path):
    workdir = tmp_path / "run"
    shutil.copytree(undisturbed(), workdir)
    before = content(workdir)
    config = tiny(seed=5)
    config.optimizer.learning_rate = 0.5
    with pytest.raises(InputError) as error:
        train.run(config, workdir, make_task)
    message = one_line(error.value)
    assert message.startswith(f"{workdir}: ")
    assert "config.seed: 5 against 0" in message
    assert "config.optimizer.learning_rate: 0.5 against 0.002" in message
    assert "weight_decay" not in message
    assert content(workdir) == before


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"", "not JSON"),
        (b'{"name": "ti', "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[1, 2]", "[1, 2]"),
        (b'{"nome": "tiny"}', "config.nome is unknown"),
    ],
)
def test_a_broken_config_json_is_named(tmp_path, text, found):
    path = tmp_path / "config.json"
    path.write_bytes(text)
    with pytest.raises(InputError) as error:
        train.run(tiny(), tmp_path, make_task)
    message = one_line(error.value)
    assert message.startswith(f"{path}: ")
    assert found in message
    assert path.read_bytes() == text
