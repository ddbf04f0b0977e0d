"""Measures the crops of a command by the workers of a Dask cluster, which repeats what is lost."""

import argparse
import contextlib
import dataclasses
import functools
import itertools
import logging
import os
import pathlib
import sys
import threading
from collections.abc import Callable, Iterable, Iterator

import distributed
from distributed.comm import CommClosedError

from srd_jax.measuring.measure_files import Measured, measure_files
from srd_jax.measuring.measurement import Method
from srd_jax.measuring.result import Limits, Result
from srd_jax.support import compilation_cache, parallel, process
from srd_jax.support.errors import InputError, one_line
from srd_jax.support.version import __version__

LOCAL = "local"

# Seconds in which a scheduler must answer.
_ANSWERS = 10

# Chunks at the cluster: enough that no thread waits for one, and at least so many, as workers come.
_A_THREAD, _AT_LEAST = 2, 16

# So many files that kill their workers, and none that doesn't, aren't the files' fault.
_IN_VAIN = 8

# Path as given, and scale of a file; None where it isn't given.
_File = tuple[pathlib.Path, float | None]


@dataclasses.dataclass(frozen=True)
class Chosen:
    """The method of a command, which each worker process loads once.

    Attributes:
      name: of the method; None for the default one.
      weights: absolute path of them; None for those of the package.
      batch_size: crops measured at once.
      tta: whether the network measures several views.
      digest: of the weights.
      local: whether the process measures for this command alone.
    """

    name: str | None
    weights: str | None
    batch_size: int
    tta: bool
    digest: str
    local: bool


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


def work(method: Method, options: argparse.Namespace, limits: Limits) -> Work:
    """Returns what the chunks of a command have in common.

    Args:
      method: of the command, loaded.
      options: of the command line.
      limits: of status ok.
    """
    weights = None if options.weights is None else str(pathlib.Path(options.weights).absolute())
    chosen = Chosen(
        options.method,
        weights,
        method.batch_size,
        options.tta,
        method.digest,
        is_local(options.dask),
    )
    here = str(pathlib.Path.cwd())
    return Work(chosen, options.px_per_nm, limits, options.auto_rotate, here)


def is_local(where: str) -> bool:
    """Tells whether the workers are processes that the command starts."""
    return where == LOCAL or where.startswith(f"{LOCAL}:")


@contextlib.contextmanager
def connected(where: str) -> Iterator[distributed.Client]:
    """Yields a client of a cluster, which ends with the block if it is a local one.

    Args:
      where: address of a scheduler, "local", or "local:N" for N processes.

    Raises:
      InputError: it can't be reached or started, or has another version of the package.
    """
    # Its lines on workers that end would stand between ours; what they lose is told by the rows.
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with contextlib.ExitStack() as stack:
        try:
            to = stack.enter_context(_started(where)) if is_local(where) else where
            made = distributed.Client(to, timeout=_ANSWERS, set_as_default=False)
            client = stack.enter_context(made)
            if not is_local(where):
                _check_versions(client)
                if not client.nthreads():
                    print(f"--dask {where}: has no workers yet; waiting", file=sys.stderr)
        except InputError as error:
            raise InputError(f"--dask {where}: {error}") from error
        except (OSError, ValueError, TypeError, ImportError, RuntimeError) as error:
            found = "cannot be started" if is_local(where) else "no Dask scheduler can be reached"
            raise InputError(
                f"--dask {where}: {found} ({one_line(error)}); accepted is the address of a "
                f"running scheduler, such as tcp://HOST:8786, or {LOCAL}"
            ) from error
        yield client


def _started(where: str) -> distributed.LocalCluster:
    """Returns worker processes of one thread each, which no other user can reach."""
    number = where.partition(":")[2]
    return distributed.LocalCluster(
        n_workers=int(number) if number else parallel.cores(),
        threads_per_worker=1,
        # Dask would pause a process for good whose memory JAX keeps for the next crop.
        memory_limit=0,
        dashboard_address="127.0.0.1:0",
        scheduler_kwargs={"dashboard": False},
        silence_logs=logging.CRITICAL,
        security=True,
    )


def _check_versions(client: distributed.Client) -> None:
    """Checks that scheduler and workers have this version of the package.

    Raises:
      InputError: one doesn't.
    """
    try:
        found = {"the scheduler": client.run_on_scheduler(_version)}
    except (ImportError, AttributeError) as error:
        found = {"the scheduler": error}
    found |= client.run(_version, on_error="return")
    for name, version in found.items():
        if version != __version__:
            other = version if isinstance(version, str) else f"none ({one_line(version)})"
            raise InputError(_other_version(f"on {name}", other, __version__))


def _version() -> str:
    return __version__


def _other_version(where: str, found: str, accepted: str) -> str:
    return f"the srd_jax {where} is {found}; accepted is {accepted}, as of the command"


def measured(client: distributed.Client, work: Work, files: Iterable[_File]) -> Iterator[Measured]:
    """Yields the results of files, those of a file together, in the order in which they are done.

    Args:
      client: of the cluster.
      work: what is done with all files.
      files: taken as workers have room for them.

    Raises:
      InputError: the scheduler is gone, or the workers can't measure.
    """
    waiting = iter(files)
    chunks = iter(lambda: list(itertools.islice(waiting, work.chosen.batch_size)), [])
    suspected: list[_File] = []
    in_vain = True
    for chunk, found in _done(client, work, chunks, functools.partial(_room, client)):
        if found is None:
            suspected += chunk
        else:
            in_vain = False
            yield from found
    # Dask gives up all that waits at workers which are killed. Alone, only the file is lost that
    # kills them.
    alone = ([file] for file in suspected)
    for number, ([(path, _)], found) in enumerate(_done(client, work, alone, lambda: 1), 1):
        in_vain = in_vain and found is None
        if in_vain and number == _IN_VAIN:
            raise InputError(
                f"--dask: each of {number} files has killed its workers; accepted are workers "
                "with memory enough for the method"
            )
        if found is None:
            why = "the workers that read it were killed; accepted are files that memory suffices for"
            yield Measured(Result(str(path), reason=why))
        else:
            yield from found


def _room(client: distributed.Client) -> int:
    """Returns how many chunks may be at the cluster, whose workers come and go."""
    return max(_AT_LEAST, _A_THREAD * sum(client.nthreads().values()))


def _done(
    client: distributed.Client,
    work: Work,
    chunks: Iterator[list[_File]],
    room: Callable[[], int],
) -> Iterator[tuple[list[_File], list[Measured] | None]]:
    """Yields each chunk, as it is done, with its results; with None where it kills its workers.

    Raises:
      InputError: see `measured`.
    """
    begun: dict[distributed.Future, list[_File]] = {}
    done = distributed.as_completed(loop=client.loop)
    while True:
        try:
            for chunk in itertools.islice(chunks, max(0, room() - len(begun))):
                future = client.submit(measure_chunk, work, chunk, pure=False)
                begun[future] = chunk
                done.add(future)
        except CommClosedError as error:
            raise _gone() from error
        if not begun:
            return
        future = next(done)
        yield begun.pop(future), _answer(future)


def _answer(future: distributed.Future) -> list[Measured] | None:
    """Returns what a worker has found; None where its workers were killed again and again.

    Raises:
      InputError: the scheduler is gone, or the worker can't measure.
    """
    try:
        return future.result()
    except distributed.KilledWorker:
        return None
    except distributed.CancelledError as error:
        raise _gone() from error
    except InputError as error:
        raise InputError(f"--dask: a worker says: {one_line(error)}") from error
    except (ImportError, AttributeError) as error:  # of one that came later
        raise InputError(
            f"--dask: {_other_version('on a worker', one_line(error), __version__)}"
        ) from error


def _gone() -> InputError:
    return InputError(
        "--dask: the connection to the scheduler is lost; accepted is one that runs until the end"
    )


# One chunk at a time, as reading an image silences the warnings of all threads.
_one_at_a_time = threading.Lock()


def measure_chunk(work: Work, files: Iterable[_File]) -> list[Measured]:
    """Returns the results of files, measured in a worker process, without crops.

    Raises:
      InputError: the worker has another version or other weights, or its device no memory.
    """
    if work.version != __version__:
        raise InputError(_other_version("on a worker", __version__, work.version))
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
    if chosen.local:
        process.keep_memory()
    from srd_jax.measuring import methods  # late, as JAX takes its time

    method = methods.make(chosen.name, chosen.weights, chosen.batch_size, chosen.tta)
    if method.digest != chosen.digest:
        raise InputError(
            f"{chosen.weights or 'the weights of the package'}: differ from those of the command; "
            "accepted are the same on all machines"
        )
    return method
