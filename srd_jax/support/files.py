"""Files that are written whole or not at all."""

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Iterator

from srd_jax.support.errors import InputError, one_line


@contextlib.contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[pathlib.Path]:
    """Yields a temporary path beside `path` that replaces it when the block ends without an error.

    The temporary name keeps the suffix, so that libraries that choose a format by it work.

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
        raise InputError(
            f"{target}: cannot be written ({error.strerror or one_line(error)}); "
            "give a path in a writable folder"
        ) from error
    os.close(handle)
    temporary = pathlib.Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(target)
    except OSError as error:
        raise InputError(
            f"{target}: cannot be written ({error.strerror or one_line(error)}); "
            "give the path of a file in a writable folder with room on its disk"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Writes a text file whole or not at all.

    Raises:
      InputError: the file cannot be written.
    """
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def check_writable(path: str | os.PathLike[str]) -> None:
    """Checks that a file could be written, before work is spent on its content.

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
