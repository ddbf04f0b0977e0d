"""Keeps the parameters of some epochs as candidates, and chooses one at the end of a run.

A run that holds nothing out has no validation score to choose by. So its task scores the candidates
and the average of their parameters, and the lowest score is chosen. docs/methods.md says how, in
"Choosing among candidates".
"""

import pathlib
from collections.abc import Sequence

import jax
import numpy as np

from srd_jax.networks.parameters import Parameters
from srd_jax.support.cluster import distributed
from srd_jax.support.errors import InputError
from srd_jax.support.files import write_table
from srd_jax.training import weights
from srd_jax.training.config import EndConfig, RunConfig
from srd_jax.training.metrics import training_costs
from srd_jax.training.task import MetricsRow, Task
from srd_jax.training.workdir import CANDIDATES, CANDIDATES_TABLE

_AVERAGE = "average"


def check(config: RunConfig, task: Task) -> None:
    """Checks that the task can compare candidates, if the config asks for any.

    Raises:
      InputError: it can't.
    """
    if config.end.keeps and task.compare is None:
        raise InputError(
            "config.end keeps candidates, but this task cannot compare them; "
            "accepted: no keep_epochs and keep_minima 0"
        )


def kept_epochs(rows: Sequence[MetricsRow], end: EndConfig, task: Task) -> list[int]:
    """Returns the epochs whose parameters are candidates so far, in rising order.

    They are `end.keep_epochs`, and the `end.keep_minima` best local optima of the smoothed training
    score. A local optimum is the best within `end.smoothing_epochs` to either side, as far as the
    run has come. An epoch that is dropped never becomes a candidate again, so its file can go.

    Args:
      rows: all metrics rows so far.
      end: of the run's config.
      task: of the run.
    """
    costs = training_costs(rows, task.shown, end.smoothing_epochs)
    reach = end.smoothing_epochs
    minima = [
        epoch
        for epoch in range(1, len(costs) + 1)
        if epoch - 1 == _lowest(costs, max(0, epoch - 1 - reach), epoch + reach)
    ]
    deepest = sorted(minima, key=lambda epoch: costs[epoch - 1])[: end.keep_minima]
    always = [epoch for epoch in end.keep_epochs if epoch <= len(costs)]
    return sorted({*always, *deepest})


def _lowest(costs: np.ndarray, first: int, end: int) -> int:
    return first + int(np.argmin(costs[first:end]))


def keep(
    config: RunConfig,
    workdir: pathlib.Path,
    task: Task,
    average: Parameters,
    rows: Sequence[MetricsRow],
) -> None:
    """Saves the averaged parameters if their epoch is a candidate, and deletes dropped candidates.

    Of several processes, the first does.

    Args:
      config: of the run.
      workdir: of the run; the files lie in its folder `candidates`.
      task: of the run.
      average: averaged parameters.
      rows: metrics rows so far, the last one at the end of an epoch; none before the first step.

    Raises:
      InputError: a file cannot be written.
    """
    if not distributed.is_first():
        return
    kept = [_path(workdir, epoch) for epoch in kept_epochs(rows, config.end, task)]
    now = _path(workdir, round(rows[-1]["epoch"]) if rows else 0)
    if now in kept:
        parameters = jax.device_get(dict(average))
        origin = {"run": config.name, "candidate": now.stem}
        weights.save(now, weights.Weights(parameters, task.about, origin))
    for path in now.parent.glob("epoch_*.safetensors"):
        if path not in kept:
            path.unlink()


def choose(
    config: RunConfig, workdir: pathlib.Path, task: Task, rows: Sequence[MetricsRow]
) -> tuple[dict[str, np.ndarray], int | None]:
    """Returns the best candidate's parameters and its epoch, and writes candidates.csv.

    Args:
      config: of the run.
      workdir: of the run.
      task: of the run; its `compare` isn't None.
      rows: all metrics rows.

    Returns:
      Parameters by name, and their epoch, which is None for the average of the candidates.

    Raises:
      InputError: a candidate's file is missing or damaged, or the table cannot be written.
    """
    epochs = kept_epochs(rows, config.end, task)
    kept = [weights.load(_path(workdir, epoch)).parameters for epoch in epochs]
    if not kept:
        raise InputError(
            f"{workdir}: no candidate was kept; accepted: config.end.keep_epochs or "
            "config.end.keep_minima within the epochs of the run"
        )
    mean = {name: np.mean([c[name] for c in kept], axis=0) for name in kept[0]}
    found, epoch_of = [*kept, mean], [*epochs, None]
    best = distributed.from_first(lambda: _best(workdir, task, found, epoch_of))
    return found[best], epoch_of[best]


def _best(
    workdir: pathlib.Path,
    task: Task,
    found: Sequence[Parameters],
    epoch_of: Sequence[int | None],
) -> int:
    """Returns the index of the best candidate, and writes candidates.csv."""
    assert task.compare is not None
    table = task.compare(found)
    best = int(np.argmin([*table.values()][-1]))
    names = [_AVERAGE if epoch is None else _path(workdir, epoch).stem for epoch in epoch_of]
    write_table(
        workdir / CANDIDATES / CANDIDATES_TABLE,
        ("name", "epoch", *table, "chosen"),
        (
            [names[i], epoch_of[i], *(float(column[i]) for column in table.values()), chosen]
            for i, chosen in enumerate("yes" if i == best else "" for i in range(len(found)))
        ),
        digits=None,
    )
    return best


def _path(workdir: pathlib.Path, epoch: int) -> pathlib.Path:
    return workdir / CANDIDATES / f"epoch_{epoch:04d}.safetensors"
