"""Keeps compiled programs of JAX from one run of a command to the next, in the user's cache folder.

JAX's own persistent cache does the work. It is told by the environment, before JAX is imported, so
that worker processes share it.
"""

import contextlib
import hashlib
import importlib.metadata
import os
import pathlib
import platform
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Mapping, MutableMapping

_OFF = "SRD_COMPILATION_CACHE"  # 0 keeps nothing
_FOLDER = "JAX_COMPILATION_CACHE_DIR"
# Programs together, bytes, and the shortest compilation that is kept, s. A network takes some MB.
_LIMITS = {
    "JAX_COMPILATION_CACHE_MAX_SIZE": str(2**28),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.1",
}
# Programs of another version or machine, which may share the home, go after so many seconds.
_UNUSED = 30 * 24 * 3600

# Lines of /proc/cpuinfo that tell the instructions of a CPU, on x86 and on Arm.
_CPU = ("vendor_id", "model name", "flags", "CPU implementer", "CPU part", "Features")


def use(environment: MutableMapping[str, str]) -> None:
    """Tells JAX, which isn't imported yet, the folder of its cache; what the user has set counts.

    Nothing is told, and each run compiles, where the folder can't be written or others could have
    written it: it holds code.
    """
    if environment.get(_OFF) == "0" or _FOLDER in environment:
        return
    with contextlib.suppress(OSError, RuntimeError):  # no home; or a folder that can't be written
        root = _user_folder(environment) / "srd_jax"
        folder = root / _version()
        new = not folder.exists()
        for one in (root, folder):
            _make_private(one)
        with tempfile.TemporaryFile(dir=folder):
            pass
        if new:
            _remove_unused(root)
        for name, value in _LIMITS.items():
            environment.setdefault(name, value)
        environment[_FOLDER] = str(folder)


def _user_folder(environment: Mapping[str, str]) -> pathlib.Path:
    """Returns the user's cache folder (XDG Base Directory Specification; macOS and Windows alike).

    Raises:
      RuntimeError: the user has no home.
    """
    given = pathlib.Path(environment.get("XDG_CACHE_HOME", ""))
    if given.is_absolute():
        return given
    if sys.platform == "win32" and "LOCALAPPDATA" in environment:
        return pathlib.Path(environment["LOCALAPPDATA"])
    home = pathlib.Path(environment.get("HOME") or pathlib.Path.home())
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache")


def _version() -> str:
    """Returns a name for JAX's version and for the CPU, whose programs aren't for any other."""
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("jax", "jaxlib")]
    about = [*versions, platform.machine(), platform.processor(), *_cpu()]
    return f"compiled-{hashlib.sha256(repr(about).encode()).hexdigest()[:16]}"


def _cpu() -> list[str]:
    """Returns the lines of Linux on the first CPU's kind and instructions; [] elsewhere."""
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [line for line in text.split("\n\n")[0].splitlines() if line.startswith(_CPU)]


def _make_private(folder: pathlib.Path) -> None:
    """Makes a folder that only the user can read or write, and those around it.

    Raises:
      OSError: it can't be made, is a link, is another user's, or others can write it.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(folder)
    if hasattr(os, "getuid") and (found.st_uid != os.getuid() or found.st_mode & 0o022):
        raise PermissionError(folder)


def _remove_unused(root: pathlib.Path) -> None:
    for folder in root.glob("compiled-*"):
        if time.time() - folder.lstat().st_mtime > _UNUSED:
            shutil.rmtree(folder, ignore_errors=True)
