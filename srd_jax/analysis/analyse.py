"""Analyses a micrograph from Python: a file, or an array of grey values."""

import functools
import os
import pathlib

import numpy as np

from srd_jax.analysis.granum import Analysis
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.measuring.result import check_scale
from srd_jax.support.errors import InputError, naming

# Name of a micrograph that is given as an array.
_ARRAY = "array"


def analyse(
    source: str | os.PathLike[str] | np.ndarray,
    px_per_nm: float | None = None,
    *,
    threshold: float | None = None,
    masks: np.ndarray | None = None,
    weights: str | os.PathLike[str] | None = None,
) -> Analysis:
    """Finds and measures the grana of a micrograph.

    Args:
      source: path of a file, or (rows, columns) grey values of any type, light is high.
      px_per_nm: scale; None takes the file's own. Without any, lengths are in px alone.
      threshold: least probability of a granum's pixels, 0 to 1; None for the detector's own.
      masks: (rows, columns) labels of grana that somebody drew, in place of the detector's.
      weights: of the network that finds grana, see `network.load`; None for the package's.

    Raises:
      InputError: the file can't be read, an array isn't a micrograph, or an argument is out of
        range.
    """
    if px_per_nm is not None:
        check_scale(px_per_nm)
    if threshold is not None and not 0 < threshold < 1:
        raise InputError(f"threshold is {threshold}; accepted is a number between 0 and 1")
    # Late, as loading JAX takes its time.
    from srd_jax.analysis.instances import THRESHOLD
    from srd_jax.analysis.pipeline import analyse_micrograph

    micrograph = _read(source, px_per_nm)
    detect = None if masks is not None else _detector(weights)
    if threshold is None:
        threshold = THRESHOLD if detect is None else detect.threshold
    return analyse_micrograph(micrograph, detect, _method(), threshold, masks=masks).analysis


def _read(source: str | os.PathLike[str] | np.ndarray, px_per_nm: float | None) -> Micrograph:
    """Returns a micrograph by its path or grey values.

    Raises:
      InputError: see `analyse`.
    """
    if isinstance(source, str | os.PathLike):
        from srd_jax.imaging.micrographs.reading import read

        return read(pathlib.Path(source), px_per_nm)
    grey = np.asarray(source)
    with naming(_ARRAY):
        if grey.ndim != 2 or not grey.size or grey.dtype.kind not in "uif":
            raise InputError(
                f"of shape {grey.shape} and type {grey.dtype}; accepted are grey values (rows, "
                "columns), whole numbers or floats"
            )
        if grey.dtype.kind == "f" and not np.isfinite(grey).all():
            raise InputError("holds NaN or infinite grey values; accepted are finite ones")
    return Micrograph(_ARRAY, grey, px_per_nm, "" if px_per_nm is None else "given")


@functools.lru_cache(maxsize=1)
def _detector(weights: str | os.PathLike[str] | None):
    """Loads the detector once, as compiling it takes its time."""
    from srd_jax.analysis import network

    return network.load(weights)


@functools.cache
def _method():
    """Loads the method of the period once."""
    from srd_jax.measuring import methods

    return methods.make()
