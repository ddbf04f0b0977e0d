"""Some 400 bad and odd files in one batch: each is a crop or a line of error, good ones go on."""

import json
import subprocess
import sys

import pytest
from helpers import odd_files
from helpers.crops import write_crop

# Reads and measures in a process of its own: a hang, a crash or too much memory ends it.
_PROGRAM = """
import json, pathlib, resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (200, 200))
from srd_jax.imaging.crop import read_crop
from srd_jax.measuring.measure_files import measure_files
from srd_jax.measuring.methods import make
from srd_jax.support.errors import InputError

files = sorted(pathlib.Path(sys.argv[1]).iterdir())
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]), int(sys.argv[2])))
found = {}
for file in files:
    try:
        read_crop(file)
        found[file.name] = "crop"
    except InputError as error:
        found[file.name] = str(error)
    except Exception as error:
        found[file.name] = f"{type(error).__name__}\\n{error}"
rows = [one.result for one in measure_files(make("autocorrelation"), files)]
rows = [(row.file, row.status, row.period_px, row.reason) for row in rows]
json.dump([found, rows], sys.stdout)
"""
_BYTES = 8 << 30


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """The folder, the parts of reasons that are expected, what was read, and the rows by name."""
    folder = tmp_path_factory.mktemp("corpus")
    expected = odd_files.special(folder)
    for name, data in (*odd_files.cut(), *odd_files.mutated(0, 8)):
        (folder / name).write_bytes(data)
    faulty = (odd_files.faulty_tiffs, odd_files.faulty_pngs, odd_files.others)
    for name, data, reason in (one for make in faulty for one in make()):
        assert not (folder / name).exists()
        (folder / name).write_bytes(data)
        expected[name] = reason
    for letter in "aeimqz":
        write_crop(folder / f"{letter}_good.png", ord(letter), period=15)
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, folder, str(_BYTES)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, "")
    read, rows = json.loads(done.stdout)
    assert sorted(path.name for path in folder.iterdir()) == sorted(read)
    rows = {file.removeprefix(f"{folder}/"): row for file, *row in rows}
    return folder, expected, read, rows


def test_every_file_is_a_crop_or_one_line_that_names_it(corpus):
    folder, _, read, _ = corpus
    assert len(read) >= 300
    for name, found in read.items():
        if found == "crop":
            continue
        assert found.startswith(f"{folder / name}: "), found
        assert found.count("\n") == 0, found
        assert "accepted" in found
        assert "memory" not in found
    share = sum(found == "crop" for found in read.values()) / len(read)
    assert 0.05 < share < 0.6


def test_every_file_has_its_row_and_good_ones_are_measured(corpus):
    _, _, read, rows = corpus
    assert list(rows) == sorted(read)
    for name, (status, period, reason) in rows.items():
        assert status in ("ok", "low_confidence", "error")
        assert status != "error" or (period is None and reason)
        if read[name] != "crop":
            assert status == "error"
    good = [row for name, row in rows.items() if name.endswith("_good.png")]
    assert len(good) == 6
    for status, period, _ in good:
        assert status == "ok"
        assert period == pytest.approx(15, rel=0.02)


def test_faults_are_named(corpus):
    _, expected, read, _ = corpus
    for name, reason in expected.items():
        assert (read[name] == "crop") == (reason == ""), (name, read[name])
        assert reason in read[name]


def test_truncated_files_are_refused(corpus):
    _, _, read, rows = corpus
    cut = {name: found for name, found in read.items() if name.startswith("cut_")}
    assert len(cut) == 4 * len(odd_files.formats())
    # The first page of a stack may be whole before the cut; its row says that others are missing.
    whole = [name for name, found in cut.items() if found == "crop"]
    assert all(name.endswith("stack.tif") for name in whole)
    assert all("next page lies beyond the end" in rows[name][2] for name in whole)
