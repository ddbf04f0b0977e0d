"""`srd surfaces fit`: type, cell, volume fraction and orientation of cubic membranes."""

import argparse
import collections
import functools
import pathlib
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import rich.console
from rich.text import Text

from srd_jax.commands import arguments
from srd_jax.commands.micrographs import scale
from srd_jax.commands.surfaces import asking
from srd_jax.imaging.micrographs.finding import find_micrographs
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.imaging.micrographs.reading import read
from srd_jax.imaging.micrographs.scales import ScaleOptions
from srd_jax.support import process
from srd_jax.support.errors import InputError, reason, unexpected
from srd_jax.support.files import check_writable, whole_file, write_table, write_text
from srd_jax.support.terminal import print_line, track
from srd_jax.support.version import __version__
from srd_jax.synthetic.surfaces.names import KINDS

TABLE, REPORT, PICTURES = "fits.csv", "report.html", "pictures"
_NOWHERE = (0, 0, 0, 0)
_COLOURS = {"ok": "", "low_confidence": "yellow", "error": "red"}


def run(options: argparse.Namespace) -> int:
    """Runs the command and returns the exit status."""
    images = arguments.images(options.paths, find_micrographs)
    paths = images.images
    root = pathlib.Path(options.out)
    _check(options, paths, root)
    scales = scale.options_of(options, paths)
    # Late, as JAX takes its time to load.
    from srd_jax.analysis.output.names import output_names

    network = asking.network(options)
    names, shown, numbers = output_names(paths), [], collections.Counter()
    total = len(paths) * len(options.box or [0])
    try:
        for path, one in track(_fits(paths, options, scales, network), "fitting", total):
            numbers[path] += 1
            if one.picture:
                name = f"{names[path]}_{numbers[path]}.png"
                with whole_file(root / PICTURES / name) as temporary:
                    temporary.write_bytes(one.picture)
            shown.append(one)
    finally:  # whatever stops the rest, finished fits are kept
        if shown:
            _write(root, shown)
    return _finish(root, shown, bool(images.unread))


def _check(options: argparse.Namespace, paths: Sequence[pathlib.Path], root: pathlib.Path) -> None:
    """Checks the options.

    Raises:
      InputError: two contradict each other, or the results can't be written.
    """
    if options.box and options.mask:
        raise InputError("--box, --mask: found both; accepted is one of them")
    asking.check_cells(options)
    if options.mask and len(paths) > 1:
        raise InputError(f"--mask: found with {len(paths)} micrographs; accepted with one")
    if root.exists() and not root.is_dir():
        raise InputError(f"--out {root}: is a file; accepted is a folder")
    if (root / REPORT).exists() and not (root / TABLE).exists():
        raise InputError(
            f"--out {root}: holds another {REPORT}; accepted is a new folder, or that of fits"
        )
    check_writable(root / TABLE)


def _fits(
    paths: Sequence[pathlib.Path],
    options: argparse.Namespace,
    scales: ScaleOptions,
    network: Any,
) -> Iterator[tuple[pathlib.Path, Any]]:
    """Yields the fits of micrographs, in order; an error for one that can't be read."""
    from srd_jax.analysis.surfaces.answer import failed
    from srd_jax.analysis.surfaces.output.report import Shown

    for path in paths:
        try:
            for name, corners, cut in _regions(read(path, options=scales), options):
                yield path, _of_region(str(path), name, corners, cut, options, network)
            continue
        except InputError as error:
            why = reason(error, path)
        except Exception as error:
            why = f"could not be read ({unexpected(error)})"
        yield path, Shown(str(path), failed("", _NOWHERE, why))


def _regions(micrograph: Micrograph, options: argparse.Namespace) -> list[tuple[str, Any, Any]]:
    """Returns name and corners of each region, and a function that cuts it out.

    Raises:
      InputError: the mask can't be read, or doesn't fit the micrograph.
    """
    from srd_jax.analysis.surfaces import region
    from srd_jax.imaging.micrographs.masks import read_labels

    if options.mask:
        rows, columns = micrograph.grey.shape
        labels, _ = read_labels(pathlib.Path(options.mask), (rows, columns), micrograph.strips)
        parts = region.labelled(micrograph, labels)
        return [(one.name, one.box, lambda one=one: one) for one in parts]
    if not options.box:
        return [("whole", _NOWHERE, lambda: region.whole(micrograph))]
    return [
        (name, tuple(box), functools.partial(region.box, micrograph, tuple(box), name))
        for name, box in ((f"box {number}", box) for number, box in enumerate(options.box, 1))
    ]


def _of_region(
    file: str,
    name: str,
    corners: Any,
    cut: Callable[[], Any],
    options: argparse.Namespace,
    network: Any,
) -> Any:
    """Returns the fit of a region with its picture, or the reason why there is none."""
    from srd_jax.analysis.surfaces.answer import failed
    from srd_jax.analysis.surfaces.fit import fit
    from srd_jax.analysis.surfaces.output.report import Shown, picture

    try:
        found = fit(cut(), options.type or KINDS, options.cell_nm, network)
        return Shown(file, found.answer, picture(found))
    except InputError as error:
        return Shown(file, failed(name, corners, reason(error, file)))
    except Exception as error:
        return Shown(file, failed(name, corners, f"could not be fitted ({unexpected(error)})"))


def _write(root: pathlib.Path, shown: Sequence) -> None:
    from srd_jax.analysis.surfaces.output import table
    from srd_jax.analysis.surfaces.output.report import report

    answers = [(one.file, one.answer) for one in shown]
    write_table(root / TABLE, list(table.COLUMNS), table.rows(answers))
    write_text(root / REPORT, report(shown, {"srd_jax": __version__}))


def _finish(root: pathlib.Path, shown: Sequence, unread: bool) -> int:
    """Prints a line for each fit and where the results are; returns the exit status."""
    from srd_jax.analysis.surfaces.fit import sentence

    console = rich.console.Console()
    for one in shown:
        words = [f"{one.file} {one.answer.region}".rstrip(), one.answer.status.replace("_", " ")]
        if one.answer.best is not None:
            words.append(sentence(one.answer))
        words += one.answer.reasons
        print_line(
            console, Text(": ".join([words[0], "; ".join(words[1:])]), _COLOURS[one.answer.status])
        )
    if any(one.answer.best is not None and one.answer.nm_per_px is None for one in shown):
        print("where no scale is known, a is in px; --nm-per-px gives one", file=sys.stderr)
    print_line(console, Text(f"tables in {root / TABLE}, open {root / REPORT}"))
    failed = unread or any(one.answer.status == "error" for one in shown)
    return process.SOME_FAILED if failed else process.ALL_READ
