"""Finds the images among files and folders, and names the pictures that are drawn of them."""

import hashlib
import os
import pathlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from srd_jax.imaging.formats import SUFFIXES
from srd_jax.imaging.mask_files import image_of
from srd_jax.support.errors import InputError
from srd_jax.support.files import is_folder, is_stamped

# Endings of pictures that are drawn of crops, often into their folder.
OVERLAY_ENDING, ATTENTION_ENDING = _DRAWN_ENDINGS = (".overlay.png", ".attention.png")

_LEFT_OUT = (
    "pictures of an earlier run",
    "masks of other images",
)

# The file by which a folder of results of `srd analyse` is known; its pictures aren't images.
ANALYSIS_MARK = "srd_analyse.json"

# Folders that systems and network drives make: previews, resource forks, bins, snapshots.
_OF_SYSTEMS = {
    "@eadir", "__macosx", "@__thumb", "@recycle", "@recently-snapshot", "#recycle", "#snapshot",
    "$recycle.bin", "system volume information", "lost+found",
}  # fmt: skip

_PREVIEW = re.compile(r"(.+)[ _.-](?:thumb|thumbnail|preview)s?", re.IGNORECASE)
_PREVIEW_OF_SYSTEM = "synophoto_thumb"

# File systems take names of 255 bytes; a temporary file beside the picture has a longer one.
_LONGEST_NAME = 240
_KEPT_NAME = 180


@dataclass(frozen=True)
class Found:
    """Images among files and folders.

    Attributes:
      images: in order, each file once.
      passed_over: lines about files that were named but aren't crops.
      unread: lines about folders that can't be read.
    """

    images: Sequence[pathlib.Path]
    passed_over: Sequence[str] = ()
    unread: Sequence[str] = ()


def find_images(
    paths: Iterable[str | os.PathLike[str]],
    suffixes: tuple[str, ...] = SUFFIXES,
    is_result: Callable[[pathlib.Path], bool] = lambda path: False,
    shown: str = "crops",
) -> Found:
    """Lists the images among files and folders.

    Folders are searched with their subfolders for image suffixes, sorted, a folder's own files
    first; links to folders are followed. Left out are hidden files and folders, those of systems
    such as @eaDir, results of `srd analyse`, previews, masks of other images, and pictures that
    commands have drawn; the last two also where they are named themselves. All other named files
    are listed. The order of `paths` is kept, and each file is listed once.

    Args:
      paths: files and folders.
      suffixes: endings, in small letters, of the files that folders are searched for.
      is_result: tells which files are pictures of an earlier run, beside those that are stamped.
      shown: what the images show, for messages.

    Raises:
      InputError: a path is empty or doesn't exist, or nothing but the above is found.
    """
    given = [_given(path) for path in paths]
    found: dict[str, pathlib.Path] = {}
    named: dict[str, list[pathlib.Path]] = {}
    kinds: dict[str, None] = {}
    unread: list[str] = []
    for path in given:
        images, known = [path], len(unread)
        if is_folder(path):
            images = list(_images_below(path, suffixes, unread))
            if not images and len(unread) == known:
                raise InputError(
                    f"{path}: a folder without images; accepted are folders that hold files ending "
                    f"in {', '.join(suffixes)}"
                )
        for image in images:
            kind = _LEFT_OUT[0] if is_result(image) else _left_out(image)
            if not kind:
                found.setdefault(os.path.realpath(image), image)
                continue
            kinds[kind] = None
            if image is path:
                named.setdefault(kind, []).append(path)
    passed_over = [
        f"{files[0]}: is passed over as one of {len(files)} {kind}" for kind, files in named.items()
    ]
    if given and not found:
        nothing = (
            f"{', '.join(map(str, given))}: holds {' and '.join(kinds)} only; accepted are {shown}"
        )
        raise InputError(unread[0] if unread else nothing)
    return Found(list(found.values()), passed_over, unread)


def common_root(paths: Iterable[pathlib.Path]) -> pathlib.Path:
    """Returns the deepest folder above all files."""
    return pathlib.Path(os.path.commonpath([_real(path).parent for path in paths]))


def picture_path(
    folder: pathlib.Path, root: pathlib.Path, image: pathlib.Path, ending: str
) -> pathlib.Path:
    """Returns the path of a picture drawn of an image: FOLDER/path from root/NAME + ending.

    A name that would be too long for a file system keeps its beginning, and a digest of all of it.

    Args:
      folder: of all pictures.
      root: folder above all images, so that files of one name in two folders stay apart.
      image: path of the image.
      ending: such as OVERLAY_ENDING.
    """
    relative = _real(image).relative_to(root)
    name = os.fsencode(relative.name)
    if len(name) + len(os.fsencode(ending)) > _LONGEST_NAME:
        digest = hashlib.sha256(name).hexdigest()[:16]
        shown = f"{name[:_KEPT_NAME].decode('utf-8', 'ignore')}-{digest}"
        return folder / relative.parent / f"{shown}{ending}"
    return folder / relative.parent / f"{relative.name}{ending}"


def _given(path: str | os.PathLike[str]) -> pathlib.Path:
    """Returns a path from the command line.

    Raises:
      InputError: it is empty, or names nothing.
    """
    if not os.fspath(path):
        raise InputError("an empty path; accepted are images and folders of images")
    given = pathlib.Path(path)
    try:
        given.lstat()
    except (OSError, ValueError) as error:  # ValueError for a path with a null character
        raise InputError(
            f"{given}: cannot be read ({getattr(error, 'strerror', error)}); "
            "accepted are images and folders of images"
        ) from error
    return given


def _left_out(image: pathlib.Path) -> str:
    """Returns which of `_LEFT_OUT` a file is; empty for a crop."""
    if image.name.lower().endswith(_DRAWN_ENDINGS) or is_stamped(image):
        return _LEFT_OUT[0]
    return _LEFT_OUT[1] if image_of(image) is not None else ""


def _images_below(
    folder: pathlib.Path, suffixes: tuple[str, ...], unread: list[str]
) -> Iterator[pathlib.Path]:
    """Yields the images of a folder and its subfolders in order.

    Args:
      folder: is read with links to folders, each folder once.
      suffixes: endings of the images.
      unread: gets a line for each folder that can't be read.
    """
    seen: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        parent = waiting.pop()
        try:
            about = parent.stat()
            if (about.st_dev, about.st_ino) in seen:
                continue
            seen.add((about.st_dev, about.st_ino))
            entries = sorted(parent.iterdir())
        except OSError as error:
            unread.append(
                f"{parent}: cannot be read ({error.strerror}); accepted are readable folders"
            )
            continue
        if any(path.name == ANALYSIS_MARK for path in entries):
            continue
        shown = [path for path in entries if not _is_of_system(path.name)]
        folders = [path for path in shown if is_folder(path)]
        others = sorted(set(shown) - set(folders))
        images = [path for path in others if path.name.lower().endswith(suffixes)]
        stems = {path.stem for path in images}
        yield from (path for path in images if not _is_preview(path.stem, stems))
        waiting += reversed(folders)


def _is_of_system(name: str) -> bool:
    lower = name.lower()
    return lower.startswith((".", _PREVIEW_OF_SYSTEM)) or lower in _OF_SYSTEMS


def _is_preview(stem: str, stems: set[str]) -> bool:
    found = _PREVIEW.fullmatch(stem)
    return found is not None and found[1] in stems


def _real(path: pathlib.Path) -> pathlib.Path:
    return pathlib.Path(os.path.realpath(path))
