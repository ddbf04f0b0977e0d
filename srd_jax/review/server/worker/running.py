"""Runs a module of the package as a process of its own, with limits, and returns its answer."""

import asyncio
import contextlib
import json
import os
import pathlib
import signal
import sys
from collections.abc import Sequence
from typing import Any

from srd_jax.support.errors import InputError

_ABOVE_PACKAGE = pathlib.Path(__file__).parents[4]
_LONGEST_ANSWER = 1 << 20  # bytes
# One thread each: pools take address space, which is limited.
_SINGLE = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def program(module: str) -> list[str]:
    """Returns the command line of a module, which never loads modules of the working folder."""
    return [sys.executable, "-P", "-m", module]


def environment(single: bool = False) -> dict[str, str]:
    """Returns the environment in which a process finds this package.

    Args:
      single: whether the libraries of numbers get one thread.
    """
    paths = [str(_ABOVE_PACKAGE), *filter(None, [os.environ.get("PYTHONPATH")])]
    given = {"PYTHONPATH": os.pathsep.join(paths), "MPLBACKEND": "agg"}
    return {**os.environ, **given, **(dict.fromkeys(_SINGLE, "1") if single else {})}


def end(process: asyncio.subprocess.Process) -> None:
    """Kills a process that leads a session, if it still runs, and those that it has started."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:  # Windows
            process.kill()


async def answer_of(
    command: Sequence[str], seconds: float, doing: str = "decoded", single: bool = True
) -> dict[str, Any]:
    """Runs a program and returns the JSON object that it prints.

    Args:
      command: program and arguments.
      seconds: after which it is killed.
      doing: what becomes of the file, for messages.
      single: whether the libraries of numbers get one thread.

    Raises:
      InputError: the program says why it can't, dies, or takes longer.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment(single),
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(seconds):
            text = await process.stdout.read(_LONGEST_ANSWER)
            await process.wait()
    except TimeoutError:
        raise InputError(
            f"could not be {doing} within {seconds:g} s; accepted are smaller files"
        ) from None
    finally:
        end(process)
        await process.wait()
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise InputError(
            f"could not be {doing} with the memory and time that a file gets; accepted are smaller "
            "or undamaged files"
        )
    if "error" in answer:
        raise InputError(str(answer["error"]))
    return answer
