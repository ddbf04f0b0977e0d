"""Measures the crops of a command: each file's results are kept as soon as they are there."""

import argparse
import dataclasses
import pathlib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from srd_jax.commands import saving
from srd_jax.commands.crops.resuming import Resuming
from srd_jax.commands.parsers.predict import MOST_PROCESSES, WORTH_PROCESSES
from srd_jax.imaging.folders import common_root
from srd_jax.measuring.measure_files import Measured, measure_files
from srd_jax.measuring.measurement import Method
from srd_jax.measuring.result import Limits, Result
from srd_jax.support import parallel
from srd_jax.support.errors import InputError, one_line, unexpected
from srd_jax.support.terminal import track

if TYPE_CHECKING:
    from distributed import Client  # of an extra


@dataclasses.dataclass(frozen=True)
class Run:
    """What is measured and how.

    Attributes:
      method: that measures.
      every: files of the whole command.
      paths: files of this part.
      options: of the command line.
      limits: of status ok.
      scales: of annotations, by file.
      cluster: whose workers measure; None for this process.
    """

    method: Method
    every: Sequence[pathlib.Path]
    paths: Sequence[pathlib.Path]
    options: argparse.Namespace
    limits: Limits
    scales: Mapping[pathlib.Path, float]
    cluster: "Client | None" = None


def measured(run: Run, kept: Resuming) -> tuple[list[Result], list[str]]:
    """Returns the results of all files, in order, and why overlays are missing.

    Whatever stops it, finished results are written.
    """
    done: dict[pathlib.Path, Sequence[Result]] = {}
    try:
        undrawn = _measure(run, kept, done)
    except BaseException:
        results = _in_order(run, done)
        place = saving.write(run.options.out, results)[0] if results else ""
        where = f"their results are in {place}" if place else "nothing is written"
        again = "; the same command goes on from there" if kept.keeps and done else ""
        print(f"{len(done)} of {len(run.paths)} files done; {where}{again}", file=sys.stderr)
        raise
    return _in_order(run, done), undrawn


def _in_order(run: Run, done: Mapping[pathlib.Path, Sequence[Result]]) -> list[Result]:
    return [one for path in run.paths for one in done.get(path, ())]


def _measure(run: Run, kept: Resuming, done: dict[pathlib.Path, Sequence[Result]]) -> list[str]:
    """Measures the files that no earlier run has: puts their results into `done`, draws overlays.

    Returns:
      For each overlay that could not be written, the reason.
    """
    options, root = run.options, common_root(run.every)
    overlay = None if options.overlay is None else pathlib.Path(options.overlay)

    def is_whole(results: Sequence[Result]) -> bool:
        return overlay is None or _drawn(overlay, root, results)

    done.update(kept.kept(run.paths, is_whole))
    left = [path for path in run.paths if path not in done]
    found = _measured(run, kept.noted(left), len(left))
    undrawn = []
    for grana in track(_files(found), "measuring", len(left)):
        path = pathlib.Path(grana[0].result.file)
        missing = []
        if overlay is not None:
            for one in grana:
                missing += _draw(overlay, root, one, run.method)
        done[path] = [one.result for one in grana]
        if not missing:
            kept.add(path, done[path])
        undrawn += missing
    return undrawn


def _measured(run: Run, paths: Iterable[pathlib.Path], files: int) -> Iterator[Measured]:
    """Yields the grana of files, those of a file together.

    Args:
      run: what is measured and how.
      paths: of the files that are left.
      files: number of them.
    """
    options = run.options
    scales = {} if options.px_per_nm else run.scales
    if run.cluster is not None:
        from srd_jax.commands.crops import dask_cluster

        work = dask_cluster.work(run.method, options, run.limits)
        given = ((path, scales.get(path)) for path in paths)
        return dask_cluster.measured(run.cluster, work, given)
    return measure_files(
        run.method,
        paths,
        options.px_per_nm,
        run.limits,
        with_attention=options.overlay_attention,
        auto_rotate=options.auto_rotate,
        scales=scales,
        workers=_processes(options.workers, files),
    )


def _processes(given: int | None, files: int) -> int:
    """Returns how many processes read the files."""
    if given is not None:
        return given
    return min(parallel.cores(), MOST_PROCESSES) if files >= WORTH_PROCESSES else 0


def _files(measured: Iterator[Measured]) -> Iterator[list[Measured]]:
    """Yields the grana of each file as soon as the last of them is measured."""
    grana = []
    for one in measured:
        grana.append(one)
        if one.last:
            yield grana
            grana = []


def _drawn(folder: pathlib.Path, root: pathlib.Path, results: Sequence[Result]) -> bool:
    """Returns whether the overlays of results are there."""
    from srd_jax.measuring.overlays import overlay_path  # late, as Matplotlib takes its time

    return all(overlay_path(folder, root, one).is_file() for one in results)


def _draw(folder: pathlib.Path, root: pathlib.Path, one: Measured, method: Method) -> list[str]:
    """Writes an overlay; returns why it could not be written."""
    from srd_jax.measuring.overlays import write_overlay

    try:
        write_overlay(folder, root, one, method.geometry)
    except InputError as error:
        return [one_line(error)]
    except (OSError, MemoryError) as error:
        return [f"{one.result.file}: {unexpected(error)}"]
    return []
