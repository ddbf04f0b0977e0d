import numpy as np
import pytest
import roifile
import tifffile
from helpers import analyses
from matplotlib.path import Path
from PIL import Image

from srd_jax.analysis.output import corrections, labels, outlines
from srd_jax.support.errors import InputError

SHAPE = (400, 500)


@pytest.fixture
def found():
    return analyses.analysis(
        "a.png", [analyses.granum(1, 120.3, 90.8, 25.0), analyses.granum(4, 300, 230, 70.0)]
    )


def test_label_images_and_rois_come_back_as_they_were_written(tmp_path, found):
    labels.write(tmp_path / "a.tif", found)
    outlines.write_rois(tmp_path / "a.zip", found)
    image = corrections.read_labels(tmp_path / "a.tif", SHAPE)
    np.testing.assert_array_equal(image, tifffile.imread(tmp_path / "a.tif"))
    assert set(np.unique(image)) == {0, 1, 4}
    drawn = corrections.read_labels(tmp_path / "a.zip", SHAPE)
    assert np.count_nonzero(drawn != image) <= 4  # coordinates of 32 bits


def test_the_parts_of_a_mask_are_grana(tmp_path, found):
    labels.write(tmp_path / "a.tif", found)
    image = tifffile.imread(tmp_path / "a.tif")
    Image.fromarray((255 * (image > 0)).astype(np.uint8)).save(tmp_path / "a.png")
    parts = corrections.read_labels(tmp_path / "a.png", SHAPE)
    np.testing.assert_array_equal(parts, np.searchsorted([0, 1, 4], image))
    Image.new("L", SHAPE[::-1], 0).save(tmp_path / "none.png")
    assert not corrections.read_labels(tmp_path / "none.png", SHAPE).any()


def test_rois_of_other_kinds(tmp_path):
    y, x = np.mgrid[:400, :500] + 0.5
    rectangle = roifile.ImagejRoi(
        roitype=roifile.ROI_TYPE.RECT, top=50, left=20, bottom=80, right=70, name="r"
    )
    oval = roifile.ImagejRoi(
        roitype=roifile.ROI_TYPE.OVAL, top=200, left=100, bottom=260, right=220, name="o"
    )
    points = np.array([(300.2, 100.7), (380.5, 120.1), (340.0, 190.9)], np.float32)
    freehand = roifile.ImagejRoi.frompoints(points, name="f")
    roifile.roiwrite(tmp_path / "a.zip", [rectangle, oval, freehand])
    image = corrections.read_labels(tmp_path / "a.zip", SHAPE)
    np.testing.assert_array_equal(image == 1, (x > 20) & (x < 70) & (y > 50) & (y < 80))
    ellipse = ((x - 160) / 60) ** 2 + ((y - 230) / 30) ** 2 < 1
    assert np.count_nonzero((image == 2) != ellipse) < 60
    inside = Path(points).contains_points(np.column_stack([x.ravel(), y.ravel()]))
    assert np.count_nonzero((image == 3) != inside.reshape(SHAPE)) <= 2
    freehand.tofile(tmp_path / "b.roi")
    assert (
        np.count_nonzero(corrections.read_labels(tmp_path / "b.roi", SHAPE)) == (image == 3).sum()
    )


def test_masks_that_do_not_fit(tmp_path, found):
    labels.write(tmp_path / "a.tif", found)
    with pytest.raises(InputError, match=r"a.tif: the mask has 400 x 500 px .* 300 x 500 px"):
        corrections.read_labels(tmp_path / "a.tif", (300, 500))
    for content in (b"", b"hello", b"PK\x03\x04" + bytes(40)):
        for name in ("bad.zip", "bad.roi"):
            (tmp_path / name).write_bytes(content)
            with pytest.raises(InputError, match=f"{name}: not ROIs of ImageJ"):
                corrections.read_labels(tmp_path / name, SHAPE)
    line = roifile.ImagejRoi(roitype=roifile.ROI_TYPE.LINE, name="l", x1=1, y1=2, x2=5, y2=9)
    roifile.roiwrite(tmp_path / "line.zip", [line])
    with pytest.raises(InputError, match="l is of type LINE; accepted are polygons"):
        corrections.read_labels(tmp_path / "line.zip", SHAPE)


def test_the_file_of_a_micrograph(tmp_path, found):
    labels.write(tmp_path / "wt_1.tif", found)
    outlines.write_rois(tmp_path / "2.zip", found)
    assert corrections.corrected_file(tmp_path, ["wt_1", "1"]) == tmp_path / "wt_1.tif"
    assert corrections.corrected_file(tmp_path, ["b_2", "2"]) == tmp_path / "2.zip"
    assert corrections.corrected_file(tmp_path, ["3"]) is None
    labels.write(tmp_path / "2.tif", found)
    with pytest.raises(InputError, match=r"has 2\.tif and 2\.zip; accepted is one of them"):
        corrections.corrected_file(tmp_path, ["2"])
    assert corrections.check(str(tmp_path)) == tmp_path
    (tmp_path / "empty").mkdir()
    for name, words in (("empty", "holds no masks"), ("none", "isn't a folder")):
        with pytest.raises(InputError, match=words):
            corrections.check(str(tmp_path / name))
