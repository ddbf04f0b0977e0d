import threading

import pytest

from srd_jax.support import threads


def test_results_are_in_order_though_the_first_ends_last(monkeypatch):
    monkeypatch.setattr(threads, "_cores", lambda: 2)
    second = threading.Event()

    def slow_first(number, added):
        if number == 0:
            assert second.wait(30)  # ends only because another thread has the second item
        else:
            second.set()
        return number + added

    assert threads.mapped(slow_first, range(5), [10] * 5) == [10, 11, 12, 13, 14]


def test_one_core_and_no_items(monkeypatch):
    monkeypatch.setattr(threads, "_cores", lambda: 1)
    names = threads.mapped(lambda _: threading.current_thread().name, range(9))
    assert len(set(names)) == 1
    assert threads.mapped(str, []) == []


def test_an_error_is_passed_on():
    with pytest.raises(ZeroDivisionError):
        threads.mapped(lambda number: 1 // number, [1, 0])
