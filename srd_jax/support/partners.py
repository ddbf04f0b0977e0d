"""Connects the processes of one program: they meet at an address, exchange values, end together.

Process 0 listens. Each other process has one connection to it, with a JSON value a line.
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

from srd_jax.support.errors import InputError, one_line

# Seconds in which a process may end by itself after a partner has; a device may keep it waiting.
_GRACE = 3.0
_HELLO = 5.0  # s, for the first line of a new connection
_RETRY = 0.2  # s


class Ended(InputError):
    """A partner ended first; the message tells which one."""


class _Link:
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

    def __init__(self, number: int = 0, links: Mapping[int, _Link] | None = None, count: int = 1):
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

    def _listen(self, number: int, link: _Link) -> None:
        while (message := link.read()) is not None and "value" in message:
            link.received.put(message)
        if message is None:
            why = f"process {number} is gone: killed, or its machine or the network is down"
            message = {"ended": why, "status": 1}
        self._note(message, told=number == 0 and "gone" not in message["ended"])

    def _note(self, message: Mapping[str, Any], told: bool) -> None:
        """Notes that a partner ended, tells the others, and ends this process if it hangs."""
        if self._over.is_set() or not self._first.acquire(blocking=False):
            return
        self._why, self.status, self.told = message["ended"], message["status"], told
        self._ended.set()
        for link in self._links.values():
            link.received.put(None)
            if not self.number:
                link.send(message)
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


def meet(address: str, count: int, number: int, seconds: float) -> Partners:
    """Returns the partners of a process, when all of them are there.

    Args:
      address: HOST:PORT of process 0.
      count: of all processes.
      number: of this process, from 0.
      seconds: in which all must come.

    Raises:
      InputError: they didn't, or contradict each other.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise InputError(
            f"--coordinator_address is {address!r}; accepted: HOST:PORT of process 0, "
            "such as node1:12345"
        )
    give_up = time.monotonic() + seconds
    try:
        if number:
            links = {0: _call(host.strip("[]"), int(port), give_up)}
            _introduce(links[0], count, number, give_up)
        else:
            links = _gather(int(port), count, give_up)
    except InputError as error:
        raise InputError(f"--coordinator_address={address}: {error}") from None
    return Partners(number, links, count)


def _call(host: str, port: int, give_up: float) -> _Link:
    """Returns a connection to process 0, which may start later than this process."""
    while True:
        try:
            connection = socket.create_connection((host, port), timeout=_HELLO)
            if connection.getsockname() != connection.getpeername():
                return _Link(connection)
            connection.close()  # on one machine, a port may be connected to itself
            reason = "nobody listens"
        except OSError as error:
            reason = error.strerror or one_line(error)
        if time.monotonic() > give_up:
            raise InputError(
                f"process 0 cannot be reached in time ({reason}); accepted: its machine and a free "
                "port there, the same for all processes, which start within "
                "--initialization_timeout seconds"
            )
        time.sleep(_RETRY)


def _introduce(link: _Link, count: int, number: int, give_up: float) -> None:
    """Tells process 0 who is there, and waits until all are."""
    link.send({"process": number, "of": count})
    try:
        # Process 0, which may have started later, names those who are missing.
        answer = link.read(max(0.0, give_up - time.monotonic()) + _HELLO)
    except TimeoutError:
        link.close()
        raise InputError(f"not all {count} processes came in time") from None
    if answer is None or "ended" in answer:
        link.close()
        raise InputError(
            answer["ended"] if answer else "no process 0 of this program listens there"
        )


def _gather(port: int, count: int, give_up: float) -> dict[int, _Link]:
    """Returns the connections of process 0 to all others."""
    six = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if six else socket.AF_INET
    try:
        server = socket.create_server(("", port), family=family, backlog=count, dualstack_ipv6=six)
    except OSError as error:
        raise InputError(
            f"process 0 cannot listen there ({error.strerror}); accepted: a free port above 1023"
        ) from error
    links: dict[int, _Link] = {}
    with server:
        try:
            while len(links) < count - 1:
                _accept(server, links, count, give_up)
        except InputError as error:
            for link in links.values():
                link.send({"ended": str(error)})
                link.close()
            raise
    for link in links.values():
        link.send({"value": None})
    return links


def _accept(server: socket.socket, links: dict[int, _Link], count: int, give_up: float) -> None:
    """Adds the next process that comes to the connections."""
    try:
        server.settimeout(max(0.01, give_up - time.monotonic()))
        link = _Link(server.accept()[0])
    except TimeoutError:
        missing = ", ".join(str(number) for number in range(1, count) if number not in links)
        raise InputError(
            f"of {count} processes, these did not come in time: {missing}; accepted: all of them, "
            "started within --initialization_timeout seconds"
        ) from None
    try:
        hello = link.read(_HELLO) or {}
    except TimeoutError:
        hello = {}
    number, of = hello.get("process"), hello.get("of")
    if not isinstance(number, int):  # of another program
        link.close()
        return
    if of != count:
        problem = f"process {number} was started for {of} processes, process 0 for {count}"
    elif number in links or not 0 < number < count:
        problem = f"two processes were started as process {number} of {count}"
    else:
        links[number] = link
        return
    link.send({"ended": problem})
    link.close()
    raise InputError(f"{problem}; accepted: the same number for all, and each process once")
