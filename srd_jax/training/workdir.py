"""Names the files in a run's workdir, and checks that a workdir belongs to the run."""

import json
import pathlib
import time
from typing import TypeVar

from srd_jax.support.errors import InputError
from srd_jax.support.fields import differences, from_dict
from srd_jax.support.files import check_writable, read_json, write_text
from srd_jax.training.config import RunConfig

CONFIG = "config.json"
METRICS = "metrics.csv"
DATA = "data.json"
START = "start.json"
SUMMARY = "summary.json"
TIME = "time.json"
WEIGHTS = "weights.safetensors"
CURVES = "curves.png"
EVENTS = "events"
CHECKPOINTS = "checkpoints"
CANDIDATES = "candidates"
CANDIDATES_TABLE = "candidates.csv"
FIGURES = "attention"
PICTURES = "pictures"

_Config = TypeVar("_Config", bound=RunConfig)


def read_config(path: pathlib.Path, kind: type[_Config]) -> _Config:
    """Reads the config.json of a run.

    Args:
      path: of the file.
      kind: the config's type. A file of an older version, which lacks the field `kind`, is read as
        this type.

    Raises:
      InputError: the file cannot be read, or isn't of that type.
    """
    content = read_json(path)
    try:
        if isinstance(content, dict):
            content = {"kind": kind.kind} | content
        return from_dict(kind, content)
    except InputError as error:
        raise InputError(f"{path}: not the config of a run ({error})") from None


def check_workdir(config: RunConfig, workdir: pathlib.Path) -> None:
    """Checks that a workdir is writable and holds no run of another config.

    Raises:
      InputError: it isn't writable, or it holds such a run.
    """
    path = workdir / CONFIG
    if not path.exists():
        check_writable(path)
        return
    found = read_config(path, type(config))
    if lines := differences(config, found):
        raise InputError(
            f"{workdir}: holds a run of another config ({'; '.join(lines)} there); "
            "accepted: the same config, or another --workdir"
        )


def check_data(workdir: pathlib.Path, digest: str) -> None:
    """Checks that a resumed run has the examples that it was started with.

    Args:
      workdir: of the run.
      digest: of the present examples.

    Raises:
      InputError: the examples differ.
    """
    path = workdir / DATA
    if path.exists() and read_json(path) != {"sha256": digest}:
        raise InputError(
            f"{workdir}: holds a run on other examples than there are now (see {DATA} there); "
            "accepted: the same images with the same truth in the same order, or another --workdir"
        )


def write_data(workdir: pathlib.Path, digest: str) -> None:
    """Writes the digest of a run's examples for `check_data`; drawn examples have none."""
    if digest:
        write_text(workdir / DATA, json.dumps({"sha256": digest}) + "\n")


class Clock:
    """Adds up the seconds of a run over all of its starts, in time.json."""

    def __init__(self, workdir: pathlib.Path):
        """Continues from the seconds in the file, if there is one."""
        self._path = workdir / TIME
        before = read_json(self._path)["seconds"] if self._path.exists() else 0.0
        self._began = time.perf_counter() - before

    def write(self) -> None:
        """Writes the seconds so far."""
        seconds = round(time.perf_counter() - self._began, 1)
        write_text(self._path, json.dumps({"seconds": seconds}) + "\n")
