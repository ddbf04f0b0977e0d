"""Known grana of micrographs, shown beside the measured ones."""

import argparse
import dataclasses
import pathlib
from collections.abc import Mapping, Sequence

import rich.console

from srd_jax.analysis.output import records
from srd_jax.analysis.output.folder import Folder
from srd_jax.analysis.output.quantities import with_excluded
from srd_jax.analysis.output.run import Done
from srd_jax.evaluation.micrographs.truth import Annotated
from srd_jax.support.errors import InputError, one_line
from srd_jax.support.terminal import printable


def read(
    options: argparse.Namespace, paths: Sequence[pathlib.Path]
) -> tuple[dict[pathlib.Path, Annotated], list[str]]:
    """Returns the known grana by micrograph, and lines about annotations that can't be read.

    Raises:
      InputError: the folder can't be read, or annotates none of the micrographs.
    """
    if options.annotations is None:
        return {}, []
    # Late, as it takes its time to load.
    from srd_jax.evaluation.micrographs.annotations import folder

    found, bad = folder.read(pathlib.Path(options.annotations))
    known = {path.resolve(): annotated for path, annotated in found}
    chosen = {path: known[path.resolve()] for path in paths if path.resolve() in known}
    if not chosen:
        raise InputError(
            f"--annotations {options.annotations}: annotates none of the {len(paths)} micrographs; "
            f"accepted: a folder that holds {paths[0].name} and its annotations"
        )
    return chosen, [printable(line) for line in bad]


def show(
    console: rich.console.Console,
    folder: Folder,
    done: Mapping[pathlib.Path, Done],
    known: Mapping[pathlib.Path, Annotated],
) -> list[str]:
    """Prints the known grana of micrographs with the measured ones beside.

    Args:
      console: to print on.
      folder: of the analysis, whose records have the outlines.
      done: micrographs that are done.
      known: their known grana.

    Returns:
      Lines about annotations that don't fit their micrograph.
    """
    from srd_jax.evaluation.micrographs import comparison, tables

    compared, bad = [], []
    for path, annotated in known.items():
        record = records.read(folder.record(done[path].name))
        assert record is not None  # it was written last
        analysis = with_excluded(record.analysis, record.excluded or ())
        named = dataclasses.replace(annotated, name=path.name)
        try:
            compared.append(comparison.compare(comparison.in_picture(named, analysis), analysis))
        except InputError as error:
            bad.append(printable(one_line(error)))
    if compared:
        tables.show_beside(console, compared)
    return bad
