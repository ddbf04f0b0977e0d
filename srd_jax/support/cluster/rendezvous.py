"""Lets the processes of one program meet at the address of process 0, or says why they don't."""

import os
import socket
import time

from srd_jax.support.cluster.partners import Link, Partners
from srd_jax.support.errors import InputError, one_line

_HELLO = 5.0  # s, for the first line of a new connection
_RETRY = 0.2  # s
_LONGER = "; --initialization_timeout waits longer"


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
            links = {0: _call(host.strip("[]"), int(port), give_up, seconds)}
            _introduce(links[0], count, number, give_up, seconds)
        else:
            links = _gather(int(port), count, give_up, seconds)
    except InputError as error:
        raise InputError(f"--coordinator_address={address}: {error}") from None
    return Partners(number, links, count)


def _call(host: str, port: int, give_up: float, seconds: float) -> Link:
    """Returns a connection to process 0, which may start later than this process."""
    while True:
        try:
            connection = socket.create_connection((host, port), timeout=_HELLO)
            if connection.getsockname() != connection.getpeername():
                return Link(connection)
            connection.close()  # on one machine, a port may be connected to itself
            reason = "nobody listens"
        except OSError as error:
            reason = error.strerror or one_line(error)
        if time.monotonic() > give_up:
            raise InputError(
                f"process 0 cannot be reached within {seconds} s ({reason}); accepted: its machine "
                f"and a free port there, the same for all processes{_LONGER}"
            )
        time.sleep(_RETRY)


def _introduce(link: Link, count: int, number: int, give_up: float, seconds: float) -> None:
    """Tells process 0 who is there, and waits until all are."""
    link.send({"process": number, "of": count})
    try:
        # Process 0, which may have started later, names those who are missing.
        answer = link.read(max(0.0, give_up - time.monotonic()) + _HELLO)
    except TimeoutError:
        link.close()
        raise InputError(f"not all {count} processes came within {seconds} s{_LONGER}") from None
    if answer is None or "ended" in answer:
        link.close()
        raise InputError(
            answer["ended"] if answer else "no process 0 of this program listens there"
        )


def _gather(port: int, count: int, give_up: float, seconds: float) -> dict[int, Link]:
    """Returns the connections of process 0 to all others."""
    six = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if six else socket.AF_INET
    try:
        server = socket.create_server(("", port), family=family, backlog=count, dualstack_ipv6=six)
    except OSError as error:
        raise InputError(
            f"process 0 cannot listen there ({os.strerror(error.errno or 0)}); "
            "accepted: a free port above 1023"
        ) from error
    links: dict[int, Link] = {}
    with server:
        try:
            while len(links) < count - 1:
                _accept(server, links, count, give_up, seconds)
        except InputError as error:
            for link in links.values():
                link.send({"ended": str(error)})
                link.close()
            raise
    for link in links.values():
        link.send({"value": None})
    return links


def _accept(
    server: socket.socket, links: dict[int, Link], count: int, give_up: float, seconds: float
) -> None:
    """Adds the next process that comes to the connections."""
    try:
        server.settimeout(max(0.01, give_up - time.monotonic()))
        link = Link(server.accept()[0])
    except TimeoutError:
        missing = ", ".join(str(number) for number in range(1, count) if number not in links)
        raise InputError(
            f"of {count} processes, these did not come within {seconds} s: {missing}{_LONGER}"
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
        problem = (
            f"process {number} was started for {of} processes, process 0 for {count}; accepted: "
            "the same --num_processes for all"
        )
    elif number in links or not 0 < number < count:
        problem = (
            f"two processes were started as process {number} of {count}; accepted: a --process_id "
            "of its own for each"
        )
    else:
        links[number] = link
        return
    link.send({"ended": problem})
    link.close()
    raise InputError(problem)
