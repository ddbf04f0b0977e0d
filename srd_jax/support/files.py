"""Writes files and folders, whole or not at all where that is possible; reads JSON, writes CSV."""

import contextlib
import csv
import errno
import io
import json
import os
import pathlib
import shutil
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO

from srd_jax.support.errors import InputError, one_line

_Path = str | os.PathLike[str]

# The text by which PNG files that are drawn here tell themselves from images (PNG specification,
# 11.3.3.2), so that none is measured.
PNG_TEXT = {"Software": "srd_jax"}
_STAMP = b"tEXtSoftware\0srd_jax"
# Such texts come before the pixels; of a drawn picture only short chunks come before them.
_HEAD_BYTES = 1024
# What a system says where a file may be written but not replaced: a mount, another's file.
_NOT_REPLACED = (
    errno.EACCES,
    errno.EBUSY,
    errno.EPERM,
    errno.EROFS,
    errno.ETXTBSY,
    errno.EXDEV,
)

_WAIT_FOR_READER = 5.0  # s


@contextlib.contextmanager
def whole_file(path: _Path) -> Iterator[pathlib.Path]:
    """Yields a temporary path whose file replaces `path` when the block ends without an error.

    The temporary file keeps the suffix, by which libraries choose a format. Where `path` is a link,
    the file that it leads to is replaced; the permissions of an existing file stay, and its owner
    where the system allows it. What cannot be replaced (a device, a pipe, a file that is mounted
    alone or lies in a folder without the right to write) is written over instead.

    Raises:
      InputError: the file or its folder cannot be made or written to.
    """
    try:
        target, there = _target(path)
        temporary = _temporary(target, there)
    except OSError as error:
        raise unwritable(path, error, "give a path in a writable folder") from error
    try:
        yield temporary
        _put(temporary, target, there)
    except OSError as error:
        advice = "give the path of a file in a writable folder with room on its disk"
        raise unwritable(path, error, advice) from error
    finally:
        temporary.unlink(missing_ok=True)


def _target(path: _Path) -> tuple[pathlib.Path, os.stat_result | None]:
    """Returns the file that a path or a link leads to, and its status; None if there is none."""
    given = pathlib.Path(path)
    target = pathlib.Path(os.path.realpath(given)) if given.is_symlink() else given
    try:
        there = given.stat()
    except FileNotFoundError:
        return target, None
    kind = stat.S_IFMT(there.st_mode)
    if kind not in (stat.S_IFREG, stat.S_IFCHR, stat.S_IFIFO):
        code = errno.EISDIR if kind == stat.S_IFDIR else errno.EINVAL
        raise OSError(code, os.strerror(code))
    if not os.access(given, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    # A link to an open pipe, as /dev/stdout is, has no other path.
    return (target if kind == stat.S_IFREG else given), there


def _temporary(target: pathlib.Path, there: os.stat_result | None) -> pathlib.Path:
    """Makes an empty file: beside the target, or elsewhere if the target cannot be replaced."""
    suffix, prefix = target.suffix, f".{target.stem[:40]}."
    if there is None or stat.S_ISREG(there.st_mode):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            return _made(*tempfile.mkstemp(suffix, prefix, target.parent))
        except OSError as error:
            if there is None or error.errno not in _NOT_REPLACED:
                raise
    return _made(*tempfile.mkstemp(suffix, prefix))


def _made(descriptor: int, name: str) -> pathlib.Path:
    os.close(descriptor)
    return pathlib.Path(name)


def _put(temporary: pathlib.Path, target: pathlib.Path, there: os.stat_result | None) -> None:
    """Replaces the target by a temporary file, or writes it over."""
    if there is None:
        _give_usual_mode(temporary, 0o666)
        temporary.replace(target)
        return
    if temporary.parent == target.parent and stat.S_ISREG(there.st_mode):
        with contextlib.suppress(OSError, AttributeError):  # not the right to; Windows
            os.chown(temporary, there.st_uid, there.st_gid)
        temporary.chmod(stat.S_IMODE(there.st_mode))
        try:
            temporary.replace(target)
            return
        except OSError as error:
            if error.errno not in _NOT_REPLACED:
                raise
    with temporary.open("rb") as content, _opened(target) as file:
        shutil.copyfileobj(content, file)
        file.flush()
        try:
            os.fsync(file.fileno())
        except OSError as error:  # by a device, which keeps nothing
            if error.errno not in (errno.EINVAL, errno.ENOTSUP):
                raise


def _opened(target: pathlib.Path) -> BinaryIO:
    """Opens a file, device or pipe for writing; waits some seconds for the reader of a pipe."""
    give_up = time.monotonic() + _WAIT_FOR_READER
    while True:
        try:
            descriptor = os.open(target, os.O_WRONLY | os.O_TRUNC | os.O_NONBLOCK)
            break
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            if time.monotonic() > give_up:
                raise OSError(errno.ENXIO, "nobody reads the pipe") from error
            time.sleep(0.1)
    os.set_blocking(descriptor, True)
    return os.fdopen(descriptor, "wb")


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
    """Writes a CSV file whole or not at all; see `table_bytes`.

    Raises:
      InputError: the file cannot be written.
    """
    with whole_file(path) as temporary:
        temporary.write_bytes(table_bytes(header, rows, digits, line_end))


def table_bytes(
    header: Sequence[str],
    rows: Iterable[Iterable[str | float | None]],
    digits: int | None = 6,
    line_end: str = "\r\n",
) -> bytes:
    """Returns the content of a CSV file in UTF-8; None becomes an empty cell.

    Args:
      header: names of the columns.
      rows: as many cells each as the header.
      digits: significant digits of floats; None writes as many as read back as the same bits.
      line_end: end of each line, by default as RFC 4180 has it.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=line_end)
    writer.writerow(header)
    writer.writerows([_text(value, digits) for value in row] for row in rows)
    # Names of files needn't be UTF-8; their bytes are kept.
    return text.getvalue().encode("utf-8", "surrogateescape")


def _text(value: str | float | None, digits: int | None) -> str:
    if value is None:
        return ""
    if digits is None or isinstance(value, (str, int)):
        return str(value)
    return f"{value:.{digits}g}"
