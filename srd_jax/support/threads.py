"""Applies a function by threads, for work that NumPy does while other threads run."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

_Made = TypeVar("_Made")

# Items at once; a crop's arrays take some 100 MB at most.
_MOST = 4


def mapped(function: Callable[..., _Made], *items: Iterable[Any]) -> list[_Made]:
    """Returns what a function makes of items, in order, as `map` does, on several cores."""
    with ThreadPoolExecutor(min(_cores(), _MOST)) as pool:
        return list(pool.map(function, *items))


def _cores() -> int:
    """Returns how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
