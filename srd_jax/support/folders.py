"""Folders that are written whole or not at all."""

import contextlib
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator

from srd_jax.support.errors import InputError, one_line


@contextlib.contextmanager
def whole_folder(path: str | os.PathLike[str]) -> Iterator[pathlib.Path]:
    """Yields a temporary folder beside `path` that becomes it when the block ends without an error.

    Raises:
      InputError: there is a file or a folder that isn't empty already, or it cannot be written.
    """
    target = pathlib.Path(path).resolve()
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
        raise _unwritable(path, error) from error
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o777 & ~umask)
        if target.exists():
            target.rmdir()
        temporary.rename(target)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _unwritable(path: str | os.PathLike[str], error: OSError) -> InputError:
    return InputError(
        f"{path}: cannot be written ({error.strerror or one_line(error)}); "
        "give a path in a writable folder with room on its disk"
    )
