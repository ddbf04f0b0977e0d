import csv
import io
import json

import numpy as np
import pytest
import rich.console
from helpers.evaluated import METHODS, Fake, grana

from srd_jax.evaluation import output
from srd_jax.evaluation.cases import column, evaluate
from srd_jax.evaluation.summary import flat, print_table, summarise
from srd_jax.support.errors import InputError


@pytest.fixture(scope="module")
def found():
    return evaluate(grana(), METHODS, worst=3)


def test_each_crop_is_a_case_of_each_method(found):
    cases, _ = found
    assert [(case.name, case.method) for case in cases] == [
        (granum.name, method) for granum in grana() for method in METHODS
    ]
    for case, granum in zip(cases[::2], grana(), strict=True):
        rows = len(granum.image)
        assert case.true_px == rows / 6
        assert case.layers == pytest.approx(6 * np.sqrt(0.96), rel=0.05)
        assert case.frame_scale == 476 / min(rows, 300)
        if rows in (66, 77):
            assert (case.status, case.period_px, case.error_px) == ("failed", None, None)
            assert case.reason
        else:
            assert case.period_px == pytest.approx(1.05 * rows / 6)
            assert case.sd_px == pytest.approx(0.1 * case.period_px)
            assert (case.error_px, case.error_percent) == pytest.approx((0.05 * rows / 6, 5))
    assert cases[4].reason == "<66> rows & no more; accepted are others"
    assert "nan" in cases[8].reason


def test_the_status_is_that_of_a_prediction(found):
    cases, _ = found
    period_nm = column(cases, "period_px") / 1.3
    sd_nm = column(cases, "sd_px") / 1.3
    for case, period, sd in zip(cases, period_nm, sd_nm, strict=True):
        if case.status != "failed":
            good = 14 <= period <= 30 and not sd > 2.5
            assert case.status == ("ok" if good else "low_confidence")
    assert {case.status for case in cases} == {"ok", "low_confidence", "failed"}


def test_a_bad_crop_costs_the_others_of_its_batch_nothing(found):
    alone = [evaluate([granum], METHODS)[0] for granum in grana()]
    assert [repr(case) for cases in alone for case in cases] == list(map(repr, found[0]))
    counting = Fake(1)
    evaluate(grana((60, 70, 80, 90)), {"one": counting})
    assert counting.batches == [3, 1]


def test_the_worst_are_those_of_the_greatest_relative_error():
    factors = iter([1.0, 1.3, 0.5, 1.1, 3.0, 0.9])

    class Varied(Fake):
        def measured(self, rows, columns):
            self.factor = next(factors) / 6
            return super().measured(rows, columns)

    _, shown = evaluate(grana((60, 61, 62, 63, 64, 65)), {"varied": Varied(1)}, worst=3)
    worst = shown["varied"]
    assert [len(one.granum.image) for one in worst] == [64, 62, 61]
    assert [one.case.error_percent for one in worst] == pytest.approx([200, -50, 30])
    assert all(one.case.name == one.granum.name for one in worst)


def test_summary_holds_every_crop_and_only_measured_errors(found):
    first, second = summarise(found[0])
    assert [first["method"], second["method"]] == list(METHODS)
    for one in (first, second):
        assert (one["crops"], one["measured"], one["failed"]) == (8, 6, 2)
        assert one["ok"] + one["low_confidence"] == 6
    periods = np.array([60, 120, 400, 90, 100, 64]) / 6
    assert first["all"]["px"]["mae"] == pytest.approx(0.05 * periods.mean())
    assert first["all"]["nm"]["mae"] == pytest.approx(0.05 * periods.mean() / 1.3)
    in_frame = 0.05 * np.array([476 / 6] * 5 + [476 / 300 * 400 / 6])
    assert first["all"]["frame_px"]["mae"] == pytest.approx(in_frame.mean())
    assert first["all"]["percent"]["p95"] == pytest.approx(5)
    assert first["all"]["mistakes"]["beyond_15_percent"] == 0
    assert second["all"]["mistakes"]["doubling"] == 1
    assert first["sd"]["mean"] == pytest.approx(0.105 * periods.mean())
    assert first["sd"]["by_sd"][-1]["count"] == 6
    assert second["sd"] == {}
    for bins in first["percent_by"].values():
        assert sum(row["count"] for row in bins) == 6
    ok = [case.error_px for case in found[0][::2] if case.status == "ok"]
    assert first["only_ok"]["px"]["mae"] == pytest.approx(np.mean(ok))


def test_nothing_measured_and_no_scale(tmp_path):
    cases, shown = evaluate(grana((66, 66), None), {"none": Fake(1)})
    (one,) = summarise(cases)
    assert (one["crops"], one["measured"], one["failed"]) == (2, 0, 2)
    assert {value for key, value in flat(one).items() if key.startswith("all.")} == {None}
    output.write(tmp_path, "x", cases, shown, [one])
    assert "No crop was measured." in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_table_on_the_terminal(found):
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    print_table(rich.console.Console(file=file, width=80), summarise(found[0]))
    file.flush()
    lines = file.buffer.getvalue().decode().splitlines()
    (line,) = [line for line in lines if line.startswith("net & co")]
    mae = 0.05 * np.mean([60, 120, 400, 90, 100, 64]) / 6
    assert line.split()[3:7] == ["6/8", "1", f"{mae:.2f}", "5.00"]
    assert max(map(len, lines)) <= 80


@pytest.fixture(scope="module")
def written(tmp_path_factory, found):
    folder = tmp_path_factory.mktemp("deep") / "evaluation"
    output.write(folder, "a <set>", *found, summarise(found[0]))
    return folder


def test_files_agree(written, found):
    assert {path.name for path in written.iterdir()} == set(output.FILES)
    with (written / "results.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(found[0])
    methods = json.loads((written / "summary.json").read_text(encoding="utf-8"))["methods"]
    with (written / "summary.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    for one, line in zip(methods, table, strict=True):
        own = [row for row in rows if row["method"] == one["method"]]
        true, period = np.array(
            [(float(row["true_px"]), float(row["period_px"])) for row in own if row["period_px"]]
        ).T
        assert line["method"] == one["method"]
        assert int(line["failed"]) == sum(row["status"] == "failed" for row in own) == 2
        errors = np.abs(period - true)
        for score, value in (("mae", errors.mean()), ("p95", np.quantile(errors, 0.95))):
            assert one["all"]["px"][score] == pytest.approx(value, rel=1e-4)
            assert float(line[f"all.px.{score}"]) == pytest.approx(value, rel=1e-4)
        assert bool(line["sd.nll"]) == bool(one["sd"])


def test_the_same_evaluation_gives_the_same_bytes(written, found, tmp_path):
    output.write(tmp_path, "a <set>", *found, summarise(found[0]))
    for name in output.FILES:
        assert (tmp_path / name).read_bytes() == (written / name).read_bytes()


def test_a_folder_that_is_a_file_is_refused(tmp_path, found):
    (tmp_path / "evaluation").write_text("mine")
    with pytest.raises(InputError, match="cannot be written"):
        output.write(tmp_path / "evaluation", "x", *found, summarise(found[0]))
    assert (tmp_path / "evaluation").read_text() == "mine"
