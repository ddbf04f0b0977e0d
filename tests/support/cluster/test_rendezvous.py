import concurrent.futures
import json
import socket

import pytest

from srd_jax.support.cluster.rendezvous import meet
from srd_jax.support.errors import InputError


def together(*calls):
    """What calls in threads of their own return, or the messages of their InputErrors."""

    def called(call):
        try:
            return call()
        except InputError as error:
            return str(error)

    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(called, calls))


def test_all_get_the_values_of_all_in_order(address):
    def one(number):
        partners = meet(address, 3, number, 30.0)
        found = [partners.exchange([number, text]) for text in ("a", None)]
        partners.finish()
        return found

    values = [[[number, text] for number in range(3)] for text in ("a", None)]
    assert together(*[lambda n=n: one(n) for n in (2, 0, 1)]) == [values] * 3


def test_a_process_alone_exchanges_with_itself(address):
    partners = meet(address, 1, 0, 1.0)
    assert partners.exchange({"x": 1.5}) == [{"x": 1.5}]
    partners.finish()


def test_missing_processes_are_named_to_those_who_came(address):
    lines = together(*[lambda n=n: meet(address, 4, n, 1.0) for n in (0, 2)])
    expected = f"--coordinator_address={address}: of 4 processes, these did not come within 1.0 s"
    assert [line.split("; ")[0] for line in lines] == [f"{expected}: 1, 3"] * 2
    assert all("--initialization_timeout" in line for line in lines)


def test_a_wrong_address_is_one_line(address):
    (line,) = together(lambda: meet(address, 2, 1, 0.3))
    assert line.startswith(
        f"--coordinator_address={address}: process 0 cannot be reached within 0.3 s ("
    )


@pytest.mark.parametrize("address", ["", "node1", ":1234", "node1:", "node1:x", "node1:70000"])
def test_an_address_without_host_or_port_is_refused(address):
    (line,) = together(lambda: meet(address, 2, 0, 1.0))
    assert line.startswith(f"--coordinator_address is {address!r}; accepted: HOST:PORT")


def test_a_port_in_use_is_one_line(address):
    with socket.create_server(("", int(address.split(":")[1]))):
        (line,) = together(lambda: meet(address, 2, 0, 1.0))
    assert "process 0 cannot listen there (Address already in use)" in line


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ([(3, 1)], "process 1 was started for 3 processes, process 0 for 2"),
        ([(2, 7)], "two processes were started as process 7 of 2"),
    ],
)
def test_contradictions_are_one_line_for_all(address, others, said):
    calls = [lambda count=count, n=n: meet(address, count, n, 30.0) for count, n in others]
    lines = together(lambda: meet(address, 2, 0, 30.0), *calls)
    assert {line.split("; ")[0] for line in lines} == {f"--coordinator_address={address}: {said}"}


def test_one_number_twice_is_one_line_for_all(address):
    calls = [lambda n=n: meet(address, 3, n, 30.0) for n in (0, 1, 1)]
    assert all("two processes were started as process 1 of 3" in line for line in together(*calls))


def test_other_programs_at_the_port_are_ignored(address):
    host, port = address.split(":")

    def stranger():
        for text in (
            b"GET / HTTP/1.1\r\n",
            b"\xff\n",
            b"[1]\n",
            json.dumps({"process": "1"}).encode(),
        ):
            for _ in range(200):
                try:
                    with socket.create_connection((host, int(port)), timeout=5.0) as connection:
                        connection.sendall(text + b"\n")
                        assert connection.recv(100) == b""
                    break
                except OSError:
                    pass
        return meet(address, 2, 1, 30.0).exchange(1)

    assert together(lambda: meet(address, 2, 0, 30.0).exchange(0), stranger) == [[0, 1]] * 2


def test_a_server_of_another_program_is_one_line():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def other():
            connection, _ = server.accept()
            connection.recv(1000)
            connection.sendall(b"SSH-2.0\r\n")
            connection.close()

        _, line = together(other, lambda: meet(f"127.0.0.1:{port}", 2, 1, 10.0))
    assert "no process 0 of this program listens there" in line
