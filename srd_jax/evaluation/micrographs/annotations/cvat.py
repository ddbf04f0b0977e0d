"""Reads annotations in the format CVAT for Images 1.1.

<annotations><image name width height><polygon label points="x,y;x,y"><attribute name>…</attribute>
</polygon></image></annotations> (docs.cvat.ai, "CVAT for image"); boxes and masks are read, too.
Attributes of grana: those of `fields.granum`.
"""

import pathlib
from collections.abc import Mapping
from xml.etree import ElementTree

from srd_jax.evaluation.micrographs.annotations import fields, labels
from srd_jax.evaluation.micrographs.areas import Area
from srd_jax.evaluation.micrographs.truth import Annotated, TrueGranum
from srd_jax.support.errors import InputError

_SHAPES = ("polygon", "mask", "box")
_OTHERS = ("polyline", "points", "ellipse", "cuboid", "skeleton", "tag")


def read(path: pathlib.Path, root: ElementTree.Element, bad: list[str]) -> list[Annotated]:
    """Returns the micrographs that a file annotates; those without any shape have no granum.

    Args:
      path: of the file.
      root: its element `annotations`.
      bad: gets a line for each shape or image that can't be read.

    Raises:
      InputError: none of several labels means grana.
    """
    images = root.findall("image")
    used = [shape.get("label", "") for image in images for shape in image if shape.tag in _SHAPES]
    meanings = labels.certainties(used)
    found = []
    for index, image in enumerate(images):
        name = image.get("name")
        try:
            if not name:
                raise InputError(f"image {index}: has no name; accepted: that of its file")
            size = fields.size(image.attrib)
        except InputError as error:
            bad.append(f"{path}: {error}")
            continue
        grana = _grana(f"{path}: image {name}", image, meanings, bad)
        found.append(Annotated(name, tuple(grana), (), size, path))
    return found


def _grana(
    where: str, image: ElementTree.Element, meanings: Mapping[str, str], bad: list[str]
) -> list[TrueGranum]:
    grana = []
    for index, shape in enumerate(image):
        label = shape.get("label", "")
        name = f"{shape.tag} {index + 1}"
        if label not in meanings or shape.tag not in (*_SHAPES, *_OTHERS):
            continue
        try:
            values = {one.get("name", ""): one.text or "" for one in shape.findall("attribute")}
            grana.append(fields.granum(name, _area(shape), values, meanings[label]))
        except InputError as error:
            bad.append(f"{where}: {name}: {error}")
    return grana


def _area(shape: ElementTree.Element) -> Area:
    if shape.tag == "polygon":
        text = shape.get("points", "")
        corners = [one.split(",") for one in text.split(";") if one.strip()]
        if any(len(one) != 2 for one in corners):
            corners = []
        return Area((fields.points(corners, "points"),))
    if shape.tag == "box":
        left, top, right, bottom = (
            fields.number(shape.get(name), name) for name in ("xtl", "ytl", "xbr", "ybr")
        )
        corners = [[left, top], [right, top], [right, bottom], [left, bottom]]
        return Area((fields.points(corners, "xtl, ytl, xbr, ybr"),))
    if shape.tag == "mask":
        top, left, rows, columns = (
            round(fields.number(shape.get(name), name, least))
            for name, least in (("top", 0), ("left", 0), ("height", 1), ("width", 1))
        )
        lengths = [one.strip() for one in shape.get("rle", "").split(",")]
        counts = [int(one) for one in lengths] if all(map(str.isdecimal, lengths)) else lengths
        mask = fields.runs(counts, "rle", (rows, columns)).reshape(rows, columns)
        return Area(mask=mask, corner=(top, left))
    raise InputError(f"is a shape without an outline; accepted: {', '.join(_SHAPES)}")
