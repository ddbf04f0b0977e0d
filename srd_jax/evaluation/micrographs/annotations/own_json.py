"""Reads annotations in the package's own JSON, a file a micrograph.

{"image": "NAME.png", "size": [columns, rows], "px_per_nm", "grana": [{"id", "polygon": [[x, y],
…], "certainty", "direction_deg", "period_px", "layers", "cut_by_border"}, …], "not_grana_striped":
[polygon, …]}; all but grana and polygon may be missing or null.
"""

import pathlib
from typing import Any

from srd_jax.evaluation.micrographs.annotations import fields
from srd_jax.evaluation.micrographs.areas import Area
from srd_jax.evaluation.micrographs.truth import Annotated
from srd_jax.support.errors import InputError


def read(path: pathlib.Path, content: dict[str, Any], bad: list[str]) -> list[Annotated]:
    """Returns the micrograph that a file annotates.

    Args:
      path: of the file.
      content: of the file.
      bad: gets a line for each granum that can't be read.

    Raises:
      InputError: another field is bad.
    """
    grana, striped = [], []
    for index, one in enumerate(fields.sequence(content.get("grana"), "grana")):
        name = f"grana[{index}]"
        try:
            values = fields.mapping(one, name)
            name = str(values.get("id") or name)
            area = Area((fields.points(values.get("polygon"), "polygon"),))
            grana.append(fields.granum(name, area, values))
        except InputError as error:
            bad.append(f"{path}: granum {name}: {error}")
    for index, one in enumerate(content.get("not_grana_striped") or ()):
        try:
            striped.append(Area((fields.points(one, f"not_grana_striped[{index}]"),)))
        except InputError as error:
            bad.append(f"{path}: {error}")
    image, scale = str(content.get("image") or path.stem), fields.optional(content, "px_per_nm", 0)
    size = _size(content)
    return [Annotated(image, tuple(grana), tuple(striped), size, path, scale or None)]


def _size(content: dict[str, Any]) -> tuple[int, int] | None:
    given = content.get("size")
    if given is None:
        return None
    if len(fields.sequence(given, "size")) != 2:
        raise InputError(f"size is {given!r}; accepted: [columns, rows]")
    columns, rows = (round(fields.number(one, "size", 1)) for one in given)
    return rows, columns
