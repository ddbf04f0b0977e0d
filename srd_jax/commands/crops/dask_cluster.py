"""Measures the crops of a command by the workers of a Dask cluster, which repeats what is lost."""

import argparse
import asyncio
import contextlib
import functools
import itertools
import logging
import pathlib
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

import distributed
from distributed import rpc
from distributed.client import ClosedClientError

from srd_jax.commands.crops import dask_worker
from srd_jax.commands.crops.dask_worker import Chosen, File, Work
from srd_jax.measuring.measure_files import Measured
from srd_jax.measuring.measurement import Method
from srd_jax.measuring.result import Limits, Result
from srd_jax.support import parallel
from srd_jax.support.errors import InputError, one_line
from srd_jax.support.version import __version__

LOCAL = "local"

# Seconds in which a scheduler must answer.
_ANSWERS = 10

# Chunks at the cluster: enough that no thread waits for one, and at least so many, as workers come.
_A_THREAD, _AT_LEAST = 2, 16

# So many files that kill their workers, and none that doesn't, aren't the files' fault.
_IN_VAIN = 8

_KILLED = "the workers that read it were killed; accepted are files that memory suffices for"


def work(method: Method, options: argparse.Namespace, limits: Limits) -> Work:
    """Returns what the chunks of a command have in common.

    Args:
      method: of the command, loaded.
      options: of the command line.
      limits: of status ok.
    """
    weights = None if options.weights is None else str(pathlib.Path(options.weights).absolute())
    chosen = Chosen(options.method, weights, method.batch_size, options.tta, method.digest)
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
            if is_local(where):
                cluster = cast(Any, stack.enter_context(_started(where)))
                client = stack.enter_context(_client(cluster))
            else:
                asyncio.run(asyncio.wait_for(_check_answer(where), _ANSWERS))
                client = stack.enter_context(_client(where))
                _check_versions(client)
                if not client.nthreads():
                    print(f"--dask {where}: has no workers yet; waiting", file=sys.stderr)
        except InputError as error:
            raise InputError(f"--dask {where}: {error}") from error
        except Exception as error:  # of any kind, by what another server answers
            found = "cannot be started" if is_local(where) else "no Dask scheduler can be reached"
            late = isinstance(error, TimeoutError)
            why = f"no answer in {_ANSWERS} s" if late else one_line(error)
            raise InputError(
                f"--dask {where}: {found} ({why}); accepted is the address of a "
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
        preload=[dask_worker.__name__],
    )


def _client(cluster: distributed.LocalCluster | str) -> distributed.Client:
    return distributed.Client(cluster, timeout=_ANSWERS, set_as_default=False)


async def _check_answer(where: str) -> None:
    """Checks that a Dask scheduler answers: a client waits for ever for another server.

    Raises:
      InputError: it is a part of Dask, but no scheduler.
      OSError: nothing answers.
    """
    arguments = distributed.Security().get_connection_args("client")
    async with rpc(where, timeout=_ANSWERS, connection_args=arguments) as server:
        kind = cast(dict, await server.identity())["type"]
    if kind != "Scheduler":
        raise InputError(f"is a {kind} of Dask; accepted is the address of its scheduler")


def _check_versions(client: distributed.Client) -> None:
    """Checks that scheduler and workers have this version of the package.

    Raises:
      InputError: one doesn't.
    """
    found: dict[str, Any] = {}
    try:
        found["the scheduler"] = client.run_on_scheduler(dask_worker.version)
    except (ImportError, AttributeError) as error:
        found["the scheduler"] = error
    found.update(cast(dict, client.run(dask_worker.version, on_error="return")))
    for name, version in found.items():
        if version != __version__:
            other = version if isinstance(version, str) else f"none ({one_line(version)})"
            raise InputError(dask_worker.other_version(f"on {name}", other, __version__))


def measured(client: distributed.Client, work: Work, files: Iterable[File]) -> Iterator[Measured]:
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
    suspected: list[File] = []
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
            yield Measured(Result(str(path), reason=_KILLED))
        else:
            yield from found


def _room(client: distributed.Client) -> int:
    """Returns how many chunks may be at the cluster, whose workers come and go."""
    threads = cast(dict[str, int], client.nthreads())
    return max(_AT_LEAST, _A_THREAD * sum(threads.values()))


def _done(
    client: distributed.Client,
    work: Work,
    chunks: Iterator[list[File]],
    room: Callable[[], int],
) -> Iterator[tuple[list[File], list[Measured] | None]]:
    """Yields each chunk, as it is done, with its results; with None where it kills its workers.

    Raises:
      InputError: see `measured`.
    """
    begun: dict[distributed.Future, list[File]] = {}
    done = distributed.as_completed(loop=client.loop)
    while True:
        try:
            for chunk in itertools.islice(chunks, max(0, room() - len(begun))):
                future = client.submit(dask_worker.measure_chunk, work, chunk, pure=False)
                begun[future] = chunk
                done.add(future)
        except (OSError, ClosedClientError) as error:
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
            f"--dask: {dask_worker.other_version('on a worker', one_line(error), __version__)}"
        ) from error


def _gone() -> InputError:
    return InputError(
        "--dask: the connection to the scheduler is lost; accepted is one that runs until the end"
    )
