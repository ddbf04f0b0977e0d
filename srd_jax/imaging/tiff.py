"""Decodes TIFF files: grey, RGB and palette, integers and floats, any bit depth."""

from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np
import tifffile
from tifffile import COMPRESSION, EXTRASAMPLE, PHOTOMETRIC

from srd_jax.imaging.picture import (
    ACCEPTED_COLOURS,
    MAX_PIXELS,
    ONE_PICTURE,
    ORIENTATION_TAG,
    Picture,
    check_size,
    split_alpha,
    upright,
)
from srd_jax.imaging.pixel_size import from_tiff
from srd_jax.imaging.tiff_layout import LOSSY, check_strips, directories
from srd_jax.support.errors import InputError

_PHOTOMETRIC_TAG = 262
_MAX_SAMPLE_VALUE_TAG = 281
# MetaMorph's stacks (STK); it has a value for each plane.
_UIC2_TAG = 33629

# Depths at which cameras write integers into 16-bit samples.
_CAMERA_BITS = (10, 12, 14)

# Compressions whose decoders turn YCbCr into RGB themselves.
_YCBCR_DECODED = {COMPRESSION.OJPEG, COMPRESSION.JPEG}

# The colour channels of each accepted photometric interpretation.
_COLOUR_CHANNELS = {
    PHOTOMETRIC.MINISWHITE: 1,
    PHOTOMETRIC.MINISBLACK: 1,
    PHOTOMETRIC.RGB: 3,
    PHOTOMETRIC.PALETTE: 1,
    PHOTOMETRIC.YCBCR: 3,
}


def decode_tiff(stream: BinaryIO, max_pixels: int = MAX_PIXELS) -> Picture:
    """Decodes a TIFF file of one picture; thumbnails and masks beside it are passed over.

    Raises:
      InputError: the file has several pages, is too large or truncated, or its colours aren't
        grey, RGB or palette. tifffile raises its own exceptions on damaged files.
    """
    offsets, marks, notes = directories(stream)
    stream.seek(0)
    # Not read as other formats that share TIFF's first bytes, which tifffile goes through at once.
    with tifffile.TiffFile(stream, is_ndpi=False, is_lsm=False, is_scanimage=False) as tiff:
        imagej = tiff.imagej_metadata
        page, passed_over = _only_page(tiff, offsets, imagej, max_pixels)
        photometric = _check_colours(page)
        check_strips(page, marks)
        array = page.asarray()
        if page.axes == "SYX":
            array = np.moveaxis(array, 0, -1)
        full_scale = _stated_full_scale(page)
        if photometric == PHOTOMETRIC.PALETTE:
            array, full_scale = _through_palette(array, page.colormap), 255.0
        array = upright(array, int(page.tags.valueof(ORIENTATION_TAG, default=1)))
        samples, opaque = split_alpha(array)
        return Picture(
            samples=samples,
            opaque=opaque,
            full_scale=full_scale,
            inverted=photometric == PHOTOMETRIC.MINISWHITE,
            lossy=page.compression in LOSSY,
            scale=from_tiff(page, imagej),
            notes=notes + passed_over,
        )


def _only_page(
    tiff: tifffile.TiffFile,
    offsets: list[int],
    imagej: Mapping[str, Any] | None,
    max_pixels: int,
) -> tuple[tifffile.TiffPage, tuple[str, ...]]:
    """Returns the page that holds the picture, and notes.

    Beside it a page is passed over that is flagged as a reduced copy or a mask, has one bit a
    sample, or at most half of the pixels.
    """
    pages = []
    for index, offset in enumerate(offsets):
        tiff.filehandle.seek(offset)
        page = tifffile.TiffPage(tiff, index=index)
        if not (page.is_reduced or page.is_mask or page.photometric == PHOTOMETRIC.MASK):
            pages.append(page)
    if not pages:
        raise InputError(f"is a TIFF of thumbnails or masks only; {ONE_PICTURE}")
    deep = [page for page in pages if page.bitspersample != 1] or pages
    largest = max(deep, key=_pixels)
    check_size(largest.imagelength, largest.imagewidth, max_pixels)
    rivals = [page for page in deep if 2 * _pixels(page) > _pixels(largest)]
    # ImageJ and MetaMorph keep a stack behind a single page and state its size elsewhere.
    planes = largest.tags.get(_UIC2_TAG)
    stacked = max(int((imagej or {}).get("images", 1)), planes.count if planes else 1)
    if len(rivals) > 1 or stacked > 1 or largest.axes not in ("YX", "YXS", "SYX"):
        count = max(len(pages), stacked)
        what = f"of {count} pages" if count > 1 else f"with the axes {largest.axes}"
        raise InputError(f"is a TIFF {what}; {ONE_PICTURE}, save one plane of the stack")
    return largest, (f"the largest of {len(pages)} pages is measured",) if len(pages) > 1 else ()


def _pixels(page: tifffile.TiffPage) -> int:
    return page.imagelength * page.imagewidth


def _check_colours(page: tifffile.TiffPage) -> PHOTOMETRIC:
    """Checks channels and sample type, and returns the photometric interpretation."""
    # Some writers leave the tag out.
    default = PHOTOMETRIC.RGB if page.samplesperpixel > 2 else PHOTOMETRIC.MINISBLACK
    code = page.tags.valueof(_PHOTOMETRIC_TAG, default=default)
    try:
        photometric = PHOTOMETRIC(code)
    except ValueError as error:
        name = f"the code {code}" if isinstance(code, int) else "an unknown code"
        raise InputError(f"is a TIFF of colours of {name}; {ACCEPTED_COLOURS}") from error
    channels = _COLOUR_CHANNELS.get(photometric)
    if photometric == PHOTOMETRIC.YCBCR and page.compression not in _YCBCR_DECODED:
        channels = None
    if channels is None:
        raise InputError(f"is a TIFF of {photometric.name} colours; {ACCEPTED_COLOURS}")
    extra = [EXTRASAMPLE(code) for code in page.extrasamples]
    alpha = photometric != PHOTOMETRIC.PALETTE and len(extra) == 1 and extra[0] != 0
    if page.samplesperpixel != channels + alpha:
        raise InputError(
            f"is a TIFF of {photometric.name} colours with {page.samplesperpixel} channels; "
            f"{ACCEPTED_COLOURS}"
        )
    if page.dtype is None or page.dtype.kind not in "buif":
        raise InputError(
            f"is a TIFF of {page.dtype or 'unknown'} samples; "
            "accepted are integer and floating-point samples"
        )
    return photometric


def _stated_full_scale(page: tifffile.TiffPage) -> float | None:
    """Returns the sample value of full intensity, None where depth and MaxSampleValue don't say.

    A depth of 16 bits and a MaxSampleValue of all 16 bits, which is the tag's default, say nothing,
    because cameras of 10 to 14 bits write these, too.
    """
    bits = page.bitspersample
    if page.dtype is None or page.dtype.kind not in "bu" or not isinstance(bits, int):
        return None
    if bits <= 8 or bits in _CAMERA_BITS:
        return 2.0**bits - 1
    declared = np.max(page.tags.valueof(_MAX_SAMPLE_VALUE_TAG, default=0))
    return float(declared) if 0 < declared < 2**bits - 1 else None


def _through_palette(indices: np.ndarray, palette: np.ndarray | None) -> np.ndarray:
    """Returns the 8-bit RGB samples (rows, columns, 3) of palette indices (rows, columns)."""
    if palette is None:
        raise InputError("is a palette TIFF without its palette; accepted are whole files")
    # TIFF palettes have 16 bits, filled as v * 257 or v * 256; some writers leave 8 bits.
    colours = palette >> 8 if palette.max() > 255 else palette
    return np.moveaxis(colours.astype(np.uint8)[:, indices], 0, -1)
