import json

import numpy as np
import pytest
from helpers.command import refused, run

from srd_jax.evaluation.micrographs.annotations import folder
from srd_jax.evaluation.micrographs.areas import grid, iou, rasterise
from srd_jax.imaging.micrographs.finding import find_micrographs
from srd_jax.imaging.micrographs.reading import read
from srd_jax.support.errors import InputError
from srd_jax.synthetic.scenes import drawn_folder
from srd_jax.synthetic.scenes.micrographs import DrawnGranum, DrawnMicrograph


def drawn(seed):
    """A micrograph with two turned boxes, of which the second can't be read."""
    grey = np.random.default_rng(seed).integers(0, 255, (96, 128)).astype(np.uint8)
    y, x = np.mgrid[:96, :128]
    labels = np.zeros((96, 128), np.uint16)
    labels[(abs(x + y - 80) < 20) & (abs(x - y) < 14)] = 1
    labels[60:, 90:120] = 2
    grana = (
        DrawnGranum(1, 45.0, 8.5, 7, True, False),
        DrawnGranum(2, 90.0, 7.0, 3, False, True),
    )
    return DrawnMicrograph(grey, 0.62, labels, grana, 0.05)


@pytest.fixture(autouse=True)
def drawing(monkeypatch):
    """Replaces the generator, which takes long to compile."""
    monkeypatch.setattr(drawn_folder, "draw", drawn)


def test_micrographs_are_read_back_with_scale_and_truth(tmp_path, capsys):
    out = tmp_path / "set"
    assert run("make-dataset", "--micrographs", "--n", 2, "--seed", 5, "--out", out) == 0
    assert capsys.readouterr().out == f"2 micrographs in {out}\n"
    assert [path.name for path in find_micrographs([out]).images] == [
        "micrograph_0.tif",
        "micrograph_1.tif",
    ]
    found, bad = folder.read(out)
    assert bad == []
    assert [path.name for path, _ in found] == ["micrograph_0.tif", "micrograph_1.tif"]
    for index, (path, truth) in enumerate(found):
        made = drawn(5 + index)
        micrograph = read(path)
        np.testing.assert_array_equal(micrograph.grey, made.grey)
        assert micrograph.px_per_nm == pytest.approx(0.62, rel=1e-6)
        assert truth.px_per_nm == 0.62
        first, second = truth.grana
        assert (first.certainty, first.direction_deg, first.period_px) == ("sure", 45.0, 8.5)
        assert (first.layers, first.cut) == (7, False)
        assert (second.certainty, second.direction_deg, second.cut) == ("possible", None, True)
        for granum, number in ((first, 1), (second, 2)):
            on = grid(*made.labels.shape)
            known = rasterise(granum.area, on)
            mask = np.zeros(made.labels.shape, bool)
            mask[known.top :, known.left :][: len(known.mask), : known.mask.shape[1]] = known.mask
            same = (mask & (made.labels == number)).sum() / (mask | (made.labels == number)).sum()
            assert same > 0.97
            assert iou(known, known) == 1
    assert json.loads((out / "micrograph_0.json").read_text())["strain"] == 0.05


@pytest.mark.parametrize(("option", "value"), [("--tfds", "data"), ("--unrotated", 0.5)])
def test_options_of_crops_are_refused(tmp_path, capsys, option, value):
    said = refused(
        capsys, "make-dataset", "--micrographs", "--out", tmp_path / "set", option, value
    )
    assert said.startswith(f"{option} {value}: is accepted without --micrographs only")
    assert not (tmp_path / "set").exists()


def test_a_folder_with_files_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is a folder with files"):
        drawn_folder.write(tmp_path, 1, 0)
