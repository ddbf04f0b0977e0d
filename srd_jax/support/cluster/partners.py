"""Connects the processes of one program, so that they exchange values and end together.

Each process has one connection to process 0, with a JSON value a line.
"""

import contextlib
import json
import os
import queue
import socket
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any, NoReturn

from srd_jax.support.errors import InputError

# Seconds in which a process may end by itself after a partner has; a device may keep it waiting.
_GRACE = 3.0


class Ended(InputError):
    """A partner ended first; the message tells which one."""


class Link:
    """A connection to one process, whose lines a thread reads."""

    def __init__(self, connection: socket.socket):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._connection = connection
        self._lines = connection.makefile("rb")
        self.received: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def send(self, message: Mapping[str, Any]) -> None:
        """Sends a message; one to a process that is gone is lost."""
        with contextlib.suppress(OSError):
            self._connection.sendall(json.dumps(message).encode() + b"\n")

    def read(self, seconds: float | None = None) -> dict[str, Any] | None:
        """Returns the next message; None at the end of the connection.

        Raises:
          TimeoutError: none came in time.
        """
        self._connection.settimeout(seconds)
        try:
            message = json.loads(self._lines.readline() or b"null")
        except TimeoutError:
            raise
        except (OSError, ValueError):
            return None
        self._connection.settimeout(None)
        return message if isinstance(message, dict) else None

    def close(self) -> None:
        """Ends the connection."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()


class Partners:
    """The processes of one program as one of them sees them.

    Attributes:
      number: of this process, from 0.
      count: of all processes.
      status: exit status of the process that ended first, with an error; 0 while none has.
      told: whether process 0 has told of it, so that nobody else need.
    """

    def __init__(self, number: int = 0, links: Mapping[int, Link] | None = None, count: int = 1):
        """Starts to listen to the other processes, by their numbers."""
        self.number, self.count = number, count
        self.status, self.told = 0, False
        self._links = dict(links or {})
        self._over, self._first = threading.Event(), threading.Lock()
        self._ended = threading.Event()
        self._why = ""
        self._readers = [
            threading.Thread(target=self._listen, args=pair, daemon=True)
            for pair in self._links.items()
        ]
        for reader in self._readers:
            reader.start()

    def exchange(self, value: Any) -> list[Any]:
        """Returns the values of all processes in their order; waits for those that come later.

        Args:
          value: JSON, such as a number, a string, or a dict of them.

        Raises:
          Ended: a process ended instead.
        """
        if not self._links:
            return [value]
        if self.number:
            self._links[0].send({"value": value})
            return self._next(0)
        values = [value, *(self._next(number) for number in range(1, self.count))]
        for link in self._links.values():
            link.send({"value": values})
        return values

    def _next(self, number: int) -> Any:
        message = self._links[number].received.get()
        if message is None:
            self._links[number].received.put(None)
            raise Ended(self._why)
        return message["value"]

    def _listen(self, number: int, link: Link) -> None:
        while (message := link.read()) is not None and "value" in message:
            link.received.put(message)
        if message is not None:
            self._note(message, told=number == 0)
            return
        why = f"process {number} is gone: killed, or its machine or the network is down"
        self._note({"ended": why, "status": 1}, told=False)

    def _note(self, message: Mapping[str, Any], told: bool) -> None:
        """Notes that a partner ended, tells the others, and ends this process if it hangs."""
        if self._over.is_set() or not self._first.acquire(blocking=False):
            return
        self._why, self.status, self.told = message["ended"], message["status"], told
        self._ended.set()
        for link in self._links.values():
            if not self.number:
                link.send(message)
        for link in self._links.values():
            link.received.put(None)
        if self._over.wait(_GRACE):
            return
        if not told:
            print(f"error: {self._why}", file=sys.__stderr__, flush=True)
        self._leave(self.status)

    def wait_for_reason(self) -> str:
        """Returns which partner ended first, if one did or does within a second, else ""."""
        self._ended.wait(1.0)
        return self._why

    def finish(self) -> None:
        """Takes leave of the others, none of which has failed."""
        self.exchange(None)
        self._over.set()

    def fail(self, status: int) -> NoReturn:
        """Ends this process, and soon all others.

        JAX's own end would wait for processes that wait for this one.
        """
        self._over.set()
        why = f"process {self.number} ended with exit status {status}; its own line tells why"
        for link in self._links.values():
            link.send({"ended": why, "status": status})
        self._leave(status)

    def _leave(self, status: int) -> NoReturn:
        if not self.number:  # last of all, for JAX's service, which the others need, lives in it
            give_up = time.monotonic() + 2 * _GRACE
            for reader in self._readers:
                if reader is not threading.current_thread():
                    reader.join(max(0.0, give_up - time.monotonic()))
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(status)
