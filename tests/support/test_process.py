import os
import pathlib
import re
import subprocess
import sys

import pytest

import srd_jax
from srd_jax.support import process
from srd_jax.support.errors import InputError

ROOT = pathlib.Path(srd_jax.__file__).parents[1]


def srd(*arguments, cwd=None, shell="", **environment):
    """Runs the command line in a process of its own."""
    return subprocess.run(
        ["bash", "-c", f'"$0" -m srd_jax "$@" {shell}', sys.executable, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def raised(error):
    def program():
        raise error

    return program


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (InputError("a.png:\n bad"), 2, "error: a.png: bad\n"),
        (KeyboardInterrupt(), 130, "stopped\n"),
        (BrokenPipeError(), 141, ""),
        (
            OSError(28, "No space left"),
            2,
            "error: standard output cannot be written (No space left)\n",
        ),
    ],
)
def test_exceptions_are_one_line_and_a_status(error, status, said, capsys):
    assert process.run(raised(error)) == status
    assert capsys.readouterr() == ("", said)
    assert process.run(lambda: 1) == 1


def test_the_words_of_an_unexpected_exception_are_kept_back(capsys, monkeypatch):
    monkeypatch.delenv("SRD_TRACEBACK", raising=False)
    assert process.run(raised(IndexError("list index out of range"))) == 70
    said = capsys.readouterr().err
    assert re.match(r"error: an unexpected IndexError in \w+\.py, line \d+; please report", said)
    assert "out of range" not in said
    assert said.count("\n") == 1
    monkeypatch.setenv("SRD_TRACEBACK", "1")
    process.run(raised(IndexError("list index out of range")))
    assert "Traceback" in capsys.readouterr().err


def test_a_platform_that_is_not_there_is_one_line(tmp_path):
    done = srd("make-dataset", "--n", 1, "--out", tmp_path / "set", JAX_PLATFORMS="none_such")
    assert done.returncode == 2
    assert done.stderr.startswith("error: JAX finds no device: JAX_PLATFORMS is 'none_such'; ")
    assert done.stderr.count("\n") == 1
    done = srd("make-dataset", "--help", JAX_PLATFORMS="none_such", MPLBACKEND="none_such")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_working_folder_that_is_gone_is_one_line(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    code = (
        f"import os; os.chdir({str(gone)!r}); os.rmdir({str(gone)!r})\n"
        f"from srd_jax.cli import main; raise SystemExit(main(['predict', {str(ROOT)!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: the working folder doesn't exist any more; ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("shell", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_closed_streams_are_no_fault(shell):
    done = srd("weights", shell=shell)
    assert (done.returncode, done.stderr) == (0, "")


def test_letters_that_the_encoding_lacks_are_question_marks(tmp_path):
    out = tmp_path / "m\u00fcll\u00b5"
    done = srd("make-dataset", "--n", 2, "--out", out, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("m?ll?\n")
