"""Finds and reads the mask that comes in a file of its own beside an image.

For an image NAME.* these are its mask, in any case of letters and in any format that is read:
- beside it NAME_mask.*, NAME_masks, NAME_cp_masks (Cellpose), NAME_seg, NAME_segmentation,
  NAME_label(s), `NAME_Simple Segmentation` (ilastik), also with "-", "." or " " for "_", with a
  number at the end, and with NAME.png for NAME; mask_NAME.* and `Mask of NAME.*` (ImageJ);
- these and NAME.* in a folder masks, mask, labels, label or segmentation(s) beside the image,
  beside its folder, or beside a folder images, img, raw or crops above it.
NAME_img, NAME_image, NAME_raw and NAME_crop count as NAME if there is no image NAME.
"""

import functools
import os
import pathlib
import re
import time
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from srd_jax.imaging.formats import MICROSCOPE_SUFFIXES, SUFFIXES, read_picture
from srd_jax.imaging.masks import mask_labels
from srd_jax.support.errors import InputError, naming
from srd_jax.support.files import is_folder

_WORD = r"(?:masks?|labels?|seg|segmentations?|simple[ _]segmentation)"
_ENDINGS = (
    re.compile(rf"(.+?)[ _.-]+{_WORD}[ _-]?\d*"),
    re.compile(r"(.+?)[ _.-]+cp[ _-]masks?[ _-]?\d*"),
    re.compile(r"(.+?)masks?"),
    re.compile(r"masks?(?:[ _-]of)?[ _.-]+(.+)"),
)
_HINT = re.compile("mask|label|seg")
_OF_MASKS = re.compile(r"(?:(.+)[ _.-])?(?:masks?|labels?|segmentations?)", re.IGNORECASE)
_OF_IMAGES = re.compile(r"(?:images?|imgs?|raw|crops?|originals?)", re.IGNORECASE)
_WORD_OF_IMAGE = re.compile(r"(.+?)[ _.-](?:img|image|raw|crop)|(?:img|image|raw|crop)[ _.-](.+)")

# Masks come in these formats, too; reading them says what is accepted.
_OTHER_SUFFIXES = (".bmp", ".gif", ".npy", ".npz", ".webp", ".jp2", ".mask")

# Folders above an image, of which one may be called images.
_LEVELS = 4

# A folder that was changed more recently may change again without a new time of change.
_SETTLED_NS = 2_000_000_000


@dataclass(frozen=True)
class MaskFile:
    """A mask from a file.

    Attributes:
      name: of the file, relative to the folder of its image.
      labels: (rows, columns) whole numbers, 0 outside; the granum's number where there are several.
      notes: facts about the mask that a user should know, each a phrase.
    """

    name: str
    labels: np.ndarray
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Folder:
    """What a folder holds: names by `_key`.

    Attributes:
      images: by their stem and by their whole name.
      loosely: images such as NAME_img by NAME.
      masks: files named as masks, by the image that they name.
      folders: names of all subfolders.
    """

    images: Mapping[str, Sequence[str]]
    loosely: Mapping[str, Sequence[str]]
    masks: Mapping[str, Sequence[str]]
    folders: Sequence[str]


_NOTHING = _Folder({}, {}, {}, ())


def read_mask(path: pathlib.Path, shape: tuple[int, ...]) -> MaskFile | None:
    """Reads the mask file of an image.

    Args:
      path: of the image.
      shape: rows and columns of the image.

    Returns:
      The mask, None where the image has no mask file.

    Raises:
      InputError: the mask can't be read, has another size, or is none (see `masks.mask_labels`);
        there are several masks that differ, or two images to which it could belong.
    """
    files = masks_of(path)
    # Cellpose writes NAME_seg.npy beside NAME_cp_masks.png.
    files = [file for file in files if file.name.lower().endswith(SUFFIXES)] or files
    if not files:
        return None
    _check_owner(path, files[0])
    first, *others = ((file, *_read(file, shape)) for file in files)
    for file, labels, _ in others:
        if not np.array_equal(labels, first[1]):
            names = ", ".join(_relative(file, path) for file in files)
            raise InputError(
                f"{path}: has the masks {names}, and {_relative(file, path)} isn't the same as "
                f"{_relative(first[0], path)}; accepted is one mask an image, with another whole "
                "number for each of several grana"
            )
    file, labels, notes = first
    return MaskFile(_relative(file, path), labels, notes)


def image_of(path: pathlib.Path) -> pathlib.Path | None:
    """Returns the image whose mask a file is, None where it is no mask."""
    path = _absolute(path)
    for folder, keys in _places_of_image(path):
        for key in keys:
            there = _listing(folder)
            for name in (*there.images.get(key, ()), *there.loosely.get(key, ())):
                image = folder / name
                if image != path and path in masks_of(image):
                    return image
    return None


def _read(file: pathlib.Path, shape: tuple[int, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    picture = read_picture(file)
    with naming(file):
        found = picture.samples.shape[:2]
        if found != shape[:2]:
            raise InputError(
                f"the mask has {found[0]} x {found[1]} px (rows x columns); "
                f"accepted is the size of its image, {shape[0]} x {shape[1]} px"
            )
        return mask_labels(picture)


def _relative(file: pathlib.Path, image: pathlib.Path) -> str:
    return pathlib.Path(os.path.relpath(file, _absolute(image).parent)).as_posix()


def masks_of(path: pathlib.Path) -> list[pathlib.Path]:
    """Returns the files that are named as masks of an image."""
    path = _absolute(path)
    here = _listing(path.parent)
    keys = _keys(path.name, here)
    found = [path.parent / name for key in keys for name in here.masks.get(key, ())]
    for folder in _mask_folders(path.parent):
        there = _listing(folder)
        # An image and its mask in one folder belong to each other.
        if not any(key in there.images and key in there.masks for key in keys):
            for key in keys:
                names = (*there.images.get(key, ()), *there.masks.get(key, ()))
                found += [folder / name for name in names]
    found = [file for file in dict.fromkeys(found) if file != path]
    alike = here.images.get(_key(path.stem), ())
    if len({pathlib.Path(name).stem for name in alike}) > 1:
        # a.png and A.png: the case of letters tells whose mask it is.
        found = [f for f in found if f.name.startswith(path.stem) or f.stem.endswith(path.stem)]
    return found


def _mask_folders(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yields the folders that may hold masks of a folder's images."""
    yield from _below(folder, "")
    if not _holds_masks(folder.name):
        yield from _below(folder.parent, "", folder.name)
    for above, first, rest in _ancestors(folder):
        if _OF_IMAGES.fullmatch(first):
            yield from (other / rest for other in _below(above, "", first))


def _places_of_image(path: pathlib.Path) -> Iterator[tuple[pathlib.Path, Sequence[str]]]:
    """Yields the folders where the image of a mask may lie, with the keys of its name."""
    folder = path.parent
    keys = _bases(path.name)
    if keys:
        yield folder, keys
    keys = [_key(path.stem), *keys]
    kind = _OF_MASKS.fullmatch(folder.name)
    if kind is not None:
        yield folder.parent, keys
        for name in _listing(folder.parent).folders:
            if not _holds_masks(name) and kind[1] in (None, name):
                yield folder.parent / name, keys
    for above, first, rest in _ancestors(folder):
        if _OF_MASKS.fullmatch(first):
            names = _listing(above).folders
            yield from ((above / one / rest, keys) for one in names if _OF_IMAGES.fullmatch(one))


def _ancestors(folder: pathlib.Path) -> Iterator[tuple[pathlib.Path, str, pathlib.Path]]:
    """Yields each folder above the parent, with the first part and the rest of the way down."""
    for above in list(folder.parents)[1:_LEVELS]:
        first, *rest = folder.relative_to(above).parts
        yield above, first, pathlib.Path(*rest)


def _below(folder: pathlib.Path, *owners: str) -> list[pathlib.Path]:
    """Returns the subfolders of masks, named after nothing ("") or after a folder of images."""
    found = ((name, _OF_MASKS.fullmatch(name)) for name in _listing(folder).folders)
    return [folder / name for name, kind in found if kind and (kind[1] or "") in owners]


def _holds_masks(name: str) -> bool:
    kind = _OF_MASKS.fullmatch(name)
    return kind is not None and kind[1] is None


def _check_owner(path: pathlib.Path, mask: pathlib.Path) -> None:
    """Checks that a mask in a folder beside the image's folder belongs to that image alone."""
    folder = _absolute(path).parent
    beside = mask.parent != folder and mask.parent.parent == folder.parent
    if not beside or not _holds_masks(mask.parent.name) or _OF_IMAGES.fullmatch(folder.name):
        return
    key = _key(path.stem)
    for name in _listing(folder.parent).folders:
        other = folder.parent / name
        if other != folder and not _holds_masks(name):
            for image in _listing(other).images.get(key, ()):
                raise InputError(
                    f"{path}: {_relative(mask, path)} could be its mask or that of "
                    f"{_relative(other / image, path)}; accepted is a folder masks for one folder"
                )


def _keys(name: str, folder: _Folder) -> list[str]:
    """Returns the keys under which masks of an image of this name are found."""
    stem = pathlib.Path(name).stem
    keys = [_key(stem), _key(name)]
    return keys + [short for short in _short(_key(stem)) if short not in folder.images]


def _short(stem: str) -> list[str]:
    """Returns the key of NAME for that of NAME_img and the like, else nothing."""
    found = _WORD_OF_IMAGE.fullmatch(stem)
    return [found[1] or found[2]] if found else []


def _bases(name: str) -> list[str]:
    """Returns the keys of the images of which a file of this name is the mask; often none."""
    stem = _key(pathlib.Path(name).stem)
    if not _HINT.search(stem):
        return [stem] if name.lower().endswith(".mask") else []
    found = (ending.fullmatch(stem) for ending in _ENDINGS)
    return list(dict.fromkeys(one[1] for one in found if one))


def _absolute(path: pathlib.Path) -> pathlib.Path:
    # Without following links, as a mask lies beside the link.
    return pathlib.Path(os.path.abspath(path))  # noqa: PTH100


def _key(name: str) -> str:
    # File systems and programs write accents as one character or as two.
    return unicodedata.normalize("NFC", name).casefold()


def _listing(folder: pathlib.Path) -> _Folder:
    """Returns what a folder holds; nothing where it can't be read."""
    try:
        changed = folder.stat().st_mtime_ns
    except OSError:
        return _NOTHING
    settled = time.time_ns() - changed > _SETTLED_NS
    return (_listed if settled else _listed.__wrapped__)(folder, changed)


@functools.lru_cache(maxsize=1024)
def _listed(folder: pathlib.Path, _changed: int) -> _Folder:
    try:
        found = sorted((path.name, is_folder(path)) for path in folder.iterdir())
    except OSError:
        return _NOTHING
    files = [name for name, inner in found if not inner and not name.startswith(".")]
    suffixes = (*SUFFIXES, *MICROSCOPE_SUFFIXES)
    images = [
        (name, _key(pathlib.Path(name).stem)) for name in files if name.lower().endswith(suffixes)
    ]
    masks = (name for name in files if name.lower().endswith((*SUFFIXES, *_OTHER_SUFFIXES)))
    return _Folder(
        images=_grouped((key, name) for name, stem in images for key in (stem, _key(name))),
        loosely=_grouped((key, name) for name, stem in images for key in _short(stem)),
        masks=_grouped((key, name) for name in masks for key in _bases(name)),
        folders=[name for name, inner in found if inner and not name.startswith(".")],
    )


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for key, name in pairs:
        groups.setdefault(key, []).append(name)
    return groups
