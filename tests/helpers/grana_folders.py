"""Folders in the format of real grana, for the tests of datasets."""

import numpy as np

from helpers.crops import ellipse, stripes
from helpers.image_files import with_blue, write_png
from srd_jax.imaging.dataset import Granum, write_grana


def lamellae(shape, period, angle, phase=0.0):
    """Grey levels 0..1 (rows, columns) of lamellae at an angle, degrees from the vertical.

    A lamella runs along (-cos, -sin) of the angle in (rows, columns): straight up at 0, to the left
    at 90, counter-clockwise in between.
    """
    along = np.deg2rad(angle)
    rows, columns = np.indices(shape)
    across = columns * np.cos(along) - rows * np.sin(along)
    return 0.5 + 0.4 * np.cos(2 * np.pi * across / period + phase)


def drawn_granum(seed, shape=(60, 80), period=12.0, px_per_nm=1.298):
    """A granum of noisy stripes, as read_grana gives it."""
    mask = ellipse(shape)
    image = np.where(mask, stripes(seed, shape, period) / np.float32(255), 0).astype(np.float32)
    return Granum(f"granum_{seed}.png", image, mask, period, px_per_nm)


def write_folder(folder, n=3, **options):
    """Writes n drawn grana and returns the folder."""
    write_grana(folder, [drawn_granum(seed, **options) for seed in range(n)])
    return folder


def write_lamellae(path, angle, mask=None, shape=(120, 150), period=15.0):
    """Writes lamellae at an angle as 16-bit RGB, pure blue outside of the mask."""
    grey = np.rint(lamellae(shape, period, angle) * 65535).astype(np.uint16)
    return write_png(path, with_blue(grey, np.ones(shape, bool) if mask is None else mask, 65535))


def same(first, second):
    """Whether two lists of grana agree in every bit."""
    return len(first) == len(second) and all(
        (a.name, a.period_px, a.px_per_nm) == (b.name, b.period_px, b.px_per_nm)
        and np.array_equal(a.image, b.image)
        and np.array_equal(a.mask, b.mask)
        and (a.image.dtype, a.mask.dtype) == (b.image.dtype, b.mask.dtype)
        for a, b in zip(first, second, strict=True)
    )
