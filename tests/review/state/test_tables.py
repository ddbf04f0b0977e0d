import csv

import numpy as np
import pytest
from helpers import analyses, reviews
from helpers.reviews import Person, ellipse, opened

from srd_jax.analysis.output import summary
from srd_jax.analysis.output.table import Named
from srd_jax.review.state import tables


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def written(tmp_path):
    reviews.write(tmp_path / "work")
    review = opened(tmp_path / "work")
    person = Person(review, who="=cmd()")
    person("accept", granum=3)
    person("reject", granum=1)
    person("delete", granum=2)
    person("outline", granum=4, outline=ellipse(100, 250))
    person("split", granum=5, line=[[280, 100], [280, 390]])
    person("add", outline=ellipse(420, 300))
    tables.write(tmp_path, review, {"m0": "control"})
    yield tmp_path, review
    review.close()


def test_grana_as_persons_left_them_beside_the_machine_s(written):
    folder, _ = written
    rows = [row for row in read(folder / "reviewed.csv") if row["name"] == "m0"]
    found = {row["granum"]: row for row in rows}
    assert list(found) == ["1", "3", "4", "6", "7", "8"]
    column = {name: [row[name] for row in rows] for name in rows[0]}
    assert column["decision"] == ["rejected", "accepted", "", "", "", ""]
    assert column["origin"] == ["machine", "machine", "edited", "split", "split", "drawn"]
    assert column["counts"] == ["no", "yes", "yes", "yes", "yes", "yes"]
    assert column["status"] == ["ok", "low_confidence", "ok", "ok", "ok", "ok"]
    assert set(column["by"]) == {"'=cmd()"} and set(column["group"]) == {"control"}
    assert found["4"]["manual"] == "outline"
    assert float(found["4"]["machine_srd_nm"]) == pytest.approx(20)
    assert float(found["4"]["machine_area_nm2"]) == pytest.approx(np.pi * 800 / 0.36, abs=1)
    assert float(found["4"]["srd_nm"]) == pytest.approx(11 / 0.6, rel=1e-5)
    assert found["6"]["machine_srd_nm"] == ""


def test_means_are_over_what_counts(written):
    folder, review = written
    rows = read(folder / "reviewed_summary.csv")
    (one,) = [
        row
        for row in rows
        if row["scope"] == "file" and row["of"].endswith("m0.png") and row["quantity"] == "srd_nm"
    ]
    # One as the machine found it, and four that were measured anew.
    periods = [12.0, 11.0, 11.0, 11.0, 11.0]
    assert int(one["grana"]) == 5
    assert float(one["mean"]) == pytest.approx(np.mean(periods) / 0.6, rel=1e-5)
    assert float(one["sd"]) == pytest.approx(np.std(periods, ddof=1) / 0.6, rel=1e-4)
    assert (folder / "log.jsonl").read_bytes() == (
        review.folder.root / "app" / "log.jsonl"
    ).read_bytes()


def test_the_share_of_corrections(written):
    folder, _ = written
    rows = {row["of"].rpartition("/")[2]: row for row in read(folder / "corrections.csv")}
    counts = ("machine", "accepted", "changed", "rejected", "undecided", "added")
    assert [int(rows["m0.png"][name]) for name in counts] == [5, 1, 2, 2, 0, 1]
    assert [int(rows["m1.png"][name]) for name in counts] == [5, 0, 0, 0, 5, 0]
    assert [int(rows[""][name]) for name in counts] == [10, 1, 2, 2, 5, 1]
    assert float(rows["m0.png"]["changed_share"]) == pytest.approx(0.4)
    assert float(rows[""]["added_share"]) == pytest.approx(0.1)


def test_without_decisions_the_means_are_those_of_the_analysis(tmp_path):
    grana = [analyses.granum(n, 30.0 * n, 80.0, 20.0 * n, 11 + 0.3 * n) for n in range(1, 9)]
    folder = reviews.write(tmp_path, ("m0",), grana=grana)
    review = opened(tmp_path)
    made = reviews.record("m0", grana=grana, folder=folder.root / "gone").analysis
    ours = summary.summarise(tables.named(review.reviewed(), {}))
    assert ours == summary.summarise([Named(made, "m0")])
    review.close()
