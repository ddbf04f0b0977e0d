"""`srd evaluate-grana`: compares the grana found on micrographs with known ones."""

import argparse
import functools
import pathlib
import sys
from collections.abc import Callable, Iterable

import rich.console
from rich.text import Text

from srd_jax.analysis.granum import Analysis
from srd_jax.commands.micrographs import detectors
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.imaging.micrographs.reading import read
from srd_jax.support import process
from srd_jax.support.errors import InputError
from srd_jax.support.files import check_writable
from srd_jax.support.terminal import print_line, printable, track


def run(options: argparse.Namespace) -> int:
    """Runs the command and returns the exit status."""
    _check(options)
    # Late, as what they need takes its time to load.
    from srd_jax.evaluation.micrographs import report, run, tables

    folder = pathlib.Path(options.out)
    for name in report.FILES:
        check_writable(folder / name)
    items, count, bad, source = _items(options)
    analyse = _analyser(options)
    for line in bad:
        print(printable(line), file=sys.stderr)
    compared, shown = run.evaluate(track(items, "analysing", count), analyse, options.iou)
    for one in compared:
        if one.error:
            print(printable(one.error), file=sys.stderr)
    about = report.About(source, options.detector, options.iou, bad)
    console = rich.console.Console()
    # Before the files, which a full disk may refuse.
    tables.show(console, compared)
    report.write(folder, about, compared, shown)
    line = f"{count} micrographs of {source}; report in {folder / 'report.html'}"
    print_line(console, Text(line))
    failed = bad or any(one.error for one in compared)
    return process.SOME_FAILED if failed else process.ALL_READ


def _check(options: argparse.Namespace) -> None:
    """Checks that the arguments fit together.

    Raises:
      InputError: they don't.
    """
    if (options.folder is None) == (options.generated is None):
        found = "neither" if options.folder is None else "both"
        raise InputError(f"found {found} of FOLDER and --generated; accepted is one of them")
    if options.seed is not None and options.generated is None:
        raise InputError(f"--seed {options.seed}: is accepted with --generated only")
    if options.px_per_nm is not None and options.folder is None:
        raise InputError(f"--px-per-nm {options.px_per_nm:g}: is accepted with a FOLDER only")
    detectors.check(options)


def _items(options: argparse.Namespace) -> tuple[Iterable, int, list[str], str]:
    """Returns micrographs with their truth, their number, bad annotations, and the source."""
    if options.generated is not None:
        from srd_jax.evaluation.micrographs import generated

        seed = options.seed or 0
        drawn = generated.drawn(seed, options.generated)
        return drawn, options.generated, [], f"{generated.SOURCE} (seed {seed})"
    from srd_jax.evaluation.micrographs.annotations import folder

    found, bad = folder.read(pathlib.Path(options.folder))
    items = (
        (functools.partial(read, path, options.px_per_nm or truth.px_per_nm), truth)
        for path, truth in found
    )
    return items, len(found), bad, printable(options.folder)


def _analyser(options: argparse.Namespace) -> Callable[[Micrograph], Analysis]:
    """Returns the function that analyses a micrograph.

    Raises:
      InputError: the weights can't be loaded.
    """
    from srd_jax.analysis.pipeline import analyse_micrograph
    from srd_jax.measuring import methods

    detector, method = detectors.load(options), methods.make()

    def analyse(micrograph: Micrograph) -> Analysis:
        return analyse_micrograph(micrograph, detector.detect, method, detector.threshold).analysis

    return analyse
