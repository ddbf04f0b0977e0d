"""A warm process that measures grana anew, so that an edit takes no longer than its own work."""

import collections
import dataclasses
import multiprocessing
import pathlib
import signal
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Protocol

from srd_jax.analysis.granum import Granum
from srd_jax.review.state.tasks import Task
from srd_jax.support.errors import InputError, reason, unexpected

# Micrographs that are kept, and bytes of them; the last one always is.
_KEPT, _MOST_BYTES = 3, 500_000_000
# Seconds after which a process is given up: its start compiles the network.
_PATIENCE = 180.0


@dataclasses.dataclass(frozen=True)
class Source:
    """A micrograph as it was analysed.

    Attributes:
      path: of the file.
      name: of the micrograph, in messages and pictures.
      sha256: of the file; "" for any.
      px_per_nm: scale; None if it isn't known.
      px_per_nm_source: who states it.
    """

    path: pathlib.Path
    name: str
    sha256: str
    px_per_nm: float | None
    px_per_nm_source: str


class Measure(Protocol):
    """Measures grana of one micrograph; see `measuring.measure`."""

    def __call__(self, source: Source, tasks: Sequence[Task]) -> list[tuple[Granum, bytes]]:
        """Measures, or raises InputError."""
        ...


class Worker:
    """Measures in a process of its own, which is started when needed and after its death."""

    def __init__(self):
        """Starts nothing yet; see `warm`."""
        self._turn = threading.Lock()
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None

    def warm(self) -> None:
        """Starts the process, which loads and compiles the network meanwhile."""
        with self._turn:
            self._started()

    def __call__(self, source: Source, tasks: Sequence[Task]) -> list[tuple[Granum, bytes]]:
        """Measures grana of one micrograph, one call after the other.

        Raises:
          InputError: they can't be measured, or the process dies or takes too long.
        """
        with self._turn:
            try:
                connection = self._started()
                connection.send((source, list(tasks)))
                if not connection.poll(_PATIENCE):
                    self._stop()
                    raise InputError(
                        f"measuring took longer than {_PATIENCE:g} s; accepted are smaller outlines"
                    )
                answer = connection.recv()
            except (EOFError, OSError):
                self._stop()
                raise InputError(
                    "measuring ended unexpectedly, perhaps for lack of memory; accepted is to try "
                    "again"
                ) from None
        if isinstance(answer, str):
            raise InputError(answer)
        return answer

    def _started(self) -> Connection:
        if self._connection is None or self._process is None or not self._process.is_alive():
            self._stop()
            context = multiprocessing.get_context("spawn")
            self._connection, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs,), daemon=True)
            process.start()
            self._process = process
            theirs.close()
        return self._connection

    def _stop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            self._process.kill()
            self._process.join()
        self._connection = self._process = None

    def close(self) -> None:
        """Ends the process."""
        with self._turn:
            self._stop()


def _serve(connection: Connection) -> None:
    """Answers requests until the other end is closed."""
    # Ctrl-C is for the server, which then closes the connection.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from srd_jax.measuring import methods

    # Batches of one, as an edit concerns one granum.
    method = methods.make(batch_size=1)
    _compile(method)
    micrographs = _Micrographs()
    while True:
        try:
            source, tasks = connection.recv()
        except (EOFError, OSError):
            return
        connection.send(_answer(micrographs, method, source, tasks))


def _compile(method) -> None:
    import numpy as np

    rows = np.arange(64, dtype=np.float32)[:, None]
    image = np.broadcast_to(0.5 + 0.3 * np.cos(2 * np.pi * rows / 12), (64, 64))
    method([image.astype(np.float32)])


def _answer(micrographs, method, source: Source, tasks: Sequence[Task]):
    """Returns measured grana, or the reason why there are none."""
    from srd_jax.review.state.measuring import measure

    try:
        return measure(micrographs.get(source), tasks, method)
    except InputError as error:
        # No path of this machine is told, but its name.
        return f"{source.name}: {reason(InputError(reason(error, source.path)), source.name)}"
    except Exception as error:
        return f"{source.name}: could not be measured ({unexpected(error)})"


class _Micrographs:
    """The last few micrographs."""

    def __init__(self):
        self._kept = collections.OrderedDict()

    def get(self, source: Source):
        """Returns a micrograph.

        Raises:
          InputError: it can't be read, or isn't the one that was analysed.
        """
        try:
            there = source.path.stat()
        except OSError as error:
            raise InputError(f"{source.name}: cannot be read ({error.strerror})") from error
        key = (source, there.st_mtime_ns, there.st_size)
        if key not in self._kept:
            self._kept[key] = _read(source)
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and (
            len(self._kept) > _KEPT
            or sum(one.grey.nbytes for one in self._kept.values()) > _MOST_BYTES
        ):
            self._kept.popitem(last=False)
        return self._kept[key]


def _read(source: Source):
    from srd_jax.analysis.output.records import sha256
    from srd_jax.imaging.micrographs.reading import read

    try:
        changed = source.sha256 and sha256(source.path) != source.sha256
    except OSError as error:
        raise InputError(f"{source.name}: cannot be read ({error.strerror})") from error
    if changed:
        raise InputError(
            f"{source.name}: the file has changed since it was analysed; accepted is to analyse it "
            "again first"
        )
    found = read(source.path, source.px_per_nm)
    return dataclasses.replace(
        found, name=source.name, px_per_nm=source.px_per_nm, source=source.px_per_nm_source
    )
