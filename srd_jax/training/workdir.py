"""Names the files in a run's workdir, and checks that a workdir belongs to the run."""

import json
import pathlib
import time
from typing import TypeVar

from srd_jax.support.cluster import distributed
from srd_jax.support.errors import InputError
from srd_jax.support.fields import differences, from_dict, to_json
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

    Of several processes, the first checks, and all must have its config.

    Raises:
      InputError: it isn't writable, it holds such a run, or a process has another config.
    """
    texts = distributed.exchange(to_json(config))
    for number, text in enumerate(texts):
        if text != texts[0]:
            first, other = (from_dict(type(config), json.loads(one)) for one in (texts[0], text))
            raise InputError(
                f"process {number} has another config than process 0 "
                f"({'; '.join(differences(first, other))} there); accepted: the same flags for all"
            )
    if not distributed.is_first():
        return
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


def write_start(config: RunConfig, workdir: pathlib.Path, digest: str) -> None:
    """Writes config.json and, if the examples have a digest, data.json for `check_data`.

    Raises:
      InputError: they cannot be written, or another process doesn't see them.
    """
    if distributed.is_first():
        write_text(workdir / CONFIG, to_json(config))
        if digest:
            write_text(workdir / DATA, json.dumps({"sha256": digest}) + "\n")
    distributed.exchange(None)
    if False in (seen := distributed.exchange((workdir / CONFIG).exists())):
        raise InputError(
            f"{workdir}/{CONFIG}: process {seen.index(False)} doesn't see what process 0 wrote; "
            "accepted: a workdir in a file system that all processes share"
        )


class Clock:
    """Adds up the seconds of a run over all of its starts, in time.json."""

    def __init__(self, workdir: pathlib.Path):
        """Continues from the seconds in the file, if there is one."""
        self._path = workdir / TIME
        before = read_json(self._path)["seconds"] if self._path.exists() else 0.0
        self._began = time.perf_counter() - before

    def write(self) -> None:
        """Writes the seconds so far, in process 0."""
        if not distributed.is_first():
            return
        seconds = round(time.perf_counter() - self._began, 1)
        write_text(self._path, json.dumps({"seconds": seconds}) + "\n")
