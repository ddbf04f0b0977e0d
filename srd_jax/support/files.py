"""Writes files and folders whole or not at all; reads JSON, writes CSV."""

import contextlib
import csv
import json
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from srd_jax.support.errors import InputError, one_line

_Path = str | os.PathLike[str]

# The text by which PNG files that are drawn here tell themselves from images (PNG specification,
# 11.3.3.2), so that none is measured.
PNG_TEXT = {"Software": "srd_jax"}
_STAMP = b"tEXtSoftware\0srd_jax"
# Such texts come before the pixels; of a drawn picture only short chunks come before them.
_HEAD_BYTES = 1024


@contextlib.contextmanager
def whole_file(path: _Path) -> Iterator[pathlib.Path]:
    """Yields a temporary path that replaces `path` when the block ends without an error.

    The temporary file lies beside `path` and keeps its suffix, by which libraries choose a format.

    Raises:
      InputError: the folder cannot be made or written to.
    """
    target = pathlib.Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=f".{target.stem[:80]}.", suffix=target.suffix, dir=target.parent
        )
    except OSError as error:
        raise unwritable(target, error, "give a path in a writable folder") from error
    os.close(handle)
    temporary = pathlib.Path(name)
    try:
        yield temporary
        _give_usual_mode(temporary, 0o666)
        temporary.replace(target)
    except OSError as error:
        advice = "give the path of a file in a writable folder with room on its disk"
        raise unwritable(target, error, advice) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(path: _Path) -> Iterator[pathlib.Path]:
    """Yields a temporary folder that becomes `path` when the block ends without an error.

    Raises:
      InputError: the path is a file or a folder that isn't empty, or it cannot be written.
    """
    target = pathlib.Path(path).resolve()
    advice = "give a path in a writable folder with room on its disk"
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise InputError(
                f"{path}: is a {'folder with files' if target.is_dir() else 'file'}; "
                "accepted is a new or an empty folder"
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = pathlib.Path(
            tempfile.mkdtemp(prefix=f".{target.name[:80]}.", dir=target.parent)
        )
    except OSError as error:
        raise unwritable(path, error, advice) from error
    try:
        yield temporary
        _give_usual_mode(temporary, 0o777)
        if target.exists():
            target.rmdir()
        temporary.rename(target)
    except OSError as error:
        raise unwritable(path, error, advice) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def unwritable(path: _Path, error: OSError, advice: str) -> InputError:
    """Returns the error for a file or folder that cannot be written, with advice for the user."""
    reason = error.strerror or one_line(error)
    return InputError(f"{path}: cannot be written ({reason}); {advice}")


def _give_usual_mode(path: pathlib.Path, mode: int) -> None:
    """Gives a temporary file or folder, which is its owner's alone, the usual permissions."""
    umask = os.umask(0)
    os.umask(umask)
    path.chmod(mode & ~umask)


def check_writable(path: _Path) -> None:
    """Checks that a file can be written, before work is spent on its content.

    Raises:
      InputError: its folder cannot be made or written to, or the path is a folder.
    """
    if pathlib.Path(path).is_dir():
        raise InputError(f"{path}: is a folder; give the path of a file")
    try:
        with whole_file(path):
            raise _NotWanted
    except _NotWanted:
        pass


class _NotWanted(Exception):
    """Ends whole_file without leaving a file."""


def is_folder(path: _Path) -> bool:
    """Tells whether a path is a folder; a link to one is, and what can't be looked at isn't."""
    try:
        return pathlib.Path(path).is_dir()
    except OSError:
        return False


def is_stamped(path: _Path) -> bool:
    """Tells whether a file is a PNG that was written with `PNG_TEXT`; False if it can't be read."""
    path = pathlib.Path(path)
    try:
        if path.suffix.lower() != ".png" or not path.is_file():
            return False
        with path.open("rb") as file:
            return _STAMP in file.read(_HEAD_BYTES)
    except OSError:
        return False


def write_text(path: _Path, text: str) -> None:
    """Writes a text file whole or not at all.

    Raises:
      InputError: the file cannot be written.
    """
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_json(path: _Path) -> Any:
    """Returns the content of a JSON file.

    Raises:
      InputError: it cannot be read or isn't JSON.
    """
    try:
        return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not JSON ({one_line(error)})") from None


def write_table(
    path: _Path,
    header: Sequence[str],
    rows: Iterable[Iterable[str | float | None]],
    digits: int | None = 6,
    line_end: str = "\r\n",
) -> None:
    """Writes a CSV file whole or not at all; None becomes an empty cell.

    Args:
      path: of the file.
      header: names of the columns.
      rows: as many cells each as the header.
      digits: significant digits of floats; None writes as many as read back as the same bits.
      line_end: end of each line, by default as RFC 4180 has it.

    Raises:
      InputError: the file cannot be written.
    """
    with (
        whole_file(path) as temporary,
        # Names of files needn't be UTF-8; their bytes are kept.
        temporary.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file,
    ):
        writer = csv.writer(file, lineterminator=line_end)
        writer.writerow(header)
        writer.writerows([_text(value, digits) for value in row] for row in rows)


def _text(value: str | float | None, digits: int | None) -> str:
    if value is None:
        return ""
    if digits is None or isinstance(value, (str, int)):
        return str(value)
    return f"{value:.{digits}g}"
