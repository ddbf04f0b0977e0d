"""Finds the annotated micrographs of a folder."""

import json
import os
import pathlib
from collections.abc import Iterable, Iterator, Mapping
from xml.etree import ElementTree

from srd_jax.evaluation.micrographs.annotations import coco, cvat, label_images, own_json
from srd_jax.evaluation.micrographs.truth import Annotated
from srd_jax.imaging.formats import SUFFIXES
from srd_jax.imaging.mask_files import image_of
from srd_jax.support.errors import InputError, naming, one_line
from srd_jax.support.files import is_stamped
from srd_jax.support.names import Files

ACCEPTED = (
    "accepted: a folder of micrographs with NAME.json (grana), CVAT for Images 1.1 (.xml), COCO "
    "(.json) or label images (NAME_labels.tif, labels/NAME.tif)"
)
_MOST_BYTES = 200_000_000

Found = list[tuple[pathlib.Path, Annotated]]


def read(folder: pathlib.Path) -> tuple[Found, list[str]]:
    """Returns the annotated micrographs of a folder and its subfolders, in the order of names.

    Returns:
      Path and annotations of each; and a line for each file or entry that can't be read.

    Raises:
      InputError: the folder can't be read, or annotates no micrograph.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: isn't a folder; {ACCEPTED}")
    files, bad = list(_below(folder)), []
    masks = _masks(files)
    others = (".json", ".xml", ".csv")
    images = Files(p for p in files if p.suffix.lower() not in others and p not in masks)
    found: dict[pathlib.Path, Annotated] = {}
    for one in _annotations(files, masks, bad):
        try:
            path = _image(one, images)
            if path in found:
                raise InputError(
                    f"{one.annotations}: annotates {path.name}, as {found[path].annotations} does; "
                    "accepted: a micrograph once"
                )
            found[path] = one
        except InputError as error:
            bad.append(one_line(error))
    if not found:
        why = f"{bad[0]}; " if bad else ""
        raise InputError(f"{folder}: annotates no micrograph; {why}{ACCEPTED}")
    return sorted(found.items()), bad


def _below(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yields the files of a folder and its subfolders but hidden ones."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (pathlib.Path(parent, name) for name in sorted(names) if name[0] != ".")


def _masks(files: Iterable[pathlib.Path]) -> dict[pathlib.Path, pathlib.Path]:
    """Returns the image of each file that is a label image."""
    chosen = (p for p in files if p.suffix.lower() in SUFFIXES and not is_stamped(p))
    found = ((path, image_of(path)) for path in chosen)
    return {path: image for path, image in found if image is not None}


def _annotations(
    files: Iterable[pathlib.Path], masks: Mapping[pathlib.Path, pathlib.Path], bad: list[str]
) -> Iterator[Annotated]:
    """Yields what files annotate, the richer formats first; other files are passed over."""
    for path in files:
        suffix = path.suffix.lower()
        try:
            if suffix == ".json":
                yield from _of_json(path, bad)
            elif suffix == ".xml":
                yield from _of_xml(path, bad)
        except InputError as error:
            bad.append(one_line(error))
    for path, image in masks.items():
        try:
            yield label_images.read(path, image)
        except InputError as error:
            bad.append(one_line(error))


def _of_json(path: pathlib.Path, bad: list[str]) -> list[Annotated]:
    try:
        content = json.loads(_content(path))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON ({one_line(error)})") from None
    with naming(path):
        if isinstance(content, dict) and "grana" in content:
            return own_json.read(path, content, bad)
        if isinstance(content, dict) and {"images", "annotations"} <= content.keys():
            return coco.read(path, content, bad)
    return []


def _of_xml(path: pathlib.Path, bad: list[str]) -> list[Annotated]:
    try:
        root = ElementTree.fromstring(_content(path))
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise InputError(f"{path}: not XML ({one_line(error)})") from None
    if root.tag != "annotations" or root.find("image") is None:
        return []
    with naming(path):
        return cvat.read(path, root, bad)


def _content(path: pathlib.Path) -> bytes:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(f"{path}: is larger than {_MOST_BYTES // 1_000_000} MB; {ACCEPTED}")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def _image(one: Annotated, images: Files) -> pathlib.Path:
    """Returns the path of the micrograph that annotations mean."""
    found = images.named(one.name)
    beside = [path for path in found if path.parent == one.annotations.parent]
    found = beside if len(beside) == 1 else found
    if len(found) != 1:
        what = f"{len(found)} files" if found else "no file"
        raise InputError(
            f"{one.annotations}: annotates {one.name}, which means {what} of the folder; "
            "accepted: the name of one"
        )
    return found[0]
