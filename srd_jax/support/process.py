"""The process of a program: its exit status, standard streams and environment."""

import contextlib
import ctypes
import errno
import io
import os
import pathlib
import sys
import traceback
from collections.abc import Callable
from typing import TextIO

from srd_jax.support.errors import InputError, one_line, unexpected

# The last two as a shell gives them to a process that SIGINT or SIGPIPE ended; the one before as
# EX_SOFTWARE of BSD's sysexits.h.
ALL_READ, SOME_FAILED, USAGE, UNEXPECTED, INTERRUPTED, READER_GONE = 0, 1, 2, 70, 130, 141

# What a system says of an open stream that cannot be written.
_UNWRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)

_TRACEBACK = "SRD_TRACEBACK"

# Parameters of mallopt in glibc's malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4


def run(program: Callable[[], int]) -> int:
    """Runs a program, and returns its exit status; any exception becomes one line on stderr.

    With SRD_TRACEBACK=1 in the environment, the traceback of an unexpected one is printed too.
    """
    _prepare()
    try:
        status = program()
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        discard(sys.stdout)
        return READER_GONE
    except InputError as error:
        return _said(one_line(error), USAGE)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        if os.environ.get(_TRACEBACK):
            traceback.print_exc()
        if cause := _outside(error):
            return _said(cause, USAGE)
        report = f"please report it with the traceback that {_TRACEBACK}=1 shows"
        return _said(f"{unexpected(error)}; {report}", UNEXPECTED)


def _said(line: str, status: int) -> int:
    print(f"error: {line}", file=sys.stderr)
    return status


def _outside(error: Exception) -> str:
    """Returns what outside of the program an exception comes from, "" where that isn't known."""
    try:
        pathlib.Path.cwd()
    except OSError:
        return "the working folder doesn't exist any more; accepted is to start in another one"
    if isinstance(error, OSError) and error.errno in _UNWRITTEN and error.filename is None:
        discard(sys.stdout)
        return f"standard output cannot be written ({error.strerror})"
    if _lacks_device():
        return (
            f"JAX finds no device: JAX_PLATFORMS is {os.environ.get('JAX_PLATFORMS', '')!r}; "
            "accepted is a platform of this machine, such as cpu, or the variable unset"
        )
    return ""


def _lacks_device() -> bool:
    jax = sys.modules.get("jax")
    try:
        return jax is not None and not jax.devices()
    except Exception:
        return True


def _prepare() -> None:
    """Prepares standard streams and environment.

    Closed streams are opened, as files opened later would take their place. Characters that the
    encoding of standard output lacks become question marks. No window opens, whatever MPLBACKEND
    says, and JAX may move arrays, which JAX_TRANSFER_GUARD could forbid.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: PTH123, SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    os.environ["MPLBACKEND"] = "agg"
    if os.environ.get("COLUMNS") == "0":  # of a terminal whose size isn't known; nothing would show
        del os.environ["COLUMNS"]
    for name in [name for name in os.environ if name.startswith("JAX_TRANSFER_GUARD")]:
        del os.environ[name]
    keep_memory()


def keep_memory() -> None:
    """Tells glibc to keep freed memory for the next allocation; another C library stays as it is.

    Else the arrays of each image are given back to the system and asked for again, page by page,
    which takes a third of a network's time, and more on a busy machine.
    """
    if sys.platform == "linux":
        set_option = getattr(ctypes.CDLL(None), "mallopt", lambda *_: 0)
        for option, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 2**26)):
            set_option(option, value)


def is_closed(stream: TextIO) -> bool:
    """Tells whether a program was started with a stream closed."""
    return getattr(stream, "name", None) == os.devnull


def discard(stream: TextIO) -> None:
    """Sends to nowhere what a stream that cannot be written still holds, and what follows."""
    # Python flushes at its end, too, and would complain.
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def write_bytes(content: bytes) -> None:
    """Writes bytes to standard output.

    Raises:
      OSError: it cannot be written.
    """
    sys.stdout.flush()
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None:  # a notebook's
        sys.stdout.write(content.decode("utf-8", "replace"))
    else:
        buffer.write(content)
    sys.stdout.flush()
