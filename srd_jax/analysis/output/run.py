"""Analyses files one by one into a folder, and goes on where an earlier run was stopped."""

import dataclasses
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from srd_jax.analysis.granum import Analysis
from srd_jax.analysis.output import labels, outlines, records
from srd_jax.analysis.output.folder import Folder
from srd_jax.analysis.output.names import output_names
from srd_jax.analysis.output.quantities import with_excluded
from srd_jax.analysis.output.records import Record
from srd_jax.analysis.report import annotated, granum_picture
from srd_jax.imaging.crop import Crop
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.support.errors import InputError, reason, unexpected

_Numbers = tuple[int, ...]


class Analysed(Protocol):
    """The result of the pipeline for one micrograph."""

    @property
    def analysis(self) -> Analysis:
        """Its numbers."""
        ...

    @property
    def crops(self) -> Mapping[int, Crop]:
        """Grana that have a direction, cut out and turned, by number."""
        ...


@dataclasses.dataclass(frozen=True)
class Plan:
    """How micrographs are analysed.

    Attributes:
      read: reads a micrograph, or raises InputError.
      analyse: analyses it, or raises InputError.
      made: returns the identity of a file and of its options, see `records.identity`, or raises
        OSError.
      excluded: sorted numbers of the grana that are left out, by file.
    """

    read: Callable[[pathlib.Path], Micrograph]
    analyse: Callable[[Micrograph], Analysed]
    made: Callable[[pathlib.Path], dict[str, Any]]
    excluded: Mapping[pathlib.Path, _Numbers] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Done:
    """A micrograph that is done.

    Attributes:
      analysis: its result, with excluded grana marked; without outlines, which are in its files.
      name: of its files.
      reused: whether an earlier run has analysed it.
      changed: what differs from an earlier analysis that was thrown away; empty for none.
      undrawn: why pictures of it are missing.
    """

    analysis: Analysis
    name: str
    reused: bool = False
    changed: Sequence[str] = ()
    undrawn: Sequence[str] = ()


def analyse_files(
    paths: Sequence[pathlib.Path],
    folder: Folder,
    plan: Plan,
    names: Mapping[pathlib.Path, str] | None = None,
) -> Iterator[Done]:
    """Analyses files in order; a bad file gives a result with its error.

    The record of a file is written after its other files, so what has one is complete. Errors are
    tried again by the next run.

    Args:
      paths: of different files.
      folder: for records, label images, outlines and pictures.
      plan: how they are analysed.
      names: of their outputs; None for the usual ones.

    Raises:
      InputError: a file can't be written.
    """
    names = names or output_names(paths)
    for path in paths:
        done = _done(path, names[path], folder, plan)
        bare = [dataclasses.replace(granum, outline=()) for granum in done.analysis.grana]
        analysis = dataclasses.replace(done.analysis, file=str(path), grana=tuple(bare))
        yield dataclasses.replace(done, analysis=analysis)


def _done(path: pathlib.Path, name: str, folder: Folder, plan: Plan) -> Done:
    """Analyses a file, or takes what an earlier run has found."""
    excluded = plan.excluded.get(path, ())
    old = records.read(folder.record(name))
    try:
        made = plan.made(path)
    except OSError as error:
        return _failed(path, name, folder, f"cannot be read ({error.strerror})")
    changed = [] if old is None or old.analysis.error else records.changed(old.made, made)
    if old is None or old.analysis.error or changed or not _complete(folder, name, old.analysis):
        return dataclasses.replace(_analysed(path, name, folder, plan, made), changed=changed)
    if old.excluded != excluded:
        return _redrawn(path, name, folder, plan, old)
    return Done(with_excluded(old.analysis, excluded), name, reused=True)


def _complete(folder: Folder, name: str, analysis: Analysis) -> bool:
    return all(file.is_file() for file in folder.files(name, analysis))


def _failed(path: pathlib.Path, name: str, folder: Folder, why: str) -> Done:
    folder.clear(name)
    analysis = Analysis(str(path), error=why)
    records.write(folder.record(name), Record({}, (), analysis))
    return Done(analysis, name)


def _or_reason(path: pathlib.Path, function: Callable[[], Any]) -> Any:
    """Returns what a function makes of a file, or the reason why it can't."""
    try:
        return function()
    except InputError as error:
        return reason(error, path)  # the name of the file is a column of its own
    except Exception as error:
        return f"could not be analysed ({unexpected(error)})"


def _analysed(
    path: pathlib.Path, name: str, folder: Folder, plan: Plan, made: dict[str, Any]
) -> Done:
    """Analyses a file and writes all that belongs to it."""

    def result() -> tuple[Micrograph, Analysed]:
        micrograph = plan.read(path)
        return micrograph, plan.analyse(micrograph)

    found = _or_reason(path, result)
    if isinstance(found, str):
        return _failed(path, name, folder, found)
    micrograph, analysed = found
    analysis = records.finite(analysed.analysis)
    if analysis.error:
        return _failed(path, name, folder, analysis.error)
    folder.clear(name)
    excluded = plan.excluded.get(path, ())
    labels.write(folder.labels(name), analysis)
    undrawn = []
    for granum in analysis.grana:
        picture = folder.granum(name, granum.number)
        crop = analysed.crops.get(granum.number)
        undrawn += granum_picture.write(picture, micrograph, analysis, granum, crop)
    shown = with_excluded(analysis, excluded)
    undrawn += _draw(name, folder, micrograph, shown)
    records.write(folder.record(name), Record(made, excluded, analysis))
    return Done(shown, name, undrawn=undrawn)


def _redrawn(path: pathlib.Path, name: str, folder: Folder, plan: Plan, old: Record) -> Done:
    """Writes anew what shows which grana are left out."""
    micrograph = _or_reason(path, lambda: plan.read(path))
    if isinstance(micrograph, str):
        return _failed(path, name, folder, micrograph)
    excluded = plan.excluded.get(path, ())
    shown = with_excluded(old.analysis, excluded)
    # While they are written they show neither.
    records.write(folder.record(name), dataclasses.replace(old, excluded=None))
    undrawn = _draw(name, folder, micrograph, shown)
    records.write(folder.record(name), dataclasses.replace(old, excluded=excluded))
    return Done(shown, name, reused=True, undrawn=undrawn)


def _draw(name: str, folder: Folder, micrograph: Micrograph, shown: Analysis) -> list[str]:
    """Writes outlines and the annotated picture; returns why the picture is missing."""
    outlines.write_rois(folder.rois(name), shown)
    outlines.write_geojson(folder.geojson(name), shown)
    return annotated.write(folder.annotated(name), micrograph, shown)
