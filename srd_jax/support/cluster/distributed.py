"""Runs a program as one of several processes, which share JAX's devices and agree on what they do.

Without several processes, every function here does what a single one needs.
"""

import contextlib
import io
import os
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from srd_jax.support import process
from srd_jax.support.cluster.partners import Ended, Partners
from srd_jax.support.cluster.rendezvous import meet
from srd_jax.support.errors import InputError, one_line

_T = TypeVar("_T")
_FLAGS = "--coordinator_address, --num_processes and --process_id"

_partners = Partners()


def run(
    program: Callable[[], int],
    address: str | None,
    count: int | None,
    number: int | None,
    cluster: bool,
    seconds: int,
) -> int:
    """Runs a program, as one of several processes if there are any, and returns its exit status.

    Process 0 alone prints. All end together: where one fails, the others end within seconds.

    Args:
      program: returns its exit status; only if that is 0 must all processes have come to its end.
      address: HOST:PORT of process 0; None for one process, or for the one that JAX finds.
      count: of all processes.
      number: of this process, from 0.
      cluster: whether JAX finds these, where they are None, from the variables of a cluster.
      seconds: in which all processes must start.

    Raises:
      InputError: the numbers contradict each other, or a process doesn't come in time.
    """
    global _partners
    devices = None
    if cluster:
        address, count, number, devices = _found(address, count, number, seconds)
    if address is None and count is None and number is None:
        return program()
    if address is None or count is None or number is None:
        raise InputError(
            f"several processes need {_FLAGS}, but not all are given; accepted: all of them, or "
            "--distributed on a cluster that JAX knows"
        )
    if not 0 <= number < count:
        raise InputError(
            f"--process_id is {number} and --num_processes {count}; accepted: at least 1 process, "
            "numbered from 0"
        )
    if count == 1:
        return program()
    _partners = meet(address, count, number, seconds)
    held = io.StringIO()
    if number:
        process.discard(sys.stdout)
    with contextlib.redirect_stderr(held) if number else contextlib.nullcontext():
        status = process.run(lambda: _together(program, address, devices, seconds))
    if not status:
        return 0
    if number:
        _partners.wait_for_reason()
        if not _partners.told:
            sys.stderr.write(held.getvalue())
    _partners.fail(_partners.status or status)


def _found(
    address: str | None, count: int | None, number: int | None, seconds: int
) -> tuple[str, int, int, Sequence[int] | None]:
    """Returns what JAX finds of a cluster: address, count, number, and the devices of a process."""
    # Late, because it takes time; JAX offers no public function that finds without starting.
    from jax._src.clusters import ClusterEnv

    address = address or os.environ.get("JAX_COORDINATOR_ADDRESS")
    try:
        address, count, number, devices = ClusterEnv.auto_detect_unset_distributed_params(
            address, count, number, None, None, seconds
        )
    except Exception as error:  # of many kinds: variables, name service, network
        raise InputError(
            f"--distributed: JAX cannot read the cluster's variables ({one_line(error)}); "
            f"accepted: {_FLAGS} instead"
        ) from error
    if address is None or count is None or number is None:
        raise InputError(
            "--distributed: JAX finds no cluster; accepted: a start by srun, mpirun, Kubernetes or "
            f"on a TPU, or {_FLAGS} instead"
        )
    return address, count, number, None if "JAX_LOCAL_DEVICE_IDS" in os.environ else devices


def _together(
    program: Callable[[], int], address: str, devices: Sequence[int] | None, seconds: int
) -> int:
    """Runs a program on the devices of all processes, and returns its exit status.

    Raises:
      Ended: another process ended first; errors that follow from it are replaced by this one.
    """
    import jax

    try:
        port = _partners.exchange(None if _partners.number else _free_port())[0]
        jax.distributed.initialize(
            f"{address.rpartition(':')[0]}:{port}",
            _partners.count,
            _partners.number,
            local_device_ids=devices,
            initialization_timeout=seconds,
        )
        status = program()
        if not status:
            _partners.finish()
        return status
    except Exception as error:
        if not isinstance(error, Ended) and (why := _partners.wait_for_reason()):
            raise Ended(why) from error
        raise


def _free_port() -> int:
    with socket.create_server(("", 0)) as server:
        return server.getsockname()[1]


def count() -> int:
    """Returns the number of processes."""
    return _partners.count


def is_first() -> bool:
    """Tells whether this is process 0, which alone writes files."""
    return _partners.number == 0


def exchange(value: Any) -> list[Any]:
    """Returns the values of all processes in their order; all must call it.

    Args:
      value: JSON, such as a number, a string, or a dict of them.

    Raises:
      Ended: another process ended instead.
    """
    return _partners.exchange(value)


def from_first(function: Callable[[], _T]) -> _T:
    """Returns what process 0 gets from a function, which returns JSON; others don't call it."""
    return exchange(function() if is_first() else None)[0]


def first_before_others(function: Callable[[], _T]) -> _T:
    """Calls a function in process 0, then in the others, which find the files that it wrote."""
    if not is_first():
        exchange(None)
        return function()
    found = function()
    exchange(None)
    return found


def check_alike(name: str, value: str | int | None) -> None:
    """Checks that a value is the same in all processes.

    Raises:
      InputError: it isn't; the message names the value and the first process that differs.
    """
    values = exchange(value)
    for number, other in enumerate(values):
        if other != values[0]:
            raise InputError(
                f"{name} is {other!r} in process {number}, but {values[0]!r} in process 0; "
                "accepted: the same in all processes"
            )
