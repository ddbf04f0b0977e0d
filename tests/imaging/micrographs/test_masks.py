import zipfile

import numpy as np
import pytest
import roifile
import tifffile
from helpers import analyses
from matplotlib.path import Path
from PIL import Image

from srd_jax.analysis.output import labels, outlines
from srd_jax.imaging.micrographs import masks
from srd_jax.support.errors import InputError

SHAPE = (400, 500)


def read(path):
    found, notes = masks.read_labels(path, SHAPE)
    assert found.dtype == np.uint16
    assert not notes
    return found


@pytest.fixture
def found():
    return analyses.analysis(
        "a.png", [analyses.granum(1, 120.3, 90.8, 25.0), analyses.granum(4, 300, 230, 70.0)]
    )


def test_label_images_and_rois_come_back_as_they_were_written(tmp_path, found):
    labels.write(tmp_path / "a.tif", found)
    outlines.write_rois(tmp_path / "a.zip", found)
    image = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(image, tifffile.imread(tmp_path / "a.tif"))
    assert set(np.unique(image)) == {0, 1, 4}
    drawn = read(tmp_path / "a.zip")
    assert np.count_nonzero(drawn != image) <= 4  # coordinates of 32 bits


def test_the_parts_of_a_mask_are_grana(tmp_path, found):
    labels.write(tmp_path / "a.tif", found)
    image = tifffile.imread(tmp_path / "a.tif")
    Image.fromarray((255 * (image > 0)).astype(np.uint8)).save(tmp_path / "a.png")
    parts = read(tmp_path / "a.png")
    np.testing.assert_array_equal(parts, np.searchsorted([0, 1, 4], image))
    Image.new("L", SHAPE[::-1], 0).save(tmp_path / "none.png")
    assert not read(tmp_path / "none.png").any()


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
    image = read(tmp_path / "a.zip")
    np.testing.assert_array_equal(image == 1, (x > 20) & (x < 70) & (y > 50) & (y < 80))
    ellipse = ((x - 160) / 60) ** 2 + ((y - 230) / 30) ** 2 < 1
    assert np.count_nonzero((image == 2) != ellipse) < 60
    inside = Path(points).contains_points(np.column_stack([x.ravel(), y.ravel()]))
    assert np.count_nonzero((image == 3) != inside.reshape(SHAPE)) <= 2
    freehand.tofile(tmp_path / "b.roi")
    assert np.count_nonzero(read(tmp_path / "b.roi")) == (image == 3).sum()


def test_masks_that_do_not_fit(tmp_path, found):
    labels.write(tmp_path / "a.tif", found)
    with pytest.raises(InputError, match=r"a.tif: the mask has 400 x 500 px .* 300 x 500 px"):
        masks.read_labels(tmp_path / "a.tif", (300, 500))
    for content in (b"", b"hello", b"PK\x03\x04" + bytes(40)):
        for name in ("bad.zip", "bad.roi"):
            (tmp_path / name).write_bytes(content)
            with pytest.raises(InputError, match=f"{name}: not ROIs of ImageJ"):
                read(tmp_path / name)
    line = roifile.ImagejRoi(roitype=roifile.ROI_TYPE.LINE, name="l", x1=1, y1=2, x2=5, y2=9)
    roifile.roiwrite(tmp_path / "line.zip", [line])
    with pytest.raises(InputError, match="l is of type LINE; accepted are polygons"):
        read(tmp_path / "line.zip")


def box(name, top, left, bottom, right):
    return roifile.ImagejRoi(
        roitype=roifile.ROI_TYPE.RECT, top=top, left=left, bottom=bottom, right=right, name=name
    )


def test_the_first_of_overlapping_rois_keeps_the_pixels(tmp_path):
    rois = [box("a", 10, 10, 30, 30), box("b", 20, 20, 40, 40), box("c", 500, 10, 520, 30)]
    roifile.roiwrite(tmp_path / "a.zip", rois)
    found, notes = masks.read_labels(tmp_path / "a.zip", SHAPE)
    assert [np.count_nonzero(found == number) for number in (1, 2, 3)] == [400, 300, 0]
    assert notes[0] == "1 ROIs overlap earlier ones, which keep the pixels"
    assert notes[1] == "1 of 3 ROIs have no pixel of their own in the micrograph"


def test_composite_rois_have_holes(tmp_path):
    path = [0, 10, 10, 1, 90, 10, 1, 90, 90, 1, 10, 90, 4]
    path += [0, 30, 30, 1, 60, 30, 1, 60, 60, 1, 30, 60, 4]
    roi = box("ring", 10, 10, 90, 90)
    roi.multi_coordinates = np.array(path, np.float32)
    roi.shape_roi_size = len(path)
    roi.tofile(tmp_path / "a.roi")
    assert np.count_nonzero(read(tmp_path / "a.roi")) == 80 * 80 - 30 * 30


def test_a_mask_may_have_the_rows_of_strips(tmp_path):
    whole = np.zeros((430, 500), np.uint16)
    whole[20:60, 30:90], whole[300:350, 200:300] = 7, 70_000 % 65_536
    tifffile.imwrite(tmp_path / "a.tif", whole)
    found, _ = masks.read_labels(tmp_path / "a.tif", SHAPE, (10, 20))
    np.testing.assert_array_equal(found, whole[10:410])
    with pytest.raises(InputError, match="the mask has 430 x 500 px"):
        masks.read_labels(tmp_path / "a.tif", SHAPE, (0, 20))


def test_rois_lie_in_the_whole_file(tmp_path):
    box("1", 30, 20, 90, 60).tofile(tmp_path / "a.roi")
    whole, _ = masks.read_labels(tmp_path / "a.roi", SHAPE)
    inner, _ = masks.read_labels(tmp_path / "a.roi", (SHAPE[0] - 15, SHAPE[1]), (10, 5))
    assert whole.any()
    np.testing.assert_array_equal(inner, whole[10:-5])


def test_numbers_beyond_16_bits_are_counted_anew(tmp_path):
    labels = np.zeros(SHAPE, np.uint32)
    labels[20:60, 30:90], labels[300:350, 200:300] = 70_000, 90_000
    tifffile.imwrite(tmp_path / "a.tif", labels)
    np.testing.assert_array_equal(
        read(tmp_path / "a.tif"), np.searchsorted([0, 70_000, 90_000], labels)
    )


def test_hostile_rois(tmp_path):
    points = np.array([(3e4, -2.0), (1.0, 3e4), (5.0, 5.0)], np.float32)
    far = roifile.ImagejRoi.frompoints(points, name="far")
    far.tofile(tmp_path / "far.roi")
    masks.read_labels(tmp_path / "far.roi", SHAPE)
    points[0, 0] = np.nan
    whole = bytearray(far.tobytes())
    place = whole.index(np.array([5.0, 5.0], ">f4").tobytes()[:4])
    whole[place : place + 4] = np.array([np.nan], ">f4").tobytes()
    (tmp_path / "nan.roi").write_bytes(bytes(whole))
    with pytest.raises(InputError, match="coordinates that are NaN or infinite"):
        masks.read_labels(tmp_path / "nan.roi", SHAPE)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.roi", bytes(20_000_000))
    with pytest.raises(InputError, match="has ROIs of over 10 MB"):
        masks.read_labels(tmp_path / "bomb.zip", SHAPE)
    for cut in range(4, len(whole), 9):
        (tmp_path / "cut.roi").write_bytes(far.tobytes()[:cut])
        try:
            masks.read_labels(tmp_path / "cut.roi", SHAPE)
        except InputError as error:
            assert "accepted" in str(error)
