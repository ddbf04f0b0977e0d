"""`srd surfaces map`: the domains of cubic membranes on micrographs."""

import argparse
import functools
import pathlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

from srd_jax.commands import arguments
from srd_jax.commands.micrographs import scale
from srd_jax.commands.surfaces import asking
from srd_jax.imaging.micrographs.finding import find_micrographs
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.imaging.micrographs.reading import read
from srd_jax.support import process
from srd_jax.support.errors import InputError, reason, unexpected
from srd_jax.support.files import check_writable, whole_file, write_table
from srd_jax.support.terminal import track
from srd_jax.synthetic.surfaces.names import KINDS

DOMAINS, WINDOWS = "domains.csv", "windows.csv"
_KEPT = 20  # windows from one time that their table is written to the next


def run(options: argparse.Namespace) -> int:
    """Runs the command and returns the exit status."""
    images = arguments.images(options.paths, find_micrographs)
    root = pathlib.Path(options.out)
    _check(options, root)
    scales = scale.options_of(options, images.images)
    # Late, as JAX takes its time to load.
    from srd_jax.analysis.output.names import output_names
    from srd_jax.analysis.surfaces.output import map as drawing

    network, names = asking.network(options), output_names(images.images)
    domains, fitted, failed = [], [], images.unread
    for path in images.images:
        try:
            micrograph = read(path, options=scales)
            keep = functools.partial(_write_windows, root, fitted, str(path))
            answers, found, nm_per_px = _mapped(micrograph, options, network, keep)
            above = micrograph.strips[0]
            drawn = drawing.picture(micrograph.grey, answers, found, nm_per_px, above)
        except Exception as error:
            given = isinstance(error, InputError)
            why = reason(error, path) if given else f"could not be mapped ({unexpected(error)})"
            print(f"{path}: {why}", file=sys.stderr)
            failed = True
            continue
        picture = root / f"{names[path]}_domains.png"
        with whole_file(picture) as temporary:
            temporary.write_bytes(drawn)
        domains += drawing.rows(str(path), found, nm_per_px)
        fitted.extend((str(path), one) for one in answers)
        write_table(root / DOMAINS, list(drawing.COLUMNS), domains)
        shown = sum(len(one.windows) for one in found)
        print(f"{path}: {len(found)} domains on {shown} of {len(answers)} windows, in {picture}")
    if fitted:
        print(f"tables in {root / DOMAINS} and {root / WINDOWS}")
    return process.SOME_FAILED if failed else process.ALL_READ


def _check(options: argparse.Namespace, root: pathlib.Path) -> None:
    """Checks the options.

    Raises:
      InputError: they contradict each other, or the results can't be written.
    """
    asking.check_cells(options)
    if root.exists() and not root.is_dir():
        raise InputError(f"--out {root}: is a file; accepted is a folder")
    for name in (DOMAINS, WINDOWS):
        check_writable(root / name)


def _mapped(
    micrograph: Micrograph,
    options: argparse.Namespace,
    network: Any,
    keep: Callable[[list[Any]], None],
) -> tuple[list[Any], list[Any], float | None]:
    """Returns the answers of the windows, the domains, and nm a pixel.

    After some windows, `keep` gets the answers so far.

    Raises:
      InputError: the micrograph is too small, its scale isn't known though --cell-nm is given, or
        --step makes too many windows.
    """
    from srd_jax.analysis.surfaces import domains, region
    from srd_jax.analysis.surfaces.fit import in_px

    whole = region.whole(micrograph)
    grid = domains.windows(whole, options.window, options.step, in_px(whole, options.cell_nm))
    above = micrograph.strips[0]
    boxes = [(x0, y0 + above, x1, y1 + above) for x0, y0, x1, y1 in grid.boxes]
    name = pathlib.Path(micrograph.name).name
    answers = []
    for number, box in track(enumerate(boxes, 1), f"fitting {name}", len(boxes)):
        answers.append(_of_window(micrograph, number, box, options, network))
        if number % _KEPT == 0 or number == len(boxes):
            keep(answers)
    return answers, domains.domains(answers, len(grid.lefts)), whole.nm_per_px


def _of_window(
    micrograph: Micrograph,
    number: int,
    box: tuple[int, int, int, int],
    options: argparse.Namespace,
    network: Any,
) -> Any:
    """Returns the answer of a window, or the reason why there is none."""
    from srd_jax.analysis.surfaces import region
    from srd_jax.analysis.surfaces.answer import failed
    from srd_jax.analysis.surfaces.fit import fit

    name = f"window {number}"
    try:
        part = region.box(micrograph, box, name)
        return fit(part, options.type or KINDS, options.cell_nm, network).answer
    except InputError as error:
        return failed(name, box, reason(error, micrograph.name))
    except Exception as error:
        return failed(name, box, f"could not be fitted ({unexpected(error)})")


def _write_windows(
    root: pathlib.Path, fitted: Sequence[tuple[str, Any]], file: str, answers: Sequence[Any]
) -> None:
    """Writes the windows of finished files and those of the one that is being fitted."""
    from srd_jax.analysis.surfaces.output import table

    write_table(
        root / WINDOWS,
        list(table.COLUMNS),
        table.rows([*fitted, *((file, one) for one in answers)]),
    )
