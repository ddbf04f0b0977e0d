import json

import numpy as np
import pytest
import tifffile
from PIL import Image

from srd_jax.evaluation.micrographs.annotations import folder, labels
from srd_jax.evaluation.micrographs.areas import Grid, rasterise
from srd_jax.support.errors import InputError

ON = Grid(60, 80, 1.0)
SQUARE = [[10, 20], [30, 20], [30, 45], [10, 45]]


def picture(path, shape=(60, 80)):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.random.default_rng(0).integers(0, 255, shape, np.uint8)).save(path)
    return path


def mask_of(area):
    region = rasterise(area, ON)
    mask = np.zeros((ON.rows, ON.columns), bool)
    rows, columns = region.mask.shape
    mask[region.top : region.top + rows, region.left : region.left + columns] = region.mask
    return mask


def square():
    mask = np.zeros((60, 80), bool)
    mask[20:45, 10:30] = True
    return mask


def only(found):
    ((path, one),) = found
    return path, one


def test_own_json(tmp_path):
    image = picture(tmp_path / "a.png")
    grana = [
        {"id": "A1", "polygon": SQUARE, "certainty": "sure", "direction_deg": 185, "layers": 7},
        {"id": "A2", "polygon": SQUARE, "certainty": "possible", "cut_by_border": True},
        {"polygon": SQUARE, "period_px": 12.5, "direction_deg": None},
    ]
    content = {"image": "a.png", "size": [80, 60], "px_per_nm": 0.5, "grana": grana}
    (tmp_path / "a.json").write_text(json.dumps(content | {"not_grana_striped": [SQUARE]}))
    found, bad = folder.read(tmp_path)
    path, one = only(found)
    assert (path, bad, one.size, one.px_per_nm) == (image, [], (60, 80), 0.5)
    first, second, third = one.grana
    np.testing.assert_array_equal(mask_of(first.area), square())
    np.testing.assert_array_equal(mask_of(one.striped[0]), square())
    assert (first.name, first.certainty, first.direction_deg, first.layers) == ("A1", "sure", 5, 7)
    assert (second.certainty, second.cut, second.period_px) == ("possible", True, None)
    assert (third.name, third.certainty, third.period_px) == ("grana[2]", "sure", 12.5)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"polygon": [[1, 2], [3, 4]]}, "polygon is [[1, 2], [3, 4]]; accepted: at least three"),
        ({"polygon": [[1, 2], [3, "x"], [5, 6]]}, "polygon is"),
        ({"polygon": [[1, 2], [3, 2], [5, 2]]}, "accepted: a polygon with an area"),
        ({"polygon": None}, "polygon is None"),
        ({"certainty": "perhaps"}, "certainty is 'perhaps'; accepted: sure, possible"),
        ({"period_px": -3}, "period_px is -3; accepted: a number from 1 on"),
        ({"direction_deg": "up"}, "direction_deg is 'up'; accepted: a number"),
        ({"layers": [3]}, "layers is [3]"),
        ({"cut_by_border": "a bit"}, "cut_by_border is 'a bit'; accepted: true, false"),
    ],
)
def test_a_bad_granum_is_a_line_and_the_rest_is_read(tmp_path, change, words):
    picture(tmp_path / "a.png")
    grana = [{"id": "A1", "polygon": SQUARE} | change, {"id": "A2", "polygon": SQUARE}, 7]
    (tmp_path / "a.json").write_text(json.dumps({"grana": grana}))
    found, bad = folder.read(tmp_path)
    assert [one.name for one in only(found)[1].grana] == ["A2"]
    assert bad[0].startswith(f"{tmp_path / 'a.json'}: granum A1: ")
    assert words in bad[0]
    assert (
        bad[1]
        == f"{tmp_path / 'a.json'}: granum grana[2]: grana[2] is 7; accepted: an object with fields"
    )
    assert "\n" not in "".join(bad)


CVAT = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta><job><labels><label><name>granum</name></label></labels></job></meta>
<image id="0" name="sub/a.png" width="80" height="60">
  <polygon label="granum" occluded="0" points="10.0,20.0;30.0,20.0;30.0,45.0;10.0,45.0" z_order="0">
    <attribute name="direction_deg">63.5</attribute><attribute name="layers">9</attribute>
    <attribute name="period_px"></attribute></polygon>
  <polygon label="possible granum" points="1,1;9,1;9,9" z_order="0"/>
  <polygon label="starch" points="1,1;9,1;9,9" z_order="0"/>
  <box label="granum" xtl="10" ytl="20" xbr="30" ybr="45"/>
  <mask label="granum" rle="0, 500" left="10" top="20" width="20" height="25"/>
  <ellipse label="granum" cx="5" cy="5" rx="3" ry="2"/>
  <polygon label="granum" points="1,1;9"/>
  <mask label="granum" rle="3, 500" left="10" top="20" width="20" height="25"/>
</image>
<image id="1" name="b.png" width="80" height="60"/>
</annotations>
"""


def test_cvat(tmp_path):
    a, b = picture(tmp_path / "sub" / "a.png"), picture(tmp_path / "b.png")
    (tmp_path / "annotations.xml").write_text(CVAT)
    found, bad = folder.read(tmp_path)
    assert [path for path, _ in found] == [b, a]
    assert found[0][1].grana == ()
    polygon, possible, box, mask = found[1][1].grana
    assert (polygon.direction_deg, polygon.layers, polygon.period_px) == (63.5, 9, None)
    assert possible.certainty == "possible"
    for one in (polygon, box, mask):
        np.testing.assert_array_equal(mask_of(one.area), square())
    where = f"{tmp_path / 'annotations.xml'}: image sub/a.png: "
    assert [line.removeprefix(where)[:40] for line in bad] == [
        "ellipse 6: is a shape without an outline",
        "polygon 7: points is []; accepted: at le",
        "mask 8: rle is [3, 500]; accepted: lengt",
    ]


def coco(annotations, **more):
    return {
        "images": [{"id": 3, "file_name": "a.png", "width": 80, "height": 60}],
        "categories": [{"id": 1, "name": "granum"}, {"id": 2, "name": "mitochondrion"}],
        "annotations": annotations,
    } | more


def test_coco(tmp_path):
    picture(tmp_path / "a.png")
    flat = [value for point in SQUARE for value in point]
    # Runs go down the columns: 10 columns and 20 pixels outside, then 25 inside in 20 columns.
    counts = [10 * 60 + 20, *[25, 35] * 19, 25, 60 * 80 - (10 * 60 + 20 + 60 * 19 + 25)]
    runs = {"size": [60, 80], "counts": counts}
    one = {"image_id": 3, "category_id": 1}
    annotations = [
        one | {"id": 1, "segmentation": [flat], "attributes": {"period_px": "11.5"}},
        one | {"id": 2, "segmentation": runs, "iscrowd": 1},
        one | {"id": 3, "segmentation": [flat], "category_id": 2},
        one | {"id": 4, "segmentation": {"size": [60, 80], "counts": "abc"}},
        one | {"id": 5, "segmentation": [flat], "image_id": 9},
        one | {"id": 6, "segmentation": {"size": [60, 80], "counts": [5, -1, 4796]}},
        one | {"id": 7, "segmentation": {"size": [1e9, 1e9], "counts": [10**18]}},
    ]
    (tmp_path / "instances_default.json").write_text(json.dumps(coco(annotations)))
    found, bad = folder.read(tmp_path)
    polygon, mask = only(found)[1].grana
    assert polygon.period_px == 11.5
    for granum in (polygon, mask):
        np.testing.assert_array_equal(mask_of(granum.area), square())
    where = f"{tmp_path / 'instances_default.json'}: "
    words = ("compressed text", "image_id is 9", "counts is [5, -1, 4796]", "counts is [10")
    for index, line, word in zip((3, 4, 5, 6), bad, words, strict=True):
        assert line.startswith(f"{where}annotations[{index}]: ")
        assert word in line


def test_labels_that_mean_grana():
    assert labels.certainties(["thing"]) == {"thing": "sure"}
    assert labels.certainties(["Grana", "maybe granum", "starch"]) == {
        "Grana": "sure",
        "maybe granum": "possible",
    }
    assert labels.certainties([]) == {}
    with pytest.raises(InputError, match="the labels are a, b; accepted: a single one, or"):
        labels.certainties(["a", "b"])


@pytest.mark.parametrize("place", ["a_labels.tif", "labels/a.tif", "a_mask.png"])
def test_label_images(tmp_path, place):
    picture(tmp_path / "a.png")
    numbers = np.zeros((60, 80), np.uint8)
    numbers[20:45, 10:30] = 3
    numbers[50:60, 5:15] = 7
    (tmp_path / place).parent.mkdir(exist_ok=True)
    if place.endswith("png"):
        Image.fromarray(numbers).save(tmp_path / place)
    else:
        tifffile.imwrite(tmp_path / place, numbers.astype(np.uint16))
    found, bad = folder.read(tmp_path)
    first, second = only(found)[1].grana
    assert (bad, first.name, second.name) == ([], "3", "7")
    assert (first.cut, second.cut) == (False, True)
    np.testing.assert_array_equal(mask_of(first.area), square())


def test_parts_of_a_mask_are_grana(tmp_path):
    picture(tmp_path / "a.png")
    numbers = np.zeros((60, 80), np.uint8)
    numbers[20:45, 10:30] = numbers[5:9, 50:60] = 255
    Image.fromarray(numbers).save(tmp_path / "a_mask.png")
    assert [mask_of(one.area).sum() for one in only(folder.read(tmp_path)[0])[1].grana] == [40, 500]


def test_what_cannot_be_read_is_a_line(tmp_path):
    picture(tmp_path / "a.png")
    (tmp_path / "a.json").write_text(json.dumps({"grana": [{"polygon": SQUARE}]}))
    (tmp_path / "b.json").write_text(json.dumps({"grana": []}))
    (tmp_path / "c.json").write_text("{")
    (tmp_path / "d.json").write_text("[" * 100_000)
    (tmp_path / "e.xml").write_text("<annotations>")
    (tmp_path / "f.json").write_text(json.dumps({"image": "a.png", "grana": []}))
    (tmp_path / "other.json").write_text(json.dumps({"summary": 1}))
    (tmp_path / "other.xml").write_text("<hitachi/>")
    (tmp_path / "g.json").write_text(json.dumps({"grana": 3}))
    found, bad = folder.read(tmp_path)
    assert len(only(found)[1].grana) == 1
    words = {
        "b.json": "annotates b, which means no file of the folder",
        "c.json": "not JSON",
        "d.json": "not JSON",
        "e.xml": "not XML",
        "f.json": f"annotates a.png, as {tmp_path / 'a.json'} does",
        "g.json": "grana is 3; accepted: a list",
    }
    assert sorted(line.split(": ")[0] for line in bad) == [str(tmp_path / one) for one in words]
    for name, word in words.items():
        assert any(line.startswith(f"{tmp_path / name}: {word}") for line in bad), bad


def test_a_folder_without_annotations_is_refused(tmp_path):
    picture(tmp_path / "a.png")
    with pytest.raises(InputError, match="annotates no micrograph; accepted: a folder of"):
        folder.read(tmp_path)
    with pytest.raises(InputError, match=r"isn't a folder"):
        folder.read(tmp_path / "a.png")
