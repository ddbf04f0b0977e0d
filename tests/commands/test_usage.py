import numpy as np
import pytest
from helpers.command import read, refused, run
from helpers.crops import write_crop, write_weights
from safetensors.numpy import save_file

from srd_jax.imaging.crop import read_crop


@pytest.fixture
def weights(tmp_path):
    return write_weights(tmp_path / "weights.safetensors")


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--px-per-nm", "0", "argument --px-per-nm: found '0'; accepted is a number above 0"),
        ("--px-per-nm", "-1.3", "found '-1.3'"),
        ("--px-per-nm", "nan", "found 'nan'"),
        ("--px-per-nm", "inf", "found 'inf'"),
        ("--px-per-nm", "abc", "found 'abc'"),
        ("--px-per-nm", "1,298", "found '1,298'"),
        ("--batch-size", "0", "argument --batch-size: found '0'; accepted is a whole number"),
        ("--batch-size", "-2", "found '-2'"),
        ("--batch-size", "2.5", "found '2.5'"),
        ("--batch-size", "many", "found 'many'"),
        ("--wieghts", "x", "unrecognized arguments: --wieghts x"),
    ],
)
def test_wrong_options(tmp_path, weights, capsys, option, value, message):
    crop = write_crop(tmp_path / "a.png")
    out = tmp_path / "r.csv"
    said = refused(capsys, "predict", crop, "--weights", weights, "--out", out, f"{option}", value)
    assert message in said
    assert said.endswith("--help")
    assert not out.exists()


def test_wrong_commands(capsys):
    assert "required: COMMAND" in refused(capsys)
    assert "'measure'" in refused(capsys, "measure", "a.png")
    assert "required: PATH" in refused(capsys, "predict")
    assert "required: --out" in refused(capsys, "import-weights", "a.npz")
    with pytest.raises(SystemExit) as caught:
        run("predict", "--help")
    assert caught.value.code == 0
    assert "--annotations" in capsys.readouterr().out


def test_wrong_paths(tmp_path, weights, capsys):
    crop, out = write_crop(tmp_path / "grana" / "a.png"), tmp_path / "r.csv"
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    options = ("--weights", weights, "--out", out)
    for path, message in (
        ("empty", "a folder without images"),
        ("none.png", "No such file"),
    ):
        said = refused(capsys, "predict", crop, tmp_path / path, *options)
        assert said.startswith(f"{tmp_path / path}: ")
        assert message in said
    for target, message in (
        (tmp_path, "is a folder"),
        (tmp_path / "file" / "r.csv", "cannot be written"),
        ("/proc/r.csv", "cannot be written"),
        (crop, "would replace an input"),
        (weights, "would replace an input"),
        (f"{crop.parent}/../grana/a.png", "would replace an input"),
    ):
        said = refused(capsys, "predict", crop.parent, "--weights", weights, "--out", target)
        assert str(target) in said
        assert message in said
    for target, message in (
        (tmp_path / "file", "is a file; accepted is a folder"),
        (tmp_path / "file" / "overlays", "cannot be written"),
        ("/proc/overlays", "cannot be written"),
    ):
        said = refused(capsys, "predict", crop, *options, "--overlay", target)
        assert str(target) in said
        assert message in said
    assert not out.exists()
    assert read_crop(crop).mask.any()


@pytest.mark.parametrize(
    "options", [(), ("--method", "fft", "--overlay", "o"), ("--method", "autocorrelation")]
)
def test_attention_in_overlays_takes_overlays_and_a_network(tmp_path, capsys, options):
    crop = write_crop(tmp_path / "a.png")
    said = refused(capsys, "predict", crop, "--overlay-attention", *options)
    assert said == (
        "--overlay-attention: accepted with --overlay DIR, and with --method combined and network "
        "only"
    )


def test_a_link_to_nothing_is_a_row_and_the_others_are_measured(tmp_path, capsys):
    crop, link = write_crop(tmp_path / "a.png"), tmp_path / "link.png"
    link.symlink_to("nowhere.png")
    out = tmp_path / "r.csv"
    assert run("predict", crop, link, "--method", "fft", "--out", out) == 1
    first, second = read(out)
    assert (first["status"], second["status"]) == ("ok", "error")
    assert second["reason"].startswith("cannot be read (No such file or directory); accepted")
    assert capsys.readouterr().err == ""


def test_wrong_weights(tmp_path, capsys):
    crop, out = write_crop(tmp_path / "a.png"), tmp_path / "r.csv"
    save_file({"seq.0.weight": np.zeros(3, np.float32)}, tmp_path / "torch.safetensors")
    (tmp_path / "empty").mkdir()
    for name, message in (
        ("none.safetensors", "no such weights file"),
        ("a.png", "not a safetensors file"),
        ("torch.safetensors", "its format is 'unknown'"),
        ("empty", "holds no checkpoints"),
    ):
        said = refused(capsys, "predict", crop, "--out", out, "--weights", tmp_path / name)
        assert said.startswith(f"{tmp_path / name}: ")
        assert message in said
    assert not out.exists()
