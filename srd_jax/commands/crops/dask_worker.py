"""Measures chunks of files in the worker processes of a Dask cluster."""

import dataclasses
import functools
import os
import pathlib
import signal
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from srd_jax.measuring.measure_files import Measured, measure_files
from srd_jax.measuring.measurement import Method
from srd_jax.measuring.result import Limits
from srd_jax.support import compilation_cache, process
from srd_jax.support.errors import InputError
from srd_jax.support.version import __version__

if TYPE_CHECKING:
    from distributed import Worker

# Path as given, and scale of a file; None where it isn't given.
File = tuple[pathlib.Path, float | None]


@dataclasses.dataclass(frozen=True)
class Chosen:
    """The method of a command, which each worker process loads once.

    Attributes:
      name: of the method; None for the default one.
      weights: absolute path of them; None for those of the package.
      batch_size: crops measured at once.
      tta: whether the network measures several views.
      digest: of the weights.
    """

    name: str | None
    weights: str | None
    batch_size: int
    tta: bool
    digest: str


@dataclasses.dataclass(frozen=True)
class Work:
    """What the chunks of a command have in common.

    Attributes:
      chosen: method that measures.
      px_per_nm: scale of all files; None takes each file's own.
      limits: of status ok.
      auto_rotate: turn each crop first.
      folder: in which relative paths begin.
      version: of the package.
    """

    chosen: Chosen
    px_per_nm: float | None
    limits: Limits
    auto_rotate: bool
    folder: str
    version: str = __version__


def dask_setup(_worker: "Worker") -> None:
    """Prepares a worker process of the command's own; Dask calls it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the command's
    process.keep_memory()


def version() -> str:
    """Returns the version of the package on the machine that runs this."""
    return __version__


def other_version(where: str, found: str, accepted: str) -> str:
    """Returns a line on two versions that differ."""
    return f"the srd_jax {where} is {found}; accepted is {accepted}, as of the command"


# One chunk at a time, as reading an image silences the warnings of all threads.
_one_at_a_time = threading.Lock()


def measure_chunk(work: Work, files: Iterable[File]) -> list[Measured]:
    """Returns the results of files, measured in a worker process, without crops.

    Raises:
      InputError: the worker has another version or other weights, or its device no memory.
    """
    if work.version != __version__:
        raise InputError(other_version("on a worker", __version__, work.version))
    given = {pathlib.Path(work.folder, path): (str(path), scale) for path, scale in files}
    scales = {path: scale for path, (_, scale) in given.items() if scale is not None}
    with _one_at_a_time:
        found = measure_files(
            _method(work.chosen),
            given,
            work.px_per_nm,
            work.limits,
            auto_rotate=work.auto_rotate,
            scales=scales,
        )
        return [_as_given(one, given[pathlib.Path(one.result.file)][0]) for one in found]


def _as_given(one: Measured, name: str) -> Measured:
    return Measured(dataclasses.replace(one.result, file=name), last=one.last)


@functools.lru_cache(maxsize=1)
def _method(chosen: Chosen) -> Method:
    """Loads a method.

    Raises:
      InputError: its weights can't be loaded, or aren't those of the command.
    """
    compilation_cache.use(os.environ)
    from srd_jax.measuring import methods  # late, as JAX takes its time

    method = methods.make(chosen.name, chosen.weights, chosen.batch_size, chosen.tta)
    if method.digest != chosen.digest:
        raise InputError(
            f"{chosen.weights or 'the weights of the package'}: differ from those of the command; "
            "accepted are the same on all machines"
        )
    return method
