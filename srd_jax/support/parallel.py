"""Applies a function to many items, in order: by threads, or by processes in bounded memory."""

import collections
import itertools
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from srd_jax.support.errors import InputError

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")

# Threads at once; the arrays of a crop in each take some 100 MB at most.
_MOST_THREADS = 4


def cores() -> int:
    """Returns how many cores this process may use, as schedulers of clusters limit them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def mapped(function: Callable[..., _Made], *items: Iterable[Any]) -> list[_Made]:
    """Returns what a function makes of items, as `map` does, by threads, for work of NumPy."""
    with ThreadPoolExecutor(min(cores(), _MOST_THREADS)) as pool:
        return list(pool.map(function, *items))


def ordered(
    function: Callable[[_Item], _Made],
    items: Iterable[_Item],
    workers: int,
    ahead: int,
    lost: Callable[[_Item], _Made],
    preload: Sequence[str] = (),
) -> Iterator[tuple[_Item, _Made]]:
    """Yields each item and what a function makes of it, in order, while others are worked on.

    Where a process is killed, by a fault of a decoder or for its memory, the items that were begun
    are made again one by one, so that only the one which kills its process is lost.

    Args:
      function: of an item; it, the items and the results are sent between processes.
      items: taken one by one, never more than `ahead` before the one that is yielded.
      workers: number of processes, from 1 on.
      ahead: items that are begun or done and not yielded yet, from 1 on.
      lost: returns what stands for an item whose process was killed.
      preload: modules that the processes share.

    Raises:
      InputError: no process can be started.
    """
    waiting, begun = iter(items), collections.deque[tuple[_Item, Future[_Made]]]()
    pool = _pool(function, workers, preload)
    try:
        while True:
            for item in itertools.islice(waiting, ahead - len(begun)):
                begun.append((item, _submitted(pool, item)))
            if not begun:
                return
            item, future = begun[0]
            if isinstance(future.exception(), BrokenProcessPool):
                pool.shutdown(wait=False, cancel_futures=True)
                _make_one_by_one(function, begun, lost, preload)
                pool = _pool(function, workers, preload)
            item, future = begun.popleft()
            yield item, future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _pool(
    function: Callable[[Any], Any], workers: int, preload: Sequence[str]
) -> ProcessPoolExecutor:
    """Returns processes without a copy of this one, whose threads wouldn't live on in them."""
    kinds = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in kinds else "spawn")
    context.set_forkserver_preload(list(preload))
    try:
        return ProcessPoolExecutor(workers, context, _begin, (function,))
    except (OSError, ImportError, NotImplementedError) as error:  # without semaphores
        raise _not_started() from error


def _not_started() -> InputError:
    return InputError(
        "processes that read images cannot be started; accepted is --workers 0, which reads them "
        "in a thread"
    )


def _submitted(pool: ProcessPoolExecutor, item: Any) -> Future[Any]:
    try:
        return pool.submit(_apply, item)
    except BrokenProcessPool as error:
        future: Future[Any] = Future()
        future.set_exception(error)
        return future


def _make_one_by_one(
    function: Callable[[_Item], _Made],
    begun: collections.deque[tuple[_Item, Future[_Made]]],
    lost: Callable[[_Item], _Made],
    preload: Sequence[str],
) -> None:
    """Replaces what a killed process has left undone.

    Raises:
      InputError: a process ends before it has an item.
    """
    pool = None
    try:
        for place, (item, future) in enumerate(begun):
            if not isinstance(future.exception(), BrokenProcessPool):
                continue
            if pool is None:
                pool = _pool(function, 1, preload)
                _check(pool)
            again = _submitted(pool, item)
            if isinstance(again.exception(), BrokenProcessPool):
                pool.shutdown(wait=False)
                pool, again = None, Future()
                again.set_result(lost(item))
            begun[place] = item, again
    finally:
        if pool is not None:
            pool.shutdown(wait=False)


def _check(pool: ProcessPoolExecutor) -> None:
    """Checks that a process starts at all, as otherwise every item would be lost.

    Raises:
      InputError: it doesn't.
    """
    try:
        pool.submit(os.getpid).result()
    except BrokenProcessPool as error:
        raise _not_started() from error


# The function of a worker process, which is sent to it once.
_function: Callable[[Any], Any] | None = None


def _begin(function: Callable[[Any], Any]) -> None:
    """Prepares a worker process: Ctrl-C is the main one's, and with it the worker ends."""
    global _function
    _function = function
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # A killed process doesn't tell its workers, which would wait for ever.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _apply(item: Any) -> Any:
    assert _function is not None
    return _function(item)
