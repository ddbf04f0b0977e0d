"""What `srd analyse` does with each micrograph, and its options that numbers depend on."""

import argparse
import dataclasses
import functools
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from srd_jax.analysis.output import corrections, records
from srd_jax.analysis.output.names import output_names
from srd_jax.analysis.output.run import Plan
from srd_jax.commands.micrographs import detectors, scale
from srd_jax.imaging.micrographs.masks import read_labels
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.imaging.micrographs.reading import read
from srd_jax.support.errors import InputError
from srd_jax.support.version import __version__


def make(
    options: argparse.Namespace,
    paths: Sequence[pathlib.Path],
    excluded: Mapping[pathlib.Path, tuple[int, ...]],
) -> tuple[Plan, dict[str, str]]:
    """Returns how micrographs are analysed, and what a report tells about it.

    Args:
      options: of the command line.
      paths: micrographs.
      excluded: sorted numbers of the grana that are left out, by file.

    Raises:
      InputError: an option contradicts another one, or weights can't be loaded.
    """
    detectors.check(options)
    read, stated = _reader(options, paths)
    detector = detectors.load(options)
    threshold = options.threshold or detector.threshold
    period, sha256 = _method()
    masks = _masks(options, paths)
    fixed = {
        "srd_jax": __version__,
        **detector.about,
        "threshold": threshold,
        "period weights": sha256,
    }

    def made(path: pathlib.Path) -> dict[str, Any]:
        mask = masks.get(path)
        drawn = {"mask": None if mask is None else records.sha256(mask)}
        return records.identity(path, {**fixed, **stated(path), **drawn}, _beside(path))

    def analyse(micrograph: Micrograph):
        from srd_jax.analysis.pipeline import analyse_micrograph

        labels, mask = None, masks.get(pathlib.Path(micrograph.name))
        if mask is not None:
            rows, columns = micrograph.grey.shape
            labels, notes = read_labels(mask, (rows, columns), micrograph.strips)
            micrograph = dataclasses.replace(micrograph, notes=(*micrograph.notes, *notes))
        return analyse_micrograph(micrograph, detector.detect, period(), threshold, masks=labels)

    origin = {name: str(value) for name, value in fixed.items()}
    return Plan(read, analyse, made, excluded), origin


def identity(options: argparse.Namespace, origin: Mapping[str, str]) -> dict[str, Any]:
    """Returns the options that results of a whole command depend on, as plain values by name.

    Args:
      options: of the command line.
      origin: from `make`.

    Raises:
      InputError: a table can't be read any more.
    """
    found: dict[str, Any] = dict(origin)
    for name in ("px_per_nm", "nm_per_px", "bar_nm"):
        found[name] = getattr(options, name)
    found["exclude"] = sorted(options.exclude)
    found["masks"] = "given" if options.masks else None
    for name in ("scales", "groups"):
        table = getattr(options, name)
        try:
            found[name] = None if table is None else records.sha256(pathlib.Path(table))
        except OSError as error:
            raise InputError(f"{table}: cannot be read ({error.strerror})") from error
    return found


def _beside(path: pathlib.Path) -> list[pathlib.Path]:
    """Returns the text files from which the scale of a micrograph may be read."""
    return [path.with_name(f"{path.stem}.{ending}") for ending in ("txt", "TXT")]


def _reader(
    options: argparse.Namespace, paths: Sequence[pathlib.Path]
) -> tuple[Callable[[pathlib.Path], Micrograph], Callable[[pathlib.Path], dict[str, Any]]]:
    """Returns the function that reads a micrograph, and that of the options which it depends on."""
    scales = scale.options_of(options, paths)

    def stated(path: pathlib.Path) -> dict[str, Any]:
        row = scales.table.get(path)
        return {"px_per_nm": row or scales.px_per_nm, "bar_nm": scales.bar_nm}

    return functools.partial(read, options=scales), stated


def _masks(
    options: argparse.Namespace, paths: Sequence[pathlib.Path]
) -> dict[pathlib.Path, pathlib.Path]:
    """Returns the files that hold the grana of micrographs.

    Raises:
      InputError: there are none, or several for one micrograph.
    """
    if options.masks is None:
        return {}
    folder, names = corrections.check(options.masks), output_names(paths)
    # Also by the stem alone, where no other micrograph has it.
    stems = [path.stem for path in paths]
    found = {}
    for path in paths:
        known = [names[path]] + [path.stem] * (stems.count(path.stem) == 1)
        if (mask := corrections.corrected_file(folder, known)) is not None:
            found[path] = mask
    if not found:
        raise InputError(
            f"--masks {options.masks}: names none of the {len(paths)} micrographs; accepted is "
            f"{names[paths[0]]}.tif for the first of them"
        )
    return found


def _method() -> tuple[Callable[[], Any], str]:
    """Returns a function that loads the method of the period once, and its weights' digest."""
    from srd_jax.measuring import methods
    from srd_jax.tasks.period import weights

    return functools.cache(methods.make), records.sha256(weights.RELEASED)
