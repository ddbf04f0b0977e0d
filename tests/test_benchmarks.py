import importlib.util
import json
import pathlib
import subprocess
import sys

import matplotlib.figure
import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
FOLDER = ROOT / "benchmarks"
HELPERS = {
    "__main__",
    "growth_worker",
    "predict_runs",
    "predict_worker",
    "review_load",
    "speed_worker",
    "tables",
    "torch_twin",
}
SCRIPTS = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in HELPERS)


def loaded(name):
    """A module of benchmarks/, which is no package."""
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tables, listing = loaded("tables"), loaded("__main__")


def benchmarks(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments], cwd=ROOT, capture_output=True, text=True
    )


def test_every_script_and_no_helper_is_listed():
    assert {path.stem for path in FOLDER.glob("*.py")} >= HELPERS
    assert sorted(listing.scripts()) == SCRIPTS


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_states_what_it_does_needs_takes_and_writes(name):
    facts = listing.described(FOLDER / f"{name}.py")
    assert sorted(facts) == ["Does", "Needs", "Takes", "Writes"]
    assert all(len(text) > 5 and text.endswith((".", "?")) for text in facts.values())


@pytest.mark.parametrize("arguments", [(), ("--help",)])
def test_the_list_has_all_scripts_with_their_facts(arguments):
    done = benchmarks(*arguments)
    assert done.returncode == 0 and not done.stderr
    lines = done.stdout.splitlines()
    assert [line for line in lines[1:] if line and line[0] != " "] == SCRIPTS
    for fact in ("needs: ", "takes: ", "writes:"):
        assert sum(line.startswith(f"  {fact}") for line in lines) == len(SCRIPTS)
    assert max(map(len, lines)) <= 100


def test_a_script_runs_by_its_name_as_by_its_path():
    by_name = benchmarks("startup", "--help")
    words = [sys.executable, "benchmarks/startup.py", "--help"]
    by_path = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert by_name.returncode == 0 and "--rounds" in by_name.stdout
    assert by_name.stdout == by_path.stdout


def test_arguments_and_the_exit_status_are_the_script_s(tmp_path):
    file = tmp_path / "file"
    file.touch()
    done = benchmarks("startup", "--out", str(file))
    assert done.returncode == 2
    assert f"{file} is no folder" in done.stderr and "accepted: a folder" in done.stderr


@pytest.mark.parametrize(
    ("name", "near"), [("speeed", "speed"), ("torch_twin", None), ("qqq", None)]
)
def test_an_unknown_name_gets_one_line(name, near):
    done = benchmarks(name)
    assert done.returncode == 2 and not done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{name} isn't a script") and line.endswith(near or SCRIPTS[-1])


def test_values_are_rounded_to_three_digits():
    values = [1234.5, 123.4, 12.345, 0.0123456, 10_000, "a", None, float("nan"), True]
    texts = ["1,234", "123", "12.3", "0.0123", "10,000", "a", "–", "–", "True"]
    assert [tables.text(value) for value in values] == texts


def test_a_table_in_markdown():
    table = tables.Table("Times", ("side", "s"), [("a|b", 1.5), ("c", 250.4)])
    assert tables.markdown(table) == (
        "**Times**\n\n| side | s |\n| --- | ---: |\n| a\\|b | 1.5 |\n| c | 250 |\n"
    )


def test_ratios_are_of_pairs_of_a_round():
    # The machine was slower in the second round; the ratio of the medians would be 2.25.
    assert tables.paired_ratio([4, 90, 4.5], [2, 30, 1.5]) == 3


def test_the_setting_is_printed_and_written_with_the_tables(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(tables.os, "getloadavg", lambda: (0.7, 0, 0))
    parser = tables.argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    tables.add_out(parser)
    options = parser.parse_args(["--out", str(tmp_path / "new" / "out")])
    setting = tables.started(options, ("scipy",))
    assert "the machine is busy (load 0.7)" in capsys.readouterr().err
    table = tables.Table("Times", ("side", "s"), [("a", 1.23456)])
    figure = matplotlib.figure.Figure()
    tables.publish("one", setting, [table], options.out, {"a": [1.2, 1.3]}, figure)
    printed = capsys.readouterr().out
    assert tables.markdown(table) in printed and "- settings: rounds 3" in printed
    assert printed.strip() in (options.out / "one.md").read_text(encoding="utf-8")
    found = json.loads((options.out / "one.json").read_text(encoding="utf-8"))
    assert found["tables"] == [
        {"title": "Times", "columns": ["side", "s"], "rows": [["a", 1.23456]]}
    ]
    assert found["samples"] == {"a": [1.2, 1.3]}
    assert found["setting"]["settings"] == {"rounds": 3}
    assert found["setting"]["load"] == {"before": 0.7, "after": 0.7}
    assert found["setting"]["versions"]["scipy"] and found["setting"]["machine"]["memory"]
    assert (options.out / "one.png").read_bytes().startswith(b"\x89PNG")


def test_a_quiet_machine_gives_no_warning_and_no_folder_no_files(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(tables.os, "getloadavg", lambda: (0.1, 0, 0))
    monkeypatch.chdir(tmp_path)
    setting = tables.started(tables.argparse.Namespace(rounds=3, out=None))
    tables.publish("one", setting, [], None)
    assert not capsys.readouterr().err and not list(tmp_path.iterdir())


@pytest.fixture
def beside(monkeypatch):
    """Scripts find the modules beside them, as where Python runs one."""
    monkeypatch.syspath_prepend(FOLDER)
    return loaded


def test_growth_fits_exponents_and_lines(beside, tmp_path):
    growth = beside("growth")
    size = np.array([1, 2, 4, 8])
    assert growth.exponent(size, 3.0 * size**1.5) == pytest.approx(1.5)
    cases = [growth.Case(int(s), int(s), [], {}) for s in size]
    part = growth.Part("images", "work", cases)
    # 2 s and 0.5 s an image, 1 MB and 1 kB an image; the odd round of the last one is left out.
    samples = {int(s): ([2 + 0.5 * s] * 3, [1_000_000 + 1000 * int(s)] * 3) for s in size}
    samples[8][0][0] = 100.0
    table = growth.growth({"images": part}, {"images": samples})
    row = dict(zip(table.columns, table.rows[0], strict=True))
    assert row["ms more each"] == pytest.approx(500) and row["s at 0"] == pytest.approx(2)
    assert row["kB more each"] == pytest.approx(1)
    assert row["of the two largest"] == pytest.approx(np.log2(6 / 4))
    rows = growth.table(part, samples).rows
    assert [one[1] for one in rows] == [2.5, 3, 4, 6]
    assert [one[2] for one in rows] == [2500, 1500, 1000, 750]
    assert [one[3] for one in rows] == pytest.approx([1, 1.2, 1.6, 2.4])
    figure = growth.plot({"images": part}, {"images": samples})
    time, memory = figure.axes
    assert time.get_xlabel() == "" and memory.get_xlabel() == "images"
    lines = [line.get_ydata() for axis in figure.axes for line in axis.lines[-1:]]
    np.testing.assert_allclose(lines, [[2.5, 3, 4, 6], [1.001, 1.002, 1.004, 1.008]])


def test_growth_of_a_single_size_has_no_exponent(beside):
    growth = beside("growth")
    part = growth.Part("devices", "work", [growth.Case(1, 4, [], {})])
    samples = {1: ([2.0], [1_000_000])}
    (row,) = growth.growth({"devices": part}, {"devices": samples}).rows
    assert row[0] == "devices" and np.isnan(row[1:]).all()
    growth.plot({"devices": part}, {"devices": samples})


def test_predict_s_ratios_are_to_the_better_reference(beside):
    predict = beside("predict")
    samples = {name: [9.0, 9.0, 9.0] for name in predict.SIDES}
    samples |= {"the reference's way": [4.0, 8.0, 4.0], "ours, network": [1.0, 4.0, 2.0]}
    rows = predict.table(samples, 100).rows
    assert {row[0]: row[-1] for row in rows}["ours, network"] == 0.5
    assert {row[0]: row[4] for row in rows}["ours, network"] == 20
    assert {row[0]: row[-1] for row in rows}["the reference's way"] == 1


def test_a_command_is_watched_with_its_children(beside):
    runs = beside("predict_runs")
    child = "import time; kept = b'x' * 50_000_000; time.sleep(1)"
    parent = (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}]); print('end')"
    )
    run = runs.run([sys.executable, "-c", parent], runs.environment())
    assert run.output == "end\n" and run.seconds > 1
    if pathlib.Path("/proc/self/smaps_rollup").exists():
        assert 50e6 < run.most < 150e6
    with pytest.raises(SystemExit, match=r"ended with status 3:\nno"):
        runs.run([sys.executable, "-c", "import sys; print('no', file=sys.stderr); exit(3)"], {})


def test_a_measured_command_has_none_of_a_user_s_settings(beside, monkeypatch):
    runs = beside("predict_runs")
    for name in ("GLIBC_TUNABLES", "JAX_COMPILATION_CACHE_DIR", "XLA_FLAGS"):
        monkeypatch.setenv(name, "x")
    found = runs.environment(XLA_FLAGS="y")
    assert "GLIBC_TUNABLES" not in found and "JAX_COMPILATION_CACHE_DIR" not in found
    assert found["XLA_FLAGS"] == "y" and str(ROOT) in found["PYTHONPATH"]
