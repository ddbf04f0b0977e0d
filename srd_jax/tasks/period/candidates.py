"""Compares candidates for the parameters of the period's network.

A candidate's score is the sum of two mean negative log likelihoods (NLL): of known periods of
training crops, and of the candidates' median period on crops without known periods. The lowest
score is best. docs/methods.md says why, in "Choosing among candidates".
"""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from srd_jax.imaging.crop import read_crop
from srd_jax.imaging.folders import find_images
from srd_jax.imaging.preparation import prepare
from srd_jax.networks.parameters import Parameters
from srd_jax.support.errors import InputError
from srd_jax.synthetic.batch import Batch
from srd_jax.synthetic.drawn_set import Recipe, provide
from srd_jax.tasks.period.config import PeriodConfig
from srd_jax.tasks.period.scores import gaussian_nll
from srd_jax.training import steps
from srd_jax.training.task import Source

_COLUMNS = ("nll", "agreement", "score")

_FLIPS = 4


def compare(
    config: PeriodConfig,
    workdir: pathlib.Path,
    source: Source,
    evaluate: Callable[[Parameters, Batch], Any],
    candidates: Sequence[Parameters],
) -> Mapping[str, np.ndarray]:
    """Returns the columns of `scores` by name, each (candidates,).

    Args:
      config: of the run; its network predicts an sd.
      workdir: of the run.
      source: of the run; its validation images are the crops with known periods.
      evaluate: (parameters, batch) → period and sd, px of the frame.
      candidates: parameters of each candidate.

    Raises:
      InputError: the crops without known periods cannot be used.
    """
    measured = _measure(config, source, unlabelled(config, workdir), evaluate, candidates)
    return dict(zip(_COLUMNS, scores(*measured).T, strict=True))


def scores(period: np.ndarray, sd: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Returns (candidates, 3): NLL of known periods, NLL of the median period, and their sum.

    Args:
      period: (candidates, crops, flips) px of the frame.
      sd: (candidates, crops, flips) px of the frame.
      target: (crops,) px of the frame; NaN where it isn't known.
    """
    known = np.isfinite(target)
    median = np.median(period[:, ~known], axis=(0, 2))
    columns = []
    for chosen, truth in ((known, target[known]), (~known, median)):
        nll = gaussian_nll(period[:, chosen] - truth[None, :, None], sd[:, chosen])
        columns.append(nll.mean(axis=(1, 2)) if chosen.any() else np.zeros(len(period)))
    return np.stack([*columns, columns[0] + columns[1]], axis=1)


def _measure(
    config: PeriodConfig,
    source: Source,
    frames: np.ndarray,
    evaluate: Callable[[Parameters, Batch], Any],
    candidates: Sequence[Parameters],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Measures crops in four flips: period and sd (candidates, crops, flips), target (crops,)."""
    known = [
        jax.device_get(source.validation(source.arrays, index))
        for index in range(-(-source.validation_size // config.validation.batch_size))
    ]
    image, target = (
        np.concatenate([getattr(batch, name) for batch in known])[: source.validation_size]
        for name in ("image", "target")
    )
    target = np.concatenate([target, np.full(len(frames), np.nan)])
    views = dataclasses.replace(
        source,
        arrays=jnp.concatenate([image, frames]),
        validation=lambda arrays, index: _flipped(arrays, index, config.validation.batch_size),
        validation_size=_FLIPS * len(target),
    )
    validate = steps.make_validation(config, views, evaluate)
    found = [jax.device_get(validate(parameters, views.arrays)) for parameters in candidates]
    shape = (len(candidates), len(target), _FLIPS)
    period, sd = (
        np.stack([getattr(one, name) for one in found]).astype(np.float64).reshape(shape)
        for name in ("period", "sd")
    )
    return period, sd, target.astype(np.float64)


def _flipped(frames: jax.Array, index: Any, size: int) -> Batch:
    """Returns a batch of frames in which each frame comes in its four flips, one after another."""
    at = index * size + jnp.arange(size)
    image = frames[at // _FLIPS % len(frames)]
    for axis, flip in ((1, at % 2 == 1), (2, at // 2 % 2 == 1)):
        image = jnp.where(flip[:, None, None], jnp.flip(image, axis), image)
    return Batch(image=image, mask=jnp.ones(image.shape, bool), target=jnp.zeros(size))


def check_unlabelled(config: PeriodConfig) -> None:
    """Checks that the folder of crops without known periods, if one is named, holds images.

    Raises:
      InputError: it doesn't.
    """
    if config.end.keeps and config.end.unlabelled:
        find_images([config.end.unlabelled])


def unlabelled(config: PeriodConfig, workdir: pathlib.Path) -> np.ndarray:
    """Returns the first `validation.images` crops without known periods, prepared as in prediction.

    They come from the folder `end.unlabelled`. Where it is empty, they are drawn into the folder
    `unlabelled` beside the workdir, with another seed than the training crops. A file that cannot
    be read is reported and left out.

    Args:
      config: of the run.
      workdir: of the run.

    Returns:
      (crops, rows, columns) float32 of the frame, grey value 0..1.

    Raises:
      InputError: there is no crop, or the folder of drawn ones holds something else.
    """
    folder = pathlib.Path(config.end.unlabelled or workdir.absolute().parent / "unlabelled")
    if not config.end.unlabelled:
        data = config.data
        provide(folder, Recipe(config.validation.images, data.seed + 1, data.drawn))
    found = []
    for path in find_images([folder]).images[: config.validation.images]:
        try:
            crop = read_crop(path)
            found.append(prepare(crop.image, crop.mask, config.validation.frame).image)
        except InputError as error:
            print(f"left out: {error}")
    if not found:
        raise InputError(f"{folder}: holds no crop that can be read; accepted are crops of grana")
    return np.stack(found)
