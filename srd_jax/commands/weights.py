"""`srd weights`: prints where weights come from."""

import argparse
import dataclasses
import hashlib
import json
import pathlib
from collections.abc import Iterator
from typing import Any

from srd_jax.support import process
from srd_jax.tasks.grana import weights as micrographs
from srd_jax.tasks.period import weights as period
from srd_jax.tasks.surfaces import weights as surfaces
from srd_jax.training import weights

_NUMBERS = ("seed", "step", "images", "file", "sha256")

_Found = period.PeriodWeights | micrographs.MicrographWeights | surfaces.SurfacesWeights
_TASKS = {micrographs.TASK: micrographs.load, surfaces.TASK: surfaces.load}


def run(options: argparse.Namespace) -> int:
    """Runs the command and returns the exit status."""
    path = weights.file_of(options.weights or period.RELEASED)
    task = weights.load(path).about.get("task")
    found = _TASKS.get(str(task), period.load)(path)
    if options.json:
        # A NaN in a config is an unknown number, null in JSON.
        known = json.loads(json.dumps(found.origin), parse_constant=lambda _: None)
        print(json.dumps(known, indent=2, allow_nan=False))
    else:
        print("\n".join(_lines(path, found)))
    return process.ALL_READ


def _lines(path: pathlib.Path, found: _Found) -> Iterator[str]:
    """Yields lines about weights and their runs, from the last run to the first."""
    content = path.read_bytes()
    count = sum(value.size for value in found.parameters.values())
    fitted = dataclasses.asdict(found.calibration)
    yield str(path)
    yield f"  {count:,} weights in {len(content):,} bytes"
    yield f"  sha256 {hashlib.sha256(content).hexdigest()}"
    yield "  calibration: " + ", ".join(f"{k} {v:.4g}" for k, v in fitted.items())
    run = found.origin
    while run:
        yield from _run_lines(run)
        run = run.get("start")


def _run_lines(run: dict[str, Any]) -> Iterator[str]:
    named = ", ".join(f"{name} {run[name]}" for name in _NUMBERS if name in run)
    yield f"{run.get('run', 'imported')}: {named}"
    if config := run.get("config"):
        yield (
            f"  data: {_data(config)}, batches of {config['batch_size']}; {_loss(config['loss'])}; "
            f"{config['optimizer']['name']}, rate {config['optimizer']['learning_rate']:g}"
        )
    if "val_mae" in run:
        yield f"  validation: MAE {run['val_mae']:.3g} px of the frame, loss {run['val_loss']:.3g}"
    if "val_iou" in run:
        yield (
            f"  validation: IoU {run['val_iou']:.3g}, median errors of direction "
            f"{run['val_direction_deg']:.2g} degrees and period {run['val_period_percent']:.2g} %"
        )
    if "val_accuracy" in run:
        yield (
            f"  validation: {100 * run['val_accuracy']:.3g} % right kinds, median errors of cell "
            f"{run['val_cell_percent']:.2g} %, axis {run['val_axis_deg']:.2g} degrees and turn "
            f"{run['val_turn_deg']:.2g} degrees"
        )
    if versions := run.get("versions"):
        packages = ", ".join(f"{name} {version}" for name, version in versions.items())
        yield f"  code: commit {run.get('commit') or 'unknown'}; {packages}"


def _data(config: dict[str, Any]) -> str:
    """Returns the images of a run's config in words."""
    if config.get("kind") == micrographs.TASK:
        return f"drawn micrographs, tiles of {config['size']}x{config['size']}"
    if config.get("kind") == surfaces.TASK:
        return f"drawn cubic membranes, pictures of {config['size']}x{config['size']}"
    rows, columns = config["frame"]
    return f"{config['source']['kind']}, frames of {rows}x{columns}"


def _loss(loss: dict[str, Any]) -> str:
    return f"loss {next(loss[name] for name in ('name', 'granum', 'pose') if name in loss)}"
