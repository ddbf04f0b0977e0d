import pathlib
import signal

import pytest
from helpers.command import read, run
from helpers.crops import write_crop, write_weights

from srd_jax.measuring.estimator import Estimator


@pytest.fixture
def python_ctrl_c():
    """Python's own answer to Ctrl-C, which a process started in the background doesn't have."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupted(monkeypatch, number):
    """Lets Ctrl-C be pressed when a batch of this number is to be measured."""
    measure, calls = Estimator.measure, []

    def measuring(*arguments):
        calls.append(None)
        if len(calls) == number:
            signal.raise_signal(signal.SIGINT)
        return measure(*arguments)

    monkeypatch.setattr(Estimator, "measure", measuring)


@pytest.mark.usefixtures("python_ctrl_c")
def test_ctrl_c_keeps_what_is_measured(tmp_path, capsys, monkeypatch):
    weights = write_weights(tmp_path / "weights.safetensors")
    for seed in range(7):
        write_crop(tmp_path / "grana" / f"{seed}.png", seed)
    out = tmp_path / "r.csv"
    arguments = ("predict", tmp_path / "grana", "--weights", weights, "--out", out)
    with monkeypatch.context() as patch:
        interrupted(patch, 1)
        assert run(*arguments) == 130
        said = capsys.readouterr().err.splitlines()
        assert said == ["0 of 7 files done; nothing is written", "stopped"]
        assert not out.exists()
    with monkeypatch.context() as patch:
        interrupted(patch, 3)
        assert run(*arguments, "--batch-size", 2) == 130
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines() == [
        f"4 of 7 files done; their results are in {out}; the same command goes on from there",
        "stopped",
    ]
    first = read(out)
    assert [pathlib.Path(row["file"]).name for row in first] == [f"{i}.png" for i in range(4)]
    assert run(*arguments, "--batch-size", 2) == 0
    assert read(out)[:4] == first
