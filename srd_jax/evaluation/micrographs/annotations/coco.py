"""Reads annotations in COCO's JSON (cocodataset.org, "Data format").

Segmentations are lists of polygons or uncompressed run-length encodings, whose pixels go down the
columns. Attributes of grana, as CVAT exports them: those of `fields.granum`.
"""

import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from srd_jax.evaluation.micrographs.annotations import fields, labels
from srd_jax.evaluation.micrographs.areas import Area
from srd_jax.evaluation.micrographs.truth import Annotated, TrueGranum
from srd_jax.support.errors import InputError


def read(path: pathlib.Path, content: Mapping[str, Any], bad: list[str]) -> list[Annotated]:
    """Returns the micrographs that a file annotates; those without annotations have no granum.

    Args:
      path: of the file.
      content: of the file.
      bad: gets a line for each annotation or image that can't be read.

    Raises:
      InputError: a field of the whole file is bad, or none of several categories means grana.
    """
    entries = fields.sequence(content.get("annotations"), "annotations")
    kinds = _categories(content, entries)
    grana: dict[Any, list[TrueGranum]] = {}
    files: dict[Any, tuple[str, tuple[int, int] | None]] = {}
    for index, one in enumerate(fields.sequence(content.get("images"), "images")):
        try:
            image = fields.mapping(one, "it")
            if not image.get("file_name") or not isinstance(image.get("id"), int | str):
                raise InputError("has no file_name or no id; accepted: images with both")
            files[image["id"]] = str(image["file_name"]), fields.size(image)
            grana[image["id"]] = []
        except InputError as error:
            bad.append(f"{path}: images[{index}]: {error}")
    for index, one in enumerate(entries):
        try:
            values = fields.mapping(one, "it")
            if values.get("category_id") in kinds:
                _of(grana, values).append(_granum(values, index, kinds, files))
        except InputError as error:
            bad.append(f"{path}: annotations[{index}]: {error}")
    return [
        Annotated(name, tuple(grana[key]), (), size, path) for key, (name, size) in files.items()
    ]


def _categories(content: Mapping[str, Any], entries: Any) -> dict[Any, str]:
    """Returns sure or possible for the number of each category that means grana."""
    names = {}
    for one in fields.sequence(content.get("categories", []), "categories"):
        category = fields.mapping(one, "categories")
        names[_key(category.get("id"))] = str(category.get("name"))
    used = {_key(one.get("category_id")) for one in entries if isinstance(one, Mapping)}
    used_names = {key: names.get(key, str(key)) for key in sorted(used, key=str)}
    meanings = labels.certainties(used_names.values())
    return {key: meanings[name] for key, name in used_names.items() if name in meanings}


def _key(value: Any) -> Any:
    return value if isinstance(value, int | str) else None


def _of(grana: Mapping[Any, list[TrueGranum]], values: Mapping[str, Any]) -> list[TrueGranum]:
    key = _key(values.get("image_id"))
    if key not in grana:
        raise InputError(f"image_id is {values.get('image_id')!r}; accepted: the id of an image")
    return grana[key]


def _granum(
    values: Mapping[str, Any],
    index: int,
    kinds: Mapping[Any, str],
    files: Mapping[Any, tuple[str, tuple[int, int] | None]],
) -> TrueGranum:
    area = _area(values.get("segmentation"), files[values["image_id"]][1])
    known = fields.mapping(values.get("attributes") or {}, "attributes")
    name = str(values.get("id", index + 1))
    return fields.granum(name, area, known, kinds[values.get("category_id")])


def _area(segmentation: Any, size: tuple[int, int] | None) -> Area:
    if isinstance(segmentation, Mapping):
        counts = segmentation.get("counts")
        if isinstance(counts, str):
            raise InputError(
                "segmentation.counts is a compressed text; accepted: a list of numbers"
            )
        given = segmentation.get("size", list(size or ()))
        if not isinstance(given, list) or len(given) != 2:
            raise InputError(f"segmentation.size is {given!r}; accepted: [rows, columns]")
        rows, columns = (round(fields.number(one, "segmentation.size", 1)) for one in given)
        flat = fields.runs(counts, "segmentation.counts", (rows, columns))
        return Area(mask=flat.reshape(columns, rows).T)
    parts = fields.sequence(segmentation, "segmentation")
    if not parts:
        raise InputError("segmentation is empty; accepted: polygons, or runs of a mask")
    polygons = [fields.points(one, f"segmentation[{i}]") for i, one in enumerate(parts)]
    return Area(tuple(np.asarray(one) for one in polygons))
