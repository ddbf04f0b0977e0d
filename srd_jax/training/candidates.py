"""Candidates: parameters kept during a run without held-out crops, and the choice among them.

The reference keeps some and leaves open how to choose. Here each candidate, and the average of
their parameters, is scored by two mean negative log likelihoods, both over the four flips of each
crop: of the known periods of training crops, and of the candidates' consensus (the median of all
their measurements) on crops without known periods. The first asks whether it fits, the second
whether it errs alone where nothing could be learnt by heart; the lowest sum is chosen.
"""

import csv
import pathlib
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from srd_jax.support.errors import InputError
from srd_jax.support.files import whole_file
from srd_jax.synthetic.batch import Batch
from srd_jax.tasks.period.config import TrainConfig
from srd_jax.tasks.period.model import Parameters
from srd_jax.tasks.period.scores import gaussian_nll
from srd_jax.tasks.period.sources import Source
from srd_jax.training import steps, weights
from srd_jax.training.ending import kept_epochs
from srd_jax.training.metrics import Row

AVERAGE = "average"
COLUMNS = ("name", "epoch", "nll", "agreement", "score", "chosen")

_FLIPS = 4


def keep(
    config: TrainConfig, workdir: pathlib.Path, average: Parameters, rows: Sequence[Row]
) -> None:
    """Saves the averaged parameters if their epoch is a candidate, and deletes what no longer is.

    Args:
      config: of the run.
      workdir: of the run; the files lie in its folder `candidates`.
      average: averaged parameters.
      rows: metrics rows so far, the last one at the end of an epoch; none before the first step.

    Raises:
      InputError: a file cannot be written.
    """
    kept = [_path(workdir, epoch) for epoch in kept_epochs(rows, config.end)]
    now = _path(workdir, round(rows[-1]["epoch"]) if rows else 0)
    if now in kept:
        parameters = jax.device_get(dict(average))
        origin = {"run": config.name, "candidate": now.stem}
        weights.save(now, weights.Weights(parameters, config.model, origin))
    for path in now.parent.glob("epoch_*.safetensors"):
        if path not in kept:
            path.unlink()


def choose(
    config: TrainConfig,
    workdir: pathlib.Path,
    source: Source,
    unlabelled: np.ndarray,
    rows: Sequence[Row],
) -> tuple[dict[str, np.ndarray], int | None]:
    """Returns the best candidate's parameters and its epoch, and writes candidates.csv.

    Args:
      config: of the run, whose network predicts an sd.
      workdir: of the run.
      source: of the run; its validation images are the crops with known periods.
      unlabelled: (crops, rows, columns) frames of crops without known periods, grey value 0..1.
      rows: all metrics rows.

    Returns:
      Parameters by name; the epoch, None for the average of the candidates.

    Raises:
      InputError: a candidate's file is missing or damaged, or the table cannot be written.
    """
    epochs = kept_epochs(rows, config.end)
    candidates = [weights.load(_path(workdir, epoch)).parameters for epoch in epochs]
    if not candidates:
        raise InputError(
            f"{workdir}: no candidate was kept; accepted: config.end.keep_epochs or "
            "config.end.keep_minima within the epochs of the run"
        )
    mean = {name: np.mean([c[name] for c in candidates], axis=0) for name in candidates[0]}
    names = [*(_path(workdir, epoch).stem for epoch in epochs), AVERAGE]
    measured = _measure(config, source, unlabelled, [*candidates, mean])
    table = scores(*measured)
    best = int(np.argmin(table[:, -1]))
    _write(workdir / "candidates" / "candidates.csv", names, [*epochs, None], table, best)
    return [*candidates, mean][best], [*epochs, None][best]


def scores(period: np.ndarray, sd: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Returns (candidates, 3): NLL of known periods, NLL of the consensus, and their sum.

    Args:
      period: (candidates, crops, flips) px of the frame.
      sd: likewise.
      target: (crops,) px of the frame; NaN where it isn't known.
    """
    known = np.isfinite(target)
    consensus = np.median(period[:, ~known], axis=(0, 2))
    figures = []
    for chosen, truth in ((known, target[known]), (~known, consensus)):
        nll = gaussian_nll(period[:, chosen] - truth[None, :, None], sd[:, chosen])
        figures.append(nll.mean(axis=(1, 2)) if chosen.any() else np.zeros(len(period)))
    return np.stack([*figures, figures[0] + figures[1]], axis=1)


def _measure(
    config: TrainConfig, source: Source, unlabelled: np.ndarray, candidates: Sequence[Parameters]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns period and sd, each (candidates, crops, flips), and the target, (crops,)."""
    known = [
        jax.device_get(source.validation(source.arrays, index))
        for index in range(-(-source.validation_images // config.validation.batch_size))
    ]
    image, target = (
        np.concatenate([getattr(batch, name) for batch in known])[: source.validation_images]
        for name in ("image", "target")
    )
    target = np.concatenate([target, np.full(len(unlabelled), np.nan)])
    views = Source(
        arrays=jnp.concatenate([image, unlabelled]),
        train=source.train,
        validation=lambda arrays, index: _flipped(arrays, index, config.validation.batch_size),
        validation_images=_FLIPS * len(target),
    )
    validate = steps.make_validation(config, views)
    found = [jax.device_get(validate(parameters, views.arrays)) for parameters in candidates]
    shape = (len(candidates), len(target), _FLIPS)
    period, sd = (
        np.stack([getattr(one, name) for one in found]).astype(np.float64).reshape(shape)
        for name in ("period", "sd")
    )
    return period, sd, target.astype(np.float64)


def _flipped(frames: jax.Array, index: Any, size: int) -> Batch:
    """Returns a batch of the frames, each of them four times in a row: as it is and flipped."""
    at = index * size + jnp.arange(size)
    image = frames[at // _FLIPS % len(frames)]
    for axis, flip in ((1, at % 2 == 1), (2, at // 2 % 2 == 1)):
        image = jnp.where(flip[:, None, None], jnp.flip(image, axis), image)
    return Batch(image=image, mask=jnp.ones(image.shape, bool), target=jnp.zeros(size))


def _path(workdir: pathlib.Path, epoch: int) -> pathlib.Path:
    return workdir / "candidates" / f"epoch_{epoch:04d}.safetensors"


def _write(
    path: pathlib.Path,
    names: Sequence[str],
    epochs: Sequence[int | None],
    table: np.ndarray,
    best: int,
) -> None:
    with whole_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for i, (name, epoch, figures) in enumerate(zip(names, epochs, table, strict=True)):
            writer.writerow([name, epoch, *map(float, figures), "yes" if i == best else ""])
