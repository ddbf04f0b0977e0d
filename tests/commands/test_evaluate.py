import json
import os
import pathlib
import shutil

import numpy as np
import pytest
from helpers.command import numbers, read, refused, run
from helpers.crops import ellipse, stripes, write_weights

from srd_jax.imaging import dataset
from srd_jax.imaging.crop import Crop
from srd_jax.measuring import methods
from srd_jax.measuring.classical import Classical
from srd_jax.measuring.combination import Combined
from srd_jax.measuring.estimator import load
from srd_jax.support.errors import InputError
from srd_jax.synthetic.config import GranaConfig
from srd_jax.synthetic.crops import draw_grana

pytestmark = pytest.mark.hurry

PERIODS = (16.0, 20.0, 25.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("set")
    grana = [
        dataset.Granum(
            f"{i}.png",
            stripes(i, (150, 130 + i), period) / np.float32(255) * ellipse((150, 130 + i)),
            ellipse((150, 130 + i)),
            period,
            1.25,
        )
        for i, period in enumerate(PERIODS)
    ]
    dataset.write_grana(folder, grana)
    return folder


def test_methods_side_by_side(folder, tmp_path, capsys):
    weights = write_weights(tmp_path / "my_run" / "weights.safetensors")
    out = tmp_path / "out"
    assert run("evaluate", folder, "--weights", weights, "--out", out) == 0
    rows = read(out / "results.csv")
    names = ["my_run combined", "my_run", "fft", "autocorrelation"]
    assert [(row["name"], row["method"]) for row in rows] == [
        (f"{i}.png", name) for i in range(3) for name in names
    ]
    assert {row["status"] for row in rows} <= {"ok", "low_confidence"}
    np.testing.assert_allclose(numbers(rows, "true_px")[:, 0], np.repeat(PERIODS, 4), rtol=1e-5)
    estimator = load(weights)
    crops = [Crop(one.image, one.mask, None, "") for one in dataset.read_grana(folder)]
    for place, method in enumerate((Combined(estimator), estimator)):
        np.testing.assert_allclose(
            numbers(rows[place::4], "period_px", "sd_px"),
            [(one.period_px, one.sd_px) for one in method(crops)],
            rtol=1e-5,
        )
    # Stripes are easy.
    assert np.abs(numbers(rows[3::4], "error_percent")).max() < 5
    printed = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in printed[2:6]] == names
    assert printed[-1] == f"3 crops of {folder}; report in {out / 'report.html'}"
    table = read(out / "summary.csv")
    assert [row["method"] for row in table] == names
    assert (out / "report.html").exists()


def methods_of(path):
    return [one["method"] for one in json.loads(path.read_text(encoding="utf-8"))["methods"]]


def test_weights_are_named_by_what_tells_them_apart(folder, tmp_path, monkeypatch):
    make, given = methods.make, []

    def other(name, weights=None, batch_size=8, tta=False):
        given.append((name, weights))
        return make("fft", batch_size=batch_size)

    monkeypatch.setattr(methods, "make", other)
    (tmp_path / "run.1").mkdir()
    paths = [tmp_path / name for name in ("run.1", "a/weights.safetensors", "b/net.safetensors")]
    options = ["--method", "network", "--out", tmp_path / "out"]
    assert run("evaluate", folder, *options, "--weights", *paths) == 0
    assert methods_of(tmp_path / "out" / "summary.json") == ["run.1", "a", "net"]
    twins = [tmp_path / "a" / "net.safetensors", paths[2]]
    assert run("evaluate", folder, *options, "--weights", paths[0], "--weights", *twins) == 0
    names = methods_of(tmp_path / "out" / "summary.json")
    assert names == ["run.1", *map(str, twins)]
    assert given == [("network", path) for path in (*paths, paths[0], *twins)]


def test_a_crop_that_a_method_refuses_is_a_row_and_a_status(folder, tmp_path, monkeypatch, capsys):
    prepare = Classical.prepare

    def picky(self, image):
        if image.image.shape[1] == 131:
            raise InputError("too odd; accepted are others")
        return prepare(self, image)

    monkeypatch.setattr(Classical, "prepare", picky)
    assert run("evaluate", folder, "--method", "fft", "--out", tmp_path) == 1
    rows = read(tmp_path / "results.csv")
    assert [row["status"] == "failed" for row in rows] == [False, True, False]
    assert rows[1]["reason"] == "too odd; accepted are others"
    (table,) = read(tmp_path / "summary.csv")
    assert (table["crops"], table["measured"], table["failed"]) == ("3", "2", "1")
    assert " 2/3 " in capsys.readouterr().out


def test_a_bad_row_is_a_failed_case_and_the_rest_is_measured(folder, tmp_path, capsys):
    folder = shutil.copytree(folder, tmp_path / "set")
    (folder / "bad.png").write_text("hello")
    with (folder / "annotations.csv").open("a") as file:
        file.write("bad.png,90,16,1.25\nlost.png,90,x,1.25\n")
    out = tmp_path / "out"
    assert run("evaluate", folder, "--method", "fft", "autocorrelation", "--out", out) == 1
    rows = read(out / "results.csv")
    good = [row for row in rows if row["true_px"]]
    bad = [row for row in rows if not row["true_px"]]
    assert len(good) == 6
    assert [(row["name"], row["method"]) for row in bad] == [
        (name, method) for name in ("bad.png", "lost.png") for method in ("fft", "autocorrelation")
    ]
    assert {row["status"] for row in bad} == {"failed"}
    assert "isn't an image" in bad[0]["reason"]
    assert bad[2]["reason"].startswith("period_nm is 'x'; accepted")
    assert {(one["crops"], one["failed"]) for one in read(out / "summary.csv")} == {("5", "2")}
    report = (out / "report.html").read_text(encoding="utf-8")
    assert "period_nm is &#39;x&#39;" in report
    said = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[1] for line in said] == ["row 5 (bad.png)", "row 6 (lost.png)"]


def test_no_good_row_is_refused(folder, tmp_path, capsys):
    folder = shutil.copytree(folder, tmp_path / "set")
    (folder / "annotations.csv").write_text("granum_image,period_px\nlost.png,20\nb.png,x\n")
    said = refused(capsys, "evaluate", folder, "--method", "fft", "--out", tmp_path / "out")
    assert "annotations.csv: row 2 (lost.png): " in said
    assert said.endswith("(1 more of 2 rows are bad)")


def test_other_annotations(folder, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("granum_image,period_px\n2.png,22\n", encoding="utf-8")
    options = ["--method", "fft", "--out", tmp_path / "out"]
    assert run("evaluate", folder, "--annotations", other, *options) == 0
    (row,) = read(tmp_path / "out" / "results.csv")
    assert (row["name"], row["true_px"], row["px_per_nm"]) == ("2.png", "22", "")


def test_limits_and_views(folder, tmp_path, monkeypatch):
    make, given = methods.make, []

    def other(*arguments):
        given.append(arguments)
        return make("fft")

    monkeypatch.setattr(methods, "make", other)
    options = ["--method", "network", "--weights", "my.safetensors", "--out", tmp_path]
    assert run("evaluate", folder, *options, "--tta", "--period-nm", 13, 17) == 0
    assert given == [("network", pathlib.Path("my.safetensors"), 8, True)]
    rows = read(tmp_path / "results.csv")
    # 16, 20 and 25 px at 1.25 px per nm.
    assert [row["status"] for row in rows] == ["low_confidence", "ok", "low_confidence"]
    assert rows[0]["reason"].endswith("is below 13 nm")
    assert rows[2]["reason"].endswith("is above 17 nm")


def test_generated_grana(tmp_path):
    given = ["--generated", 2, "--method", "autocorrelation", "--out", tmp_path]
    assert run("evaluate", *given, "--seed", 7) in (0, 1)
    rows = read(tmp_path / "results.csv")
    drawn = [(period, scale) for _, _, period, scale in draw_grana(7, 2, GranaConfig())]
    np.testing.assert_allclose(numbers(rows, "true_px", "px_per_nm"), drawn, rtol=1e-5)
    first = (tmp_path / "report.html").read_bytes()
    assert b"the generator (seed 7)" in first
    run("evaluate", *given, "--seed", 7)
    assert (tmp_path / "report.html").read_bytes() == first


def test_wrong_usage_is_told_in_one_line(folder, tmp_path, capsys):
    weights = write_weights(tmp_path / "w.safetensors")
    file = tmp_path / "file"
    file.write_text("mine")
    for arguments, message in (
        ([], "found neither of FOLDER and --generated"),
        ([folder, "--generated", 2], "found both of FOLDER and --generated"),
        (["--generated", 0], "found '0'"),
        (["--generated", 2, "--annotations", file], f"--annotations {file}: is accepted with"),
        ([folder, "--seed", 1], "--seed 1: is accepted with --generated only"),
        (["--generated", 2, "--seed", -1], "--seed"),
        ([folder, "--method", "fft", "--weights", weights], "--method fft: without a network"),
        ([folder, "--method", "guess"], "'guess'"),
        ([folder, "--weights", weights, weights], f"--weights {weights}: is given twice"),
        ([folder, "--weights", file], f"{file}: "),
        ([folder, "--method", "fft", "--tta"], "--tta: found without a network; accepted with one"),
        ([folder, "--method", "fft", "--max-sd-nm", 1], "--max-sd-nm: found without a network"),
        ([folder, "--period-nm", 30, 14], "--period-nm 30 14: accepted is the shorter one first"),
        ([folder, "--out", file], f"{file / 'results.csv'}: cannot be written"),
        ([tmp_path / "none"], f"{tmp_path / 'none'}"),
    ):
        out = [] if "--out" in arguments else ["--out", tmp_path / "out"]
        assert message in refused(capsys, "evaluate", *arguments, *out)
    assert not list((tmp_path / "out").glob("*"))
    assert file.read_text() == "mine"


def test_a_folder_whose_name_is_not_utf_8(folder, tmp_path, capsys):
    odd = shutil.copytree(folder, tmp_path / os.fsdecode(b"caf\xe9"))
    assert run("evaluate", odd, "--method", "fft", "--out", tmp_path / "out") == 0
    assert "caf?" in capsys.readouterr().out
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["source"].endswith("caf?")


def test_inputs_are_not_replaced(folder, tmp_path, capsys):
    own = tmp_path / "results.csv"
    own.write_text("granum_image,period_px\n2.png,22\n", encoding="utf-8")
    message = refused(capsys, "evaluate", folder, "--annotations", own, "--out", tmp_path)
    assert message.startswith(f"--out {tmp_path}: would replace")
    assert own.read_text(encoding="utf-8").startswith("granum_image")


def test_the_reference_on_real_crops(reference_dir, tmp_path):
    weights = tmp_path / "reference.safetensors"
    run("import-weights", reference_dir / "reference" / "period_model.npz", "--out", weights)
    given = ["--method", "network", "--weights", weights, "--out", tmp_path]
    assert run("evaluate", reference_dir / "real_grana", *given) == 0
    (one,) = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))["methods"]
    known = read(reference_dir / "real_grana" / "annotations.csv")
    true, said, sd = numbers(known, "period_px", "reference_period_px", "reference_sd_px").T
    errors, trusted = np.abs(said - true), sd / said <= 0.125
    assert one["all"]["px"]["mae"] == pytest.approx(errors.mean(), abs=0.01)
    assert one["only_ok"]["px"]["mae"] == pytest.approx(errors[trusted].mean(), abs=0.01)
    assert one["ok"] == trusted.sum()
    frame = errors * numbers(known, "reference_scale")[:, 0]
    assert one["all"]["frame_px"]["mae"] == pytest.approx(frame.mean(), abs=0.02)
