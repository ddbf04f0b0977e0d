"""Files for other programs: workbook, label image, ROIs, GeoJSON; read by other libraries."""

import dataclasses
import json
import zipfile

import numpy as np
import openpyxl
import pytest
import roifile
import tifffile
from helpers import analyses
from matplotlib.path import Path

from srd_jax.analysis.output import labels, outlines, table, workbook
from srd_jax.analysis.output.workbook import Sheet


def test_a_workbook_holds_texts_as_texts_and_the_same_bytes(tmp_path):
    rows = [["=1+1", 1.23456789, None, 3], ["http://a", -0.5, "7", 1_234_567], ["\udcff", 0, "", 0]]
    for name in ("a.xlsx", "b.xlsx"):
        workbook.write(
            tmp_path / name,
            {"grana": Sheet(["text", "number", "mixed", "whole"], rows), "empty": Sheet(["x"], [])},
        )
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["grana", "empty"]
    page = book["grana"]
    cells = [[cell.value for cell in row] for row in page.iter_rows()]
    assert cells[:3] == [
        ["text", "number", "mixed", "whole"],
        ["=1+1", 1.23457, None, 3],
        ["http://a", -0.5, "7", 1_234_567],
    ]
    assert page["A2"].data_type == "s"  # not a formula
    assert page.freeze_panes == "A2"
    assert book.properties.created == book.properties.modified


def test_a_label_image_holds_each_granum_where_its_outline_is(tmp_path, monkeypatch):
    monkeypatch.setattr(labels, "_TILE", 128)
    grana = [
        analyses.granum(1, 120.3, 90.8, 25.0),
        analyses.granum(2, 300.0, 130.0, 160.0),
        analyses.granum(7, 490.0, 390.0, 80.0),  # reaches beyond the border
        analyses.granum(8, 50, 300, outline=()),
    ]
    found = analyses.analysis("a.png", grana)
    labels.write(tmp_path / "a.tif", found)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        page = file.pages[0]
        image = page.asarray()
        assert page.compression == tifffile.COMPRESSION.ADOBE_DEFLATE
        assert page.get_resolution("centimeter") == pytest.approx((6e6, 6e6))
    assert (image.shape, image.dtype) == ((400, 500), np.uint16)
    assert set(np.unique(image)) == {0, 1, 2, 7}
    y, x = np.mgrid[:400, :500] + 0.5
    for granum in grana[:3]:
        path = Path(granum.outline)
        inside = path.contains_points(np.column_stack([x.ravel(), y.ravel()])).reshape(x.shape)
        assert np.count_nonzero((image == granum.number) != inside) <= 2
    assert np.count_nonzero(image == 1) == pytest.approx(np.pi * 800, rel=0.01)
    labels.write(tmp_path / "b.tif", found)
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()


def test_files_have_the_coordinates_of_the_whole_file_below_a_strip(tmp_path):
    plain = analyses.analysis("a.png", [analyses.granum(3, 120.3, 90.8)])
    below = dataclasses.replace(plain, strips=(30, 12))
    for name, one in (("plain", plain), ("below", below)):
        labels.write(tmp_path / f"{name}.tif", one)
        outlines.write_rois(tmp_path / f"{name}.zip", one)
        outlines.write_geojson(tmp_path / f"{name}.json", one)
    image = tifffile.imread(tmp_path / "below.tif")
    assert image.shape == (442, 500)
    np.testing.assert_array_equal(image[30:430], tifffile.imread(tmp_path / "plain.tif"))
    assert not image[:30].any() and not image[430:].any()
    first, second = (
        roifile.roiread(tmp_path / f"{name}.zip")[0].coordinates() for name in ("plain", "below")
    )
    np.testing.assert_allclose(second - first, np.broadcast_to([0, 30], first.shape), atol=1e-4)
    first, second = (
        np.array(
            json.loads((tmp_path / f"{name}.json").read_text())["features"][0]["geometry"][
                "coordinates"
            ]
        )
        for name in ("plain", "below")
    )
    np.testing.assert_allclose(second - first, np.broadcast_to([0, 30], first.shape))
    row = dict(
        zip(
            table.header(table.GRANA),
            next(table.grana_rows([table.Named(below, "below")])),
            strict=True,
        )
    )
    assert row["y_px"] == pytest.approx(120.8)


def test_a_label_image_of_nothing(tmp_path):
    labels.write(tmp_path / "a.tif", analyses.analysis("a.png", [], None, rows=1, columns=1))
    assert tifffile.imread(tmp_path / "a.tif").tolist() == [[0]]


def test_rois_for_imagej(tmp_path):
    grana = [analyses.granum(1, 120.3, 90.8, 25.0), analyses.granum(12, 300, 130, status="error")]
    found = analyses.analysis("a.png", grana)
    outlines.write_rois(tmp_path / "a.zip", found)
    outlines.write_rois(tmp_path / "b.zip", found)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert zipfile.ZipFile(tmp_path / "a.zip").namelist() == ["1.roi", "12.roi"]
    for roi, granum in zip(roifile.roiread(tmp_path / "a.zip"), grana, strict=True):
        assert roi.name == str(granum.number)
        assert roi.roitype == roifile.ROI_TYPE.POLYGON
        np.testing.assert_allclose(roi.coordinates(), granum.outline, atol=1e-4)
    outlines.write_rois(tmp_path / "empty.zip", analyses.analysis("a.png", []))
    assert zipfile.ZipFile(tmp_path / "empty.zip").namelist() == []


def test_geojson(tmp_path):
    grana = [analyses.granum(1, 120.3, 90.8, 25.0), analyses.granum(2, 300, 130, outline=())]
    outlines.write_geojson(tmp_path / "a.geojson", analyses.analysis("a.png", grana))
    content = json.loads((tmp_path / "a.geojson").read_text())
    assert content["type"] == "FeatureCollection"
    (feature,) = content["features"]
    (ring,) = feature["geometry"]["coordinates"]
    assert feature["geometry"]["type"] == "Polygon"
    assert ring[0] == ring[-1]
    assert [tuple(point) for point in ring[:-1]] == list(grana[0].outline)
    about = feature["properties"]
    assert (about["granum"], about["status"], about["objectType"]) == (1, "ok", "annotation")
    assert about["measurements"]["srd_nm"] == pytest.approx(20)
    assert about["measurements"]["direction_deg"] == 25
