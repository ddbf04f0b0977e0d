"""Saves and restores checkpoints of a training run with orbax.

A checkpoint holds everything that resuming and prediction need. Its arrays are the parameters,
their average and the optimiser's state. Its metadata are JSON: the config, the task's `about`, the
package versions, the metrics rows so far and the arrays' checksums.
Orbax writes a checkpoint under a temporary name and renames it when it is whole. The last few
checkpoints and the best one are kept.
"""

import asyncio
import contextlib
import dataclasses
import hashlib
import json
import pathlib
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from orbax.checkpoint.checkpoint_managers import preservation_policy

from srd_jax.support.cluster import distributed
from srd_jax.support.errors import InputError, one_line
from srd_jax.training.config import RunConfig
from srd_jax.training.provenance import versions
from srd_jax.training.task import MetricsRow, Task, TrainState
from srd_jax.training.workdir import CHECKPOINTS

_ITEMS = ("parameters", "average", "optimizer")


@dataclasses.dataclass(frozen=True)
class Loaded:
    """The parameters of a checkpoint.

    Attributes:
      parameters: by name, on the host.
      step: of the checkpoint.
      metadata: JSON with config, about, versions, …; checkpoints of older versions, which had one
        task only, have no `about`.
    """

    parameters: dict[str, np.ndarray]
    step: int
    metadata: dict[str, Any]


def manager(workdir: pathlib.Path, keep: int = 1, read_only: bool = False) -> ocp.CheckpointManager:
    """Returns orbax's manager of a workdir's checkpoints, which keeps the last few and the best.

    Args:
      workdir: of the run.
      keep: number of last checkpoints that are kept.
      read_only: whether nothing in the folder is changed.

    Raises:
      InputError: a checkpoint's metrics, which tell the best one, cannot be read.
    """
    folder = (workdir / CHECKPOINTS).absolute()
    for path in folder.glob("*/metrics/metrics"):
        try:
            json.loads(path.read_bytes())
        except ValueError as error:
            raise _damaged(path.parents[1], error) from None
    keep_latest = preservation_policy.LatestN(keep)
    keep_best = preservation_policy.BestN(
        get_metric_fn=_merit, n=1, keep_checkpoints_without_metrics=False
    )
    return ocp.CheckpointManager(
        folder,
        options=ocp.CheckpointManagerOptions(
            preservation_policy=preservation_policy.AnyPreservationPolicy([keep_latest, keep_best]),
            best_fn=_merit,
            best_mode="max",
            enable_async_checkpointing=False,
            create=not read_only,
            read_only=read_only,
            cleanup_tmp_directories=not read_only,
        ),
    )


def _merit(metrics: dict[str, float]) -> float:
    (cost,) = metrics.values()
    return -cost


def save(
    checkpoints: ocp.CheckpointManager,
    state: TrainState,
    config: RunConfig,
    task: Task,
    rows: list[MetricsRow],
) -> None:
    """Saves a checkpoint; the task's validation score in the last row, if there is one, ranks it.

    All processes call it, and orbax writes each array once.

    Args:
      checkpoints: from `manager`.
      state: of the training.
      config: of the run.
      task: of the run.
      rows: metrics rows so far.

    Raises:
      InputError: it cannot be written, or the processes' parameters differ.
    """
    last, column = rows[-1] if rows else {}, task.rank.validation
    cost = {f"cost of {column}": task.rank.cost(last[column])} if column in last else None
    items = {name: getattr(state, name) for name in _ITEMS}
    digests = {name: sha256(item) for name, item in items.items()}
    # Every device updates parameters of its own; machines of different kinds might round otherwise.
    for name, digest in digests.items():
        distributed.check_alike(f"the SHA-256 of {name} at step {int(state.step)}", digest)
    metadata = {
        "config": dataclasses.asdict(config),
        "about": task.about,
        "versions": versions(),
        "sha256": digests,
        "rows": rows,
    }
    arguments = {name: ocp.args.StandardSave(item) for name, item in items.items()}
    try:
        with _patient_loops():
            checkpoints.save(
                int(state.step),
                args=ocp.args.Composite(metadata=ocp.args.JsonSave(metadata), **arguments),
                metrics=cost,
                force=True,
            )
    except (OSError, ValueError) as error:  # tensorstore raises ValueError, for a full disk too
        raise InputError(
            f"{checkpoints.directory}/{int(state.step)}: cannot be written "
            f"({one_line(error)[:200]}); give a workdir in a writable folder with room on its disk"
        ) from error


def restore(
    checkpoints: ocp.CheckpointManager, step: int, like: TrainState
) -> tuple[TrainState, list[MetricsRow]]:
    """Returns the state and the metrics rows of a checkpoint.

    Args:
      checkpoints: from `manager`.
      step: of the checkpoint.
      like: a state with the structure, shapes and placement on devices to be restored.

    Raises:
      InputError: the checkpoint is damaged or of another network.
    """
    found = _read(checkpoints, step, {name: getattr(like, name) for name in _ITEMS})
    state = TrainState(step=jax.numpy.int32(step), **{name: found[name] for name in _ITEMS})
    return state, found["metadata"]["rows"]


def _read(checkpoints: ocp.CheckpointManager, step: int, like: dict[str, Any]) -> dict[str, Any]:
    """Returns a checkpoint's metadata and its items named in `like`.

    Raises:
      InputError: an item is missing or differs from what was saved.
    """
    arguments = {name: ocp.args.StandardRestore(item) for name, item in like.items()}
    try:
        with _patient_loops():
            found = checkpoints.restore(
                step, args=ocp.args.Composite(metadata=ocp.args.JsonRestore(), **arguments)
            )
        # Orbax checks its indices by checksums, but not large arrays.
        for name in like:
            if sha256(found[name]) != found["metadata"]["sha256"][name]:
                raise ValueError(f"{name} isn't what was saved")
    except Exception as error:  # no narrower class holds what orbax raises for damaged files
        raise _damaged(pathlib.Path(checkpoints.directory) / str(step), error) from error
    return dict(found.items())


def sha256(tree: Any) -> str:
    """Returns the SHA-256 of a tree's arrays, in the tree's order, in hexadecimal digits."""
    digest = hashlib.sha256()
    for leaf in jax.tree.leaves(jax.device_get(tree)):
        digest.update(np.asarray(leaf).tobytes())
    return digest.hexdigest()


class _PatientLoop(asyncio.SelectorEventLoop):
    """An event loop that finishes its tasks before it closes."""

    def close(self) -> None:
        """Waits for the unfinished tasks, and closes."""
        if not self.is_closed() and (tasks := asyncio.all_tasks(self)):
            self.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        super().close()


@contextlib.contextmanager
def _patient_loops() -> Iterator[None]:
    """Makes orbax run in patient event loops.

    After an error, orbax closes its loop while reads and writes still run. Each of them would then
    print a traceback from another thread.
    """
    before = asyncio.new_event_loop
    asyncio.new_event_loop = _PatientLoop
    try:
        yield
    finally:
        asyncio.new_event_loop = before


def _damaged(folder: pathlib.Path, error: Exception) -> InputError:
    return InputError(
        f"{folder}: cannot be restored ({one_line(error)[:200]}); "
        "delete this folder to go on from the checkpoint before it"
    )


def load_parameters(workdir: pathlib.Path, kind: str = "averaged", which: str = "best") -> Loaded:
    """Returns the parameters of a workdir's best or last checkpoint.

    Args:
      workdir: of a training run.
      kind: "averaged", or "last" for the parameters as the optimiser left them.
      which: "best" or "last"; without any validation the last checkpoint is the best one.

    Raises:
      InputError: there is no checkpoint, or it is damaged.
    """
    if not (workdir / CHECKPOINTS).is_dir():
        raise InputError(f"{workdir}: holds no checkpoints; accepted: the workdir of a run")
    with manager(workdir, read_only=True) as checkpoints:
        step = checkpoints.best_step() if which == "best" else None
        step = checkpoints.latest_step() if step is None else step
        if step is None:
            raise InputError(f"{workdir}/{CHECKPOINTS}: holds no whole checkpoint")
        name = "average" if kind == "averaged" else "parameters"
        found = _read(checkpoints, step, {name: _saved(checkpoints, step, name)})
    return Loaded(jax.device_get(found[name]), step, found["metadata"])


def _saved(
    checkpoints: ocp.CheckpointManager, step: int, name: str
) -> dict[str, jax.ShapeDtypeStruct]:
    """Returns the saved shapes and types of a checkpoint's item, placed on this process."""
    device = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
    folder = checkpoints.directory / str(step)
    try:
        saved: Any = ocp.StandardCheckpointHandler().metadata(folder / name)
        return {
            parameter: jax.ShapeDtypeStruct(one.shape, one.dtype, sharding=device)
            for parameter, one in saved.items()
        }
    except Exception as error:  # no narrower class holds what orbax raises for damaged files
        raise _damaged(pathlib.Path(folder), error) from error
