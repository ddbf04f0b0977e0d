import os

import numpy as np
import pytest
import tifffile
from PIL import Image

from srd_jax.imaging.folders import ANALYSIS_MARK
from srd_jax.imaging.micrographs.finding import SOFTWARE, find_micrographs
from srd_jax.imaging.picture import png_text
from srd_jax.support.errors import InputError

GREY = np.zeros((8, 8), np.uint16)


def test_micrographs_are_found_and_what_belongs_to_them_is_not(tmp_path):
    wanted = ["a.mrc", "b.DM3", "c.dm4", "d.tif", "e.png", "sub/f.jpg"]
    masks = ["a_mask.png", "c_labels.tif", "masks/e.png"]
    others = ["notes.txt", "a.mrc.txt", "x.emd"]
    for name in (*wanted, *masks, *others):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "drawn.png", pnginfo=png_text())
    tifffile.imwrite(tmp_path / "labels_of_d.tif", GREY, software=SOFTWARE)
    tifffile.imwrite(tmp_path / "g.tif", GREY, software="srd_jax2")
    results = tmp_path / "results"
    (results / "micrographs").mkdir(parents=True)
    (results / ANALYSIS_MARK).touch()
    (results / "micrographs" / "a.jpg").touch()
    found = find_micrographs([tmp_path])
    names = {path.relative_to(tmp_path).as_posix() for path in found.images}
    assert names == {*wanted, "g.tif"}
    assert not found.unread


def test_named_results_are_passed_over_with_a_line(tmp_path):
    tifffile.imwrite(tmp_path / "labels.tif", GREY, software=SOFTWARE)
    tifffile.imwrite(tmp_path / "a.tif", GREY)
    found = find_micrographs([tmp_path / "labels.tif", tmp_path / "a.tif"])
    assert list(found.images) == [tmp_path / "a.tif"]
    assert "pictures of an earlier run" in found.passed_over[0]
    with pytest.raises(
        InputError, match="pictures of an earlier run only; accepted are micrographs"
    ):
        find_micrographs([tmp_path / "labels.tif"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"accepted are folders .* \.tiff, \.dm3, \.dm4, \.mrc"):
        find_micrographs([tmp_path / "empty"])


def test_a_fifo_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "a.tif")
    assert list(find_micrographs([tmp_path]).images) == [tmp_path / "a.tif"]
