"""Decodes TIFF files: grey, RGB and palette, integers and floats, any bit depth."""

import math
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np
import tifffile
from tifffile import COMPRESSION, EXTRASAMPLE, PHOTOMETRIC

from srd_jax.imaging.picture import (
    ACCEPTED_COLOURS,
    ONE_PICTURE,
    ORIENTATION_TAG,
    Picture,
    check_size,
    split_alpha,
    upright,
)
from srd_jax.imaging.pixel_size import from_tiff
from srd_jax.support.errors import InputError

_PHOTOMETRIC_TAG = 262
_MAX_SAMPLE_VALUE_TAG = 281

# Depths at which cameras write integers into 16-bit samples.
_CAMERA_BITS = (10, 12, 14)

_LOSSY = {
    COMPRESSION.OJPEG,
    COMPRESSION.JPEG,
    COMPRESSION.JPEG_LOSSY,
    COMPRESSION.APERIO_JP2000_YCBC,
    COMPRESSION.APERIO_JP2000_RGB,
    COMPRESSION.JPEG2000,
    COMPRESSION.WEBP,
    COMPRESSION.JPEGXR,
    COMPRESSION.JPEGXL,
}

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


def decode_tiff(stream: BinaryIO) -> Picture:
    """Decodes a TIFF file of one picture; reduced copies (thumbnails) in it are ignored.

    Raises:
      InputError: the file has several pages, is too large or truncated, or its colours aren't
        grey, RGB or palette. tifffile raises its own exceptions on damaged files.
    """
    with tifffile.TiffFile(stream) as tiff:
        imagej = tiff.imagej_metadata
        page = _only_page(tiff, imagej)
        check_size(page.imagelength, page.imagewidth)
        photometric = PHOTOMETRIC(
            page.tags.valueof(_PHOTOMETRIC_TAG, default=PHOTOMETRIC.MINISBLACK)
        )
        _check_colours(page, photometric)
        _check_whole(page, tiff.filehandle.size)
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
            lossy=page.compression in _LOSSY,
            scale=from_tiff(page, imagej),
        )


def _only_page(tiff: tifffile.TiffFile, imagej: Mapping[str, Any] | None) -> tifffile.TiffPage:
    """Returns the single full-size page."""
    pages = [
        page for page in tiff.pages if isinstance(page, tifffile.TiffPage) and not page.is_reduced
    ]
    # ImageJ keeps a large stack behind a single page and states its size in its metadata only.
    count = max(len(pages), int((imagej or {}).get("images", 1)))
    if count != 1 or pages[0].axes not in ("YX", "YXS", "SYX"):
        what = f"of {count} pages" if count != 1 else f"with the axes {pages[0].axes}"
        raise InputError(f"is a TIFF {what}; {ONE_PICTURE}, save one plane of the stack")
    return pages[0]


def _check_colours(page: tifffile.TiffPage, photometric: PHOTOMETRIC) -> None:
    """Checks photometric interpretation, channels and sample type."""
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


def _check_whole(page: tifffile.TiffPage, file_size: int) -> None:
    """Checks that every strip lies inside of the file, as tifffile fills missing ones with 0."""
    expected = math.prod(page.chunked)
    if len(page.dataoffsets) < expected:
        raise InputError(
            f"is a truncated TIFF ({len(page.dataoffsets)} of {expected} strips); "
            "accepted are whole files"
        )
    for start, length in zip(page.dataoffsets, page.databytecounts, strict=True):
        if length == 0 or start + length > file_size:
            raise InputError(
                f"is a truncated TIFF (data of {length} bytes at {start}, "
                f"file of {file_size} bytes); accepted are whole files"
            )


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
