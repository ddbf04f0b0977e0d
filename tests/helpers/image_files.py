"""Image files for the tests of reading."""

import contextlib
import warnings

import imagecodecs
import numpy as np
import pytest

from srd_jax.imaging.crop import read_crop
from srd_jax.support.errors import InputError


@contextlib.contextmanager
def silence(capfd, caplog):
    """Fails on a warning, on output and on log records."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def grey(dtype=np.uint8, high=255, shape=(24, 36), low=0):
    values = np.random.default_rng(0).integers(low, high, shape, endpoint=True)
    values.flat[:2] = low, high
    return values.astype(dtype)


def some_mask(shape=(24, 36)):
    return np.random.default_rng(1).random(shape) < 0.6


def write_png(path, array):
    path.write_bytes(imagecodecs.png_encode(np.ascontiguousarray(array)))
    return path


def with_blue(array, mask, depth=255):
    return np.where(mask[..., None], array[..., None], np.array([0, 0, depth], array.dtype))


def refusal(path):
    with pytest.raises(InputError) as caught:
        read_crop(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert message.count(str(path)) == 1
    assert "accepted" in message
    assert "\n" not in message
    return message
