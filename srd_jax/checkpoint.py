"""Checkpoints of a training run (orbax): everything needed to go on or to predict.

A checkpoint holds the parameters, their average, the optimiser's state and the step, and as JSON
the config, the geometry, the package versions and the metrics rows so far. Orbax writes it under a
temporary name and renames it when it is whole; the last few and the best are kept.
"""

import dataclasses
import importlib.metadata
import pathlib

import jax
import numpy as np
import orbax.checkpoint as ocp
from orbax.checkpoint.checkpoint_managers import preservation_policy

import srd_jax
from srd_jax.config import TrainConfig, from_dict
from srd_jax.errors import InputError, one_line
from srd_jax.model import parameter_shapes
from srd_jax.steps import TrainState
from srd_jax.weights import check_shapes

PACKAGES = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy")


def manager(workdir: pathlib.Path, keep: int = 1, read_only: bool = False) -> ocp.CheckpointManager:
    """Returns orbax's manager of a workdir's checkpoints: the last `keep` and the best are kept."""
    keep_latest = preservation_policy.LatestN(keep)
    keep_best = preservation_policy.BestN(
        get_metric_fn=_score, n=1, keep_checkpoints_without_metrics=False
    )
    return ocp.CheckpointManager(
        (workdir / "checkpoints").absolute(),
        options=ocp.CheckpointManagerOptions(
            preservation_policy=preservation_policy.AnyPreservationPolicy([keep_latest, keep_best]),
            best_fn=_score,
            best_mode="max",
            enable_async_checkpointing=False,
            create=not read_only,
            read_only=read_only,
            cleanup_tmp_directories=not read_only,
        ),
    )


def _score(metrics: dict[str, float]) -> float:
    return -metrics["val_mae"]


def save(
    checkpoints: ocp.CheckpointManager,
    state: TrainState,
    config: TrainConfig,
    rows: list[dict[str, float]],
) -> None:
    """Saves a checkpoint; its rank among the best is the last row's val_mae, if it has one.

    Args:
      checkpoints: from `manager`.
      state: of the training.
      config: of the run.
      rows: metrics rows so far.
    """
    last = rows[-1] if rows else {}
    checkpoints.save(
        int(state.step),
        args=ocp.args.Composite(
            parameters=ocp.args.StandardSave(state.parameters),
            average=ocp.args.StandardSave(state.average),
            optimizer=ocp.args.StandardSave(state.optimizer),
            metadata=ocp.args.JsonSave(
                {
                    "config": dataclasses.asdict(config),
                    "geometry": dataclasses.asdict(config.model.geometry),
                    "versions": versions(),
                    "rows": rows,
                }
            ),
        ),
        metrics={"val_mae": last["val_mae"]} if "val_mae" in last else None,
        force=True,
    )


def restore(
    checkpoints: ocp.CheckpointManager, step: int, like: TrainState
) -> tuple[TrainState, list[dict[str, float]]]:
    """Returns the state and the metrics rows of a checkpoint.

    Args:
      checkpoints: from `manager`.
      step: of the checkpoint.
      like: a state of the same structure, shapes and placement on devices.

    Raises:
      InputError: the checkpoint is damaged or another network's.
    """
    item = ocp.args.StandardRestore
    try:
        found = checkpoints.restore(
            step,
            args=ocp.args.Composite(
                parameters=item(like.parameters),
                average=item(like.average),
                optimizer=item(like.optimizer),
                metadata=ocp.args.JsonRestore(),
            ),
        )
    except (ValueError, OSError, KeyError) as error:
        raise _damaged(checkpoints, step, error) from error
    state = TrainState(
        step=jax.numpy.int32(step),
        parameters=found["parameters"],
        average=found["average"],
        optimizer=found["optimizer"],
    )
    return state, found["metadata"]["rows"]


def _damaged(checkpoints: ocp.CheckpointManager, step: int, error: Exception) -> InputError:
    return InputError(
        f"{checkpoints.directory}/{step}: cannot be restored ({one_line(error)[:200]}); "
        "delete this folder to go on from the checkpoint before it"
    )


def load_parameters(
    workdir: pathlib.Path, kind: str = "averaged"
) -> tuple[dict[str, np.ndarray], TrainConfig, int]:
    """Returns parameters of a workdir's best checkpoint, its config and its step.

    Args:
      workdir: of a training run.
      kind: averaged or last (as the optimiser left them).

    Raises:
      InputError: there is no whole checkpoint.
    """
    if not (workdir / "checkpoints").is_dir():
        raise InputError(f"{workdir}: holds no checkpoints; accepted: the workdir of a run")
    with manager(workdir, read_only=True) as checkpoints:
        step = checkpoints.best_step()
        step = checkpoints.latest_step() if step is None else step
        if step is None:
            raise InputError(f"{workdir}/checkpoints: holds no whole checkpoint")
        name = "average" if kind == "averaged" else "parameters"
        try:
            found = checkpoints.restore(
                step, args=ocp.args.Composite(metadata=ocp.args.JsonRestore())
            )
            config = from_dict(TrainConfig, found["metadata"]["config"])
            shapes = parameter_shapes(config.model)
            like = {
                parameter: jax.ShapeDtypeStruct(
                    shape, np.float32, sharding=jax.sharding.SingleDeviceSharding(jax.devices()[0])
                )
                for parameter, shape in shapes.items()
            }
            found = checkpoints.restore(
                step, args=ocp.args.Composite(**{name: ocp.args.StandardRestore(like)})
            )
        except (ValueError, OSError, KeyError) as error:
            raise _damaged(checkpoints, step, error) from error
    return jax.device_get(found[name]), config, step


def transferred(
    found: dict[str, np.ndarray], expected: dict[str, tuple[int, ...]], source: str
) -> dict[str, np.ndarray]:
    """Returns the parameters that a stage starts from, matched by name and shape.

    Raises:
      InputError: a parameter is missing, extra or of another shape; all are named.
    """
    check_shapes({name: value.shape for name, value in found.items()}, expected, source)
    return {name: found[name] for name in expected}


def versions() -> dict[str, str]:
    """Returns the versions of the packages that a result depends on."""
    packages = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"srd-jax": srd_jax.__version__, **packages}
