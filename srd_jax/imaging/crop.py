"""Reads crops of grana from image files: grey values, mask and pixel size.

These pixels are outside of the granum: pure blue ones (0, 0, full depth), those whose alpha is 0,
and the black ones of a mask file beside the image (NAME_mask.png). Lossy formats such as JPEG don't
keep pure blue; there a pixel is outside if blue exceeds red and green by half of the full depth.

Grey values are those of `picture.grey_values`.
"""

import os
import pathlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from srd_jax.imaging.formats import read_picture
from srd_jax.imaging.picture import Picture, full_scale, grey_values
from srd_jax.imaging.pixel_size import agreed, from_side_file
from srd_jax.support.errors import InputError, naming

_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
_MASK_ENDING = "_mask"

# Endings of pictures that are drawn of crops, often into their folder.
OVERLAY_ENDING, ATTENTION_ENDING = _DRAWN_ENDINGS = (".overlay.png", ".attention.png")


@dataclass(frozen=True)
class Crop:
    """The crop of one granum.

    Attributes:
      image: float32 (rows, columns), grey value 0..1, black to white; 0 outside of the mask.
      mask: bool (rows, columns), True inside of the granum.
      px_per_nm: the scale that the file or a text file beside it states, None where none is taken.
      px_per_nm_source: who states it, see `pixel_size`; "" where there is none.
      notes: facts about the file and its mask that a user should know, each a phrase.
    """

    image: np.ndarray
    mask: np.ndarray
    px_per_nm: float | None
    px_per_nm_source: str
    notes: tuple[str, ...] = ()


def read_crop(path: str | os.PathLike[str]) -> Crop:
    """Reads the crop of a granum and its mask.

    Colours become grey by the luma of ITU-R BT.601, 0.299 R + 0.587 G + 0.114 B; pixels of three
    equal channels keep their value exactly.

    Args:
      path: a PNG, JPEG or TIFF file.

    Raises:
      InputError: the file can't be read (see `formats.read_picture`), its grey values aren't
        finite, or its mask file can't be read or has another size.
    """
    path = pathlib.Path(path)
    picture = read_picture(path)
    with naming(path):
        inside = _inside(picture)
    mask_file = path.with_name(f"{path.stem}{_MASK_ENDING}.png")
    if os.path.lexists(mask_file):
        inside &= _read_mask(mask_file, inside.shape)
    with naming(path):
        image = grey_values(picture, inside)
    scale = agreed(picture.scale, from_side_file(path))
    return Crop(
        image=image,
        mask=inside,
        px_per_nm=scale.px_per_nm,
        px_per_nm_source=scale.source,
        notes=(*picture.notes, *filter(None, [scale.note])),
    )


def find_images(paths: Iterable[str | os.PathLike[str]]) -> list[pathlib.Path]:
    """Lists the images among files and folders.

    Files are always listed. Folders are searched with their subfolders for image suffixes, sorted,
    a folder's own files first. Hidden files and folders are left out, and so are NAME_mask.png
    beside an image NAME, overlays and attention figures. The order of `paths` is kept, and each
    file is listed once.

    Raises:
      InputError: a path doesn't exist or can't be read, a folder has no images, or overlays and
        attention figures only.
    """
    given = [pathlib.Path(path) for path in paths]
    found: dict[pathlib.Path, pathlib.Path] = {}
    for path in given:
        try:
            path.stat()
        except OSError as error:
            raise InputError(
                f"{path}: cannot be read ({error.strerror}); "
                "accepted are images and folders of images"
            ) from error
        images = list(_images_below(path)) if path.is_dir() else [path]
        if not images:
            raise InputError(
                f"{path}: a folder without images; accepted are folders that hold files ending "
                f"in {', '.join(_SUFFIXES)}"
            )
        for image in images:
            if image is path or not image.name.endswith(_DRAWN_ENDINGS):
                found.setdefault(image.resolve(), image)
    if given and not found:
        raise InputError(
            f"{', '.join(map(str, given))}: holds pictures of an earlier run only "
            f"({', '.join(_DRAWN_ENDINGS)}); accepted are crops"
        )
    return list(found.values())


def common_root(paths: Iterable[pathlib.Path]) -> pathlib.Path:
    """Returns the deepest folder above all files."""
    return pathlib.Path(os.path.commonpath([path.resolve().parent for path in paths]))


def picture_path(
    folder: pathlib.Path, root: pathlib.Path, image: pathlib.Path, ending: str
) -> pathlib.Path:
    """Returns the path of a picture drawn of an image: FOLDER/path from root/NAME + ending.

    Args:
      folder: of all pictures.
      root: folder above all images, so that files of one name in two folders stay apart.
      image: path of the image.
      ending: such as OVERLAY_ENDING.
    """
    relative = image.resolve().relative_to(root)
    return folder / relative.parent / f"{relative.name}{ending}"


def _images_below(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yields the images of a folder and its subfolders in order."""

    def refuse(error: OSError) -> None:
        raise InputError(
            f"{error.filename}: cannot be read ({error.strerror}); accepted are readable folders"
        ) from error

    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        images = [
            pathlib.Path(parent, name)
            for name in sorted(names)
            if not name.startswith(".") and name.lower().endswith(_SUFFIXES)
        ]
        stems = {image.stem for image in images}
        for image in images:
            if not _masks_another(image, stems):
                yield image


def _masks_another(image: pathlib.Path, stems: set[str]) -> bool:
    return (
        image.suffix == ".png"
        and image.stem.endswith(_MASK_ENDING)
        and image.stem.removesuffix(_MASK_ENDING) in stems
    )


def _read_mask(path: pathlib.Path, shape: tuple[int, ...]) -> np.ndarray:
    """Reads a mask file as bool (rows, columns), False where it is black or masked itself."""
    picture = read_picture(path)
    samples = picture.samples
    with naming(path):
        if samples.shape[:2] != shape:
            raise InputError(
                f"the mask has {samples.shape[0]} x {samples.shape[1]} px (rows x columns); "
                f"accepted is the size of its image, {shape[0]} x {shape[1]} px"
            )
        return _inside(picture) & (samples != 0).any(axis=-1)


def _inside(picture: Picture) -> np.ndarray:
    """Returns bool (rows, columns), False where a picture is pure blue or transparent."""
    samples = picture.samples
    inside = np.ones(samples.shape[:2], bool) if picture.opaque is None else picture.opaque.copy()
    if samples.shape[-1] == 1:
        return inside
    red_green, blue = samples[..., :2], samples[..., 2]
    depth = full_scale(picture, blue[np.isfinite(blue)])
    if depth is None:
        return inside
    if picture.lossy:
        # Pure blue comes out of a JPEG as (0, 0, 254), and mixed along the border of the mask.
        outside = blue.astype(np.float32) - red_green.max(axis=-1) >= depth / 2
    else:
        outside = (red_green == 0).all(axis=-1) & (blue == depth)
    return inside & ~outside
