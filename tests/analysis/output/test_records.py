import dataclasses
import json
import math

import numpy as np
import pytest
from helpers import analyses

from srd_jax.analysis.granum import Analysis, Value
from srd_jax.analysis.output import records
from srd_jax.analysis.output.records import Record


def test_what_is_written_is_read_back_to_the_last_bit(tmp_path):
    bare = analyses.granum(
        2, 10, 20, **dict.fromkeys(("direction_deg", "period_px", "gsi", "detection"))
    )
    odd = analyses.granum(
        1, np.float32(0.1), 1 / 3, np.pi, np.nextafter(12.0, 13), layers=Value(np.float32(3.3), 0.1)
    )
    for found in (
        analyses.analysis("a.png", [odd, bare], strain=analyses.STRAIN, notes=("é", "x")),
        analyses.analysis("a.png", [], px_per_nm=None),
        Analysis("a.png", error="isn't an image"),
    ):
        path = tmp_path / "a.json"
        records.write(path, Record({"file": "0"}, (3, 7), found))
        assert records.read(path) == Record({"file": "0"}, (3, 7), found)
        assert "NaN" not in path.read_text()
    records.write(path, Record({}, None, found))
    assert records.read(path).excluded is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"made": {}}', '{"made": {}, "excluded": [], "analysis": {}}']
)
def test_what_is_no_record_counts_as_none(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    assert records.read(tmp_path / "a.json") is None
    assert records.read(tmp_path / "b.json") is None


def test_a_record_of_another_version_counts_as_none(tmp_path):
    records.write(tmp_path / "a.json", Record({}, (), analyses.analysis("a.png", [])))
    content = json.loads((tmp_path / "a.json").read_text())
    content["analysis"]["colour"] = "blue"
    (tmp_path / "a.json").write_text(json.dumps(content))
    assert records.read(tmp_path / "a.json") is None


def test_an_identity_is_that_of_content_and_options(tmp_path):
    path, beside = tmp_path / "a.png", tmp_path / "a.txt"
    path.write_bytes(b"pixels")
    made = records.identity(path, {"threshold": 0.5, "sides": (1, 2)}, [beside])
    assert records.changed(made, json.loads(json.dumps(made))) == []
    assert made == records.identity(path, {"threshold": 0.5, "sides": [1, 2]}, [beside])
    beside.write_text("PixelSize=1")
    now = records.identity(path, {"threshold": 0.4, "sides": (1, 2)}, [beside])
    assert records.changed(made, now) == ["files beside", "threshold"]
    path.write_bytes(b"others")
    assert "file" in records.changed(now, records.identity(path, {}, [beside]))
    with pytest.raises(OSError):
        records.identity(tmp_path / "none.png", {})


def test_numbers_that_are_not_finite_become_none_and_are_doubted():
    good, bad = (
        analyses.granum(1, 50, 50),
        analyses.granum(2, 90, 90, gsi=Value(math.nan, 0.1), height_px=Value(3.0, math.inf)),
    )
    strain = dataclasses.replace(analyses.STRAIN, axis_deg=Value(math.nan, 1.0))
    found = records.finite(analyses.analysis("a.png", [good, bad], strain=strain))
    assert found.strain is None
    assert found.grana[0] == good
    assert (found.grana[1].gsi, found.grana[1].height_px) == (None, None)
    assert found.grana[1].status == "low_confidence"
    assert found.grana[1].reason == "height_px isn't a finite number; gsi isn't a finite number"
    assert found.grana[1].period_px == bad.period_px
