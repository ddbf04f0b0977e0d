import csv
import io
import os

import numpy as np
import pytest
import rich.console

from srd_jax.measuring import table
from srd_jax.measuring.result import Result
from srd_jax.measuring.table import print_table, summary, write_csv

OK = Result("grana/a.png", 25.123456, 0.94, 1.298, 19.355, 0.72, "ok", "", "tiff")
NO_SCALE = Result("grana/b.png", 31.0, 17.0, status="low_confidence", reason="sd is too large")
BAD = Result("grana/c.png", reason="isn't an image; accepted are PNG, JPEG and TIFF files")


def test_csv(tmp_path):
    odd = Result(
        'a, "b"\nc.png', reason="für, „Körner“", quality=0.75, tilt_deg=-42.5, rotated_deg=42.5,
        mask="../masks/a,b.png", label=2,
    )  # fmt: skip
    write_csv(tmp_path / "deep" / "results.csv", [OK, NO_SCALE, BAD, odd])
    with (tmp_path / "deep" / "results.csv").open(newline="", encoding="utf-8") as file:
        header, *lines = csv.reader(file)
    columns = (
        "file period_px sd_px px_per_nm period_nm sd_nm status reason px_per_nm_source quality "
        "tilt_deg rotated_deg mask label"
    )
    assert header == columns.split()
    assert lines == [
        ["grana/a.png", "25.1235", "0.94", "1.298", "19.355", "0.72", "ok", "", "tiff", *5 * [""]],
        ["grana/b.png", "31", "17", "", "", "", "low_confidence", "sd is too large", *6 * [""]],
        ["grana/c.png", "", "", "", "", "", "error", BAD.reason, *6 * [""]],
        [
            'a, "b"\nc.png',
            "",
            "",
            "",
            "",
            "",
            "error",
            "für, „Körner“",
            "",
            "0.75",
            "-42.5",
            "42.5",
            "../masks/a,b.png",
            "2",
        ],
    ]
    assert [path.name for path in tmp_path.rglob("*.csv")] == ["results.csv"]


def test_csv_keeps_the_bytes_of_names_that_are_not_utf_8(tmp_path):
    write_csv(tmp_path / "results.csv", [Result(os.fsdecode(b"\xb5m.png"))])
    assert b"\xb5m.png,,,,,,error,,," in (tmp_path / "results.csv").read_bytes()


def printed(rows, width=80, truth=None, encoding="utf-8"):
    bytes_ = io.BytesIO()
    file = io.TextIOWrapper(bytes_, encoding=encoding, newline="\n")
    print_table(rich.console.Console(file=file, width=width), rows, truth)
    file.flush()
    return bytes_.getvalue().decode(encoding).splitlines()


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_table(width):
    lines = printed([OK, NO_SCALE, BAD], width)
    if width == 40:  # there a short name has its own line where the numbers leave no room
        assert [line for line in lines if line in ("a.png", "b.png", "c.png")]
    else:
        assert lines == [
            "file   period     sd  period    sd  status",
            "           px     px      nm    nm",
            "a.png   25.12   0.94   19.36  0.72  ok",
            "b.png   31.00  17.00                low_confidence",
            "  sd is too large",
            "c.png                               error",
            "  isn't an image; accepted are PNG, JPEG and TIFF files",
        ]
    assert sum(line.endswith(" low_confidence") for line in lines) == 1


def test_table_leaves_out_what_is_empty():
    words = {word for line in printed([NO_SCALE])[:2] for word in line.split()}
    assert words == {"file", "period", "sd", "px", "status"}
    no_sd = Result("a.png", 20.0, status="ok")
    assert printed([no_sd]) == ["file   period  status", "           px", "a.png   20.00  ok"]
    assert printed([BAD])[:2] == ["file   status", "c.png  error"]


def test_table_keeps_names_whole():
    name = "2024-03-11_arabidopsis_WT_low light_07.png"
    for width in (60, 80, 120):
        lines = printed([OK, Result(name, 20.0, 1.0, 1.0, 20.0, 1.0, "ok")], width, {name: 21.0})
        assert sum(name in line for line in lines) == 1
        assert max(map(len, lines[:-1])) <= width
        assert lines[-1].startswith("mean absolute error 1.00 px")
    assert lines[3].split()[-6:] == ["21.00", "20.00", "1.00", "20.00", "1.00", "ok"]


def test_table_wraps_reasons_to_the_console():
    reason = " ".join(["grey", "values"] * 30)
    lines = printed([Result("a.png", reason=reason)], 60)
    assert max(map(len, lines)) <= 60
    assert " ".join(" ".join(lines[2:]).split()) == reason


def test_table_says_a_reason_that_all_rows_share_once():
    rows = [Result(name, 20.0, status="ok", reason="no sd") for name in ("a.png", "b.png")]
    assert printed(rows)[2:] == ["a.png   20.00  ok", "b.png   20.00  ok", "  all: no sd"]
    assert printed([*rows, OK])[3] == "  no sd"


def test_table_shows_paths_where_names_repeat():
    lines = printed([Result("x/a.png", 20.0, status="ok"), Result("y/a.png", 20.0, status="ok")])
    assert [line.split()[0] for line in lines[2:]] == ["x/a.png", "y/a.png"]


def test_table_shows_any_name():
    assert (
        printed([Result("[red]a[bold].png", 9.0, status="ok")])[2] == "[red]a[bold].png    9.00  ok"
    )
    assert printed([Result("µ.png", 9.0, status="ok")], encoding="ascii")[2] == "?.png    9.00  ok"
    (line,) = [x for x in printed([Result(os.fsdecode(b"\xb5.png"))]) if "png" in x]
    assert line == "?.png  error"
    # Wide characters take two columns.
    rows = [Result("顆粒.png", 9.0, status="ok"), Result("abcdefgh", 9.0, status="ok")]
    assert printed(rows)[2:] == ["顆粒.png    9.00  ok", "abcdefgh    9.00  ok"]


def test_long_tables_are_cut_and_tell_it():
    rows = [Result(f"{i}.png", 20.0, status="ok") for i in range(70)]
    rows[60] = Result("60.png")
    lines = printed(rows, truth={"0.png": 21.0, "69.png": 23.0})
    assert len(lines) == 2 + table.TABLE_ROWS + 2
    assert lines[-2] == "and 20 more, 1 of them with errors"
    assert lines[-1].startswith("mean absolute error 2.00 px over 2 of 70 crops")


def test_mean_absolute_error():
    truth = {OK.file: 25.0, NO_SCALE.file: 15.5, BAD.file: 20.0, "d.png": 1.0}
    unknown = Result("grana/e.png", 50.0, status="ok")
    lines = printed([OK, NO_SCALE, BAD, unknown], truth=truth)
    everything = np.mean([0.123456, 15.5])
    assert lines[-1] == (
        f"mean absolute error {everything:.2f} px over 2 of 4 crops; only ok ones: 0.12 px over 1"
    )
    assert lines[2].split() == ["a.png", "25.00", "25.12", "0.94", "19.36", "0.72", "ok"]
    assert [line.split()[:2] for line in lines if line[0] in "ce"] == [
        ["c.png", "20.00"],
        ["e.png", "50.00"],
    ]
    assert printed([NO_SCALE], truth=truth)[-1] == "mean absolute error 15.50 px over 1 of 1 crops"
    assert not any("mean" in line for line in printed([BAD], truth=truth))


def test_table_shows_the_quality():
    lines = printed([Result("a.png", 20.0, status="ok", quality=0.756)])
    assert lines == [
        "file   period  quality  status",
        "           px     0..1",
        "a.png   20.00     0.76  ok",
    ]


def test_summary():
    assert summary([OK, OK, NO_SCALE, BAD]) == ("3 of 4 measured (2 ok, 1 low_confidence, 1 error)")
    assert summary([BAD]) == "0 of 1 measured (1 error)"
