import os
import pathlib
import select
import signal
import subprocess
import sys

import pytest
from helpers import reviews

from srd_jax.review.state.entries import Entry, line, parsed
from srd_jax.review.state.log import Log
from srd_jax.support.errors import InputError

TESTS = pathlib.Path(__file__).parents[2]


def entry(revision, **changes):
    made = reviews.record()
    granum = made.analysis.grana[0]
    values = {
        "revision": revision,
        "key": f"k{revision}",
        "time": "2026-01-01T00:00:00.000+00:00",
        "who": "ann",
        "file": "m0",
        "record": "ab",
        "op": {"do": "delete", "granum": 1},
        "before": {1: granum},
        "after": {1: None},
    }
    return Entry(**values | changes)


def test_an_entry_reads_back_as_it_was_written():
    one = entry(3, who="Zoë = +1")
    assert parsed(line(one)) == one
    assert line(one).count(b"\n") == 1 and line(one).endswith(b"\n")


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"1", b'{"op": {}}', b"\0\0", b"\xff"])
def test_what_is_no_entry_is_refused(text):
    with pytest.raises(InputError, match="isn't an entry"):
        parsed(text)


def test_a_log_cut_off_anywhere_keeps_every_whole_line_and_goes_on(tmp_path):
    lines = [line(entry(number, before={}, after={})) for number in (1, 2, 3)]
    whole = b"".join(lines)
    path = tmp_path / "app" / "log.jsonl"
    path.parent.mkdir()
    for cut in range(0, len(whole) + 1, 7):
        path.write_bytes(whole[:cut])
        log = Log(path)
        kept = whole[:cut].count(b"\n")
        torn = cut - sum(map(len, lines[:kept]))
        assert [one.revision for one in log.entries] == list(range(1, kept + 1))
        assert bool(log.notes) == bool(torn)
        assert not torn or str(torn) in log.notes[0]
        log.append(entry(kept + 1))
        log.close()
        assert path.read_bytes() == b"".join(lines[:kept]) + line(entry(kept + 1))


def test_a_last_line_of_garbage_is_dropped_and_one_in_the_midst_is_refused(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_bytes(line(entry(1)) + b"\0\0\0\n")
    log = Log(path)
    assert len(log.entries) == 1 and "4 bytes" in log.notes[0]
    log.close()
    path.write_bytes(line(entry(1)) + b"\0\0\0\n" + line(entry(2)))
    with pytest.raises(InputError, match="line 2 isn't an entry"):
        Log(path)
    path.write_bytes(line(entry(2)) + line(entry(1)) + line(entry(3)))
    with pytest.raises(InputError, match="revision 1 after 2"):
        Log(path)


def test_a_second_writer_is_refused_and_a_reader_sees_what_is_written(tmp_path):
    path = tmp_path / "app" / "log.jsonl"
    first = Log(path)
    with pytest.raises(InputError, match="another srd app"):
        Log(path)
    reader = Log(path, read_only=True)
    first.append(entry(1))
    assert [one.revision for one in reader.reload()] == [1]
    assert not reader.reload()
    with pytest.raises(InputError, match="reading alone"):
        reader.append(entry(2))
    first.close()
    Log(path).close()


def test_a_full_disk_leaves_the_log_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "app" / "log.jsonl"
    log = Log(path)
    log.append(entry(1))
    write = os.write

    def half(file, content):
        if len(content) > 50:
            return write(file, content[:50])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half)
        with pytest.raises(InputError, match="No space left"):
            log.append(entry(2))
    log.append(entry(2))
    log.close()
    assert path.read_bytes() == line(entry(1)) + line(entry(2))


def test_a_process_that_is_killed_loses_nothing_that_it_acknowledged(tmp_path):
    reviews.write(tmp_path)
    acknowledged = 0
    for wait in (3, 11, 20):
        process = subprocess.Popen(
            [sys.executable, "-m", "helpers.reviews", str(tmp_path)],
            stdout=subprocess.PIPE,
            cwd=TESTS,
            env={**os.environ, "PYTHONPATH": f"{TESTS}:{TESTS.parent}"},
        )
        for _ in range(wait):
            assert select.select([process.stdout], [], [], 60)[0]
            acknowledged = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        rest, _ = process.communicate()
        # The last line of it may be cut off, too.
        acknowledged = max([acknowledged, *map(int, rest.split(b"\n")[:-1])])
        review = reviews.opened(tmp_path)
        assert review.revision >= acknowledged
        assert [one.revision for one in review.entries()] == list(range(1, review.revision + 1))
        review.close()
