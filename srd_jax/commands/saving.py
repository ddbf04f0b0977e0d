"""Where results go: a file or standard output, and a copy elsewhere where that fails."""

import mimetypes
import os
import pathlib
import re
import sys
import tempfile
from collections.abc import Iterable, Sequence

from srd_jax.commands import arguments
from srd_jax.measuring import table
from srd_jax.measuring.result import Result
from srd_jax.support import process
from srd_jax.support.errors import InputError, one_line

STANDARD_OUTPUT = "standard output"

_ITS_NAMES = ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")

_TABLES, _ACCEPTED = ("", ".csv", ".tsv", ".txt"), "accepted is a path ending in .csv"

# Suffixes of arrays and weights, of which the list of types on the Internet doesn't know.
_ARRAYS = (".safetensors", ".ckpt", ".npy", ".npz", ".pt", ".h5", ".dm3", ".dm4", ".mrc")

# The header of results as this program writes it, or as a spreadsheet saves it.
_RESULTS = re.compile(r"""["']?file["']?[,;\t]["']?period_px\b""")
_HEAD_BYTES = 4096


def to_standard_output(out: str) -> bool:
    """Tells whether --out names standard output."""
    return out in _ITS_NAMES


def check(out: str, inputs: Iterable[str | os.PathLike[str]]) -> None:
    """Checks that results can be written and replace no input and nothing but a table.

    Raises:
      InputError: they can't, or would.
    """
    if to_standard_output(out):
        if process.is_closed(sys.stdout):
            raise InputError(f"--out {out}: standard output is closed; {_ACCEPTED}")
        return
    arguments.check_target(out, inputs)
    suffix = pathlib.Path(out).suffix.lower()
    other = any(mimetypes.guess_type(f"name{suffix}")) or suffix in _ARRAYS
    if other and suffix not in _TABLES:
        raise InputError(f"--out {out}: is a table, but named {suffix}; {_ACCEPTED}")
    _check_old(pathlib.Path(out), suffix)


def _check_old(path: pathlib.Path, suffix: str) -> None:
    """Checks that a file which is there already is a table, and not one of known periods."""
    if not path.is_file():
        return
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise InputError(
            f"--out {path}: is there and cannot be read ({error.strerror}); accepted is a new file"
        ) from error
    first = "".join(head.decode("utf-8-sig", "replace").splitlines()[:1])
    if not head or _RESULTS.match(first):
        return
    if b"\0" in head or suffix not in _TABLES or "granum_image" in first.lower():
        raise InputError(
            f"--out {path}: is there already and isn't a table of results; "
            "accepted is a new file, or the results of an earlier run"
        )


def write(out: str, results: Sequence[Result]) -> tuple[str, bool]:
    """Writes results; where that fails says so on stderr, and writes a copy elsewhere.

    Returns:
      Where the results are, "" for nowhere; and whether that is where --out wants them.

    Raises:
      BrokenPipeError: the reader of standard output has gone.
    """
    try:
        if to_standard_output(out):
            process.write_bytes(table.csv_bytes(results))
            return STANDARD_OUTPUT, True
        table.write_csv(out, results)
        return out, True
    except BrokenPipeError:
        raise
    except OSError as error:
        process.discard(sys.stdout)
        problem = f"standard output: cannot be written ({error.strerror or one_line(error)})"
    except InputError as error:
        problem = one_line(error)
    copy = _copy(results)
    kept = f"the results are in {copy}" if copy else "no copy could be written either"
    print(f"error: {problem}; {kept}", file=sys.stderr)
    return copy, False


def _copy(results: Sequence[Result]) -> str:
    """Writes results where a file can be written; returns its path, "" if there is no place."""
    content = table.csv_bytes(results)
    for folder in (None, pathlib.Path("~").expanduser(), pathlib.Path()):
        name = ""
        try:
            descriptor, name = tempfile.mkstemp(".csv", "srd_results_", folder)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            return str(pathlib.Path(name).absolute())
        except (OSError, RuntimeError):  # a user without a home
            if name:
                pathlib.Path(name).unlink(missing_ok=True)
    return ""
