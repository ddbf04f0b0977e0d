import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import pytest
from helpers import worker_functions

from srd_jax.support import parallel
from srd_jax.support.errors import InputError

TESTS = pathlib.Path(worker_functions.__file__).parents[1]


def lost(number):
    return f"lost {number}"


def test_results_come_in_order_and_no_more_than_asked_are_begun():
    taken = []

    def items():
        for number in range(20):
            taken.append(number)
            yield number

    for place, (item, made) in enumerate(
        parallel.ordered(worker_functions.squared, items(), 2, 5, lost)
    ):
        assert (item, made) == (place, place**2)
        assert len(taken) <= place + 5
    assert taken == list(range(20))


def test_an_item_that_kills_its_process_is_lost_alone():
    found = [made for _, made in parallel.ordered(worker_functions.killed_by, range(8), 2, 4, lost)]
    assert found == [0, 1, 4, "lost 3", "lost 4", 25, 36, 49]


def test_exceptions_are_those_of_the_function():
    found = parallel.ordered(worker_functions.raising, range(5), 1, 2, lost)
    assert next(found) == (0, 0)
    assert next(found) == (1, 1)
    with pytest.raises(ValueError, match="two"):
        next(found)


def test_processes_that_end_at_once_are_one_line(monkeypatch):
    monkeypatch.setattr(parallel, "_begin", os._exit)
    with pytest.raises(InputError, match="cannot be started; accepted is --workers 0"):
        list(parallel.ordered(worker_functions.squared, range(3), 1, 2, lost))


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_workers_end_with_their_process(tmp_path):
    path = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    process = subprocess.Popen(
        [sys.executable, "-m", "helpers.worker_functions", tmp_path / "pid"],
        env={**os.environ, "PYTHONPATH": path},
    )
    until = time.monotonic() + 60
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.05)
    worker = pathlib.Path("/proc", (tmp_path / "pid").read_text())
    process.send_signal(signal.SIGKILL)
    process.wait()
    while worker.exists() and "zombie" not in (worker / "status").read_text():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_cores_are_those_that_the_process_may_use():
    assert 1 <= parallel.cores() <= (os.cpu_count() or 1)


def test_results_of_threads_are_in_order_though_the_first_ends_last(monkeypatch):
    monkeypatch.setattr(parallel, "cores", lambda: 2)
    second = threading.Event()

    def slow_first(number, added):
        if number == 0:
            assert second.wait(30)  # ends only because another thread has the second item
        else:
            second.set()
        return number + added

    assert parallel.mapped(slow_first, range(5), [10] * 5) == [10, 11, 12, 13, 14]


def test_one_core_and_no_items_for_threads(monkeypatch):
    monkeypatch.setattr(parallel, "cores", lambda: 1)
    names = parallel.mapped(lambda _: threading.current_thread().name, range(9))
    assert len(set(names)) == 1
    assert parallel.mapped(str, []) == []


def test_an_error_of_a_thread_is_passed_on():
    with pytest.raises(ZeroDivisionError):
        parallel.mapped(lambda number: 1 // number, [1, 0])
