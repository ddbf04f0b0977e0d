import errno
import os

import numpy as np
import pytest

from srd_jax.support import journal
from srd_jax.support.errors import InputError
from srd_jax.support.journal import Journal, Unwritable

ODD = {"file": os.fsdecode(b"\xb5\n.png"), "value": 1 / 3, "none": None}


def opened(path):
    return Journal(path, "lines of a test", "another test is writing")


def contents(path):
    one = opened(path)
    try:
        return [entry for _, entry in one.entries()][1:]
    finally:
        one.close()


def test_lines_come_back_to_the_last_bit(tmp_path):
    one = opened(tmp_path / "a")
    assert one.is_empty
    one.append(ODD)
    one.append({"value": np.int64(7), "other": np.float64(0.1)})
    assert not one.is_empty
    places = [place for place, _ in one.entries()]
    assert one.read(places[1]) == ODD
    one.close()
    assert contents(tmp_path / "a") == [ODD, {"value": 7, "other": 0.1}]


@pytest.mark.parametrize("cut", [1, 5, 10_000])
def test_an_unfinished_end_is_dropped_and_the_rest_goes_on(tmp_path, cut):
    path = tmp_path / "a"
    one = opened(path)
    one.append({"number": 1})
    one.append({"number": 2})
    one.close()
    whole = path.read_bytes()
    path.write_bytes(whole[: max(len(whole) - cut, 3)])
    kept = [{"number": 1}] if cut < 10_000 else []
    one = opened(path)
    assert one.is_empty == (not kept)
    one.append({"number": 3})
    one.close()
    assert contents(path) == [*kept, {"number": 3}]


def test_damaged_lines_are_passed_over(tmp_path):
    path = tmp_path / "a"
    one = opened(path)
    one.append({"number": 1})
    one.close()
    path.write_bytes(path.read_bytes() + b'\0\0\0\0\n[1]\n{"number":2}\n')
    assert contents(path) == [{"number": 1}, {"number": 2}]


def test_another_file_is_left_alone(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"my notes, without an end")
    with pytest.raises(InputError, match="is there already and doesn't hold lines of a test"):
        opened(path)
    assert path.read_bytes() == b"my notes, without an end"


def test_one_process_at_a_time(tmp_path):
    one = opened(tmp_path / "a")
    with pytest.raises(InputError, match="a: another test is writing"):
        opened(tmp_path / "a")
    one.remove()
    assert list(tmp_path.iterdir()) == []
    opened(tmp_path / "a").close()


def test_a_full_disk_leaves_whole_lines(tmp_path, monkeypatch):
    one = opened(tmp_path / "a")
    one.append({"number": 1})

    def full(file, content):
        if len(content) < 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, content[:-10])

    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(Unwritable, match="cannot be written"):
            one.append({"number": 2, "text": "x" * 30})
    one.append({"number": 3})
    one.close()
    assert contents(tmp_path / "a") == [{"number": 1}, {"number": 3}]


def test_lines_reach_the_disk_in_batches(tmp_path, monkeypatch):
    monkeypatch.setattr(journal, "_LINES", 3)
    monkeypatch.setattr(journal, "_SECONDS", 1e9)
    synced = []
    monkeypatch.setattr(os, "fsync", synced.append)
    one = opened(tmp_path / "a")
    for number in range(7):
        one.append({"number": number})
    assert len(synced) == 2
    one.close()
