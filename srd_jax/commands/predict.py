"""`srd predict`: measures crops of grana."""

import argparse
import collections
import pathlib
import sys
from collections.abc import Sequence

import rich.console
from rich.text import Text

from srd_jax.commands import arguments
from srd_jax.imaging import annotations
from srd_jax.imaging.crop import OVERLAY_ENDING, common_root, find_images
from srd_jax.measuring import methods, table
from srd_jax.measuring.measure_files import measure_files
from srd_jax.measuring.measurement import BATCH_SIZE, Method
from srd_jax.measuring.overlays import write_overlay
from srd_jax.measuring.result import Limits, Result
from srd_jax.support.errors import InputError
from srd_jax.support.files import check_writable
from srd_jax.support.terminal import print_line, track


def add(commands) -> None:
    """Adds the command."""
    text = "measure crops of grana: images, or folders of them with their subfolders"
    one = commands.add_parser("predict", help=text, description=text)
    one.add_argument("paths", nargs="+", metavar="PATH", help="image or folder")
    one.add_argument(
        "--method",
        choices=methods.METHODS,
        help="default: combined, that is the network and autocorrelation; the network alone where "
        "its weights give no sd",
    )
    one.add_argument(
        "--weights",
        type=arguments.weights_path,
        metavar="FILE|DIR",
        help=arguments.WEIGHTS_HELP,
    )
    one.add_argument(
        "--px-per-nm", type=arguments.positive, metavar="X", help="scale of all images"
    )
    one.add_argument("--out", default="results.csv", metavar="CSV", help="default: %(default)s")
    one.add_argument("--overlay", metavar="DIR", help="folder for pictures of the result")
    one.add_argument("--annotations", metavar="CSV", help="known periods, to compare with")
    one.add_argument(
        "--auto-rotate",
        action="store_true",
        help="turn each crop first so that its lamellae, where their direction is clear, run "
        "horizontally",
    )
    one.add_argument(
        "--batch-size",
        type=arguments.count,
        default=BATCH_SIZE,
        metavar="N",
        help="crops measured at once, default: %(default)s",
    )
    arguments.add_network_options(one)
    one.set_defaults(command=_predict)


def _predict(options: argparse.Namespace) -> int:
    network = options.method is None or options.method in methods.WITH_NETWORK
    if options.weights is not None and not network:
        raise InputError(
            f"--weights {options.weights}: found with --method {options.method}; "
            f"accepted with --method {' and '.join(methods.WITH_NETWORK)} only"
        )
    arguments.check_network_options(options, network)
    limits = arguments.limits(options)
    paths = find_images(options.paths)
    truth = {} if options.annotations is None else _truth(options.annotations, paths)
    _check_targets(options, paths)
    # Smaller batches than asked for where there are fewer crops: padding costs time.
    size = min(options.batch_size, len(paths))
    method = methods.make(options.method, options.weights, size, options.tta)
    found: list[Result] = []
    try:
        _measure(method, paths, options, limits, found)
    except BaseException:  # what is measured is kept, whatever stops the rest
        if found:
            table.write_csv(options.out, found)
        kept = f"the first {len(found)} are in {options.out}" if found else "nothing is written"
        print(f"{len(found)} of {len(paths)} files done; {kept}", file=sys.stderr)
        raise
    table.write_csv(options.out, found)
    console = rich.console.Console()
    table.print_table(console, found, truth)
    overlays = f", overlays in {options.overlay}" if options.overlay else ""
    line = f"{table.summary(found)}; results in {options.out}{overlays}"
    # By rich, which ends quietly where the reader of a pipe has closed it.
    print_line(console, Text(line))
    return (
        arguments.SOME_FAILED if any(one.status == "error" for one in found) else arguments.ALL_READ
    )


def _truth(path: str, files: Sequence[pathlib.Path]) -> dict[str, float]:
    """Returns the known periods of the files, px of the crop, by name.

    Raises:
      InputError: they can't be read, none is of these files, or two files share a name.
    """
    counts = collections.Counter(file.name for file in files)
    periods = annotations.read_periods(path)
    known = {name: period for name, period in periods.items() if name in counts}
    if not known:
        raise InputError(
            f"{path}: holds the period of none of the {len(files)} images; accepted are images "
            f"named as in its column granum_image, the first of yours is {files[0].name}"
        )
    for name in known:
        if counts[name] > 1:
            raise InputError(
                f"{path}: tells images by their names, but {counts[name]} of yours are named "
                f"{name}; accepted is one of each name"
            )
    return known


def _check_targets(options: argparse.Namespace, paths: Sequence[pathlib.Path]) -> None:
    """Checks that results can be written, and replace nothing that is read.

    Raises:
      InputError: a target can't be written, or is an input.
    """
    inputs = [*paths, *filter(None, (options.weights, options.annotations))]
    arguments.check_target(options.out, inputs)
    if options.overlay is None:
        return
    folder = pathlib.Path(options.overlay)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--overlay {folder}: is a file; accepted is a folder")
    check_writable(folder / f"crop{OVERLAY_ENDING}")


def _measure(
    method: Method,
    paths: Sequence[pathlib.Path],
    options: argparse.Namespace,
    limits: Limits,
    found: list[Result],
) -> None:
    """Appends a result a file, and writes overlays, behind a progress bar."""
    overlay = None if options.overlay is None else pathlib.Path(options.overlay)
    measured = measure_files(
        method,
        paths,
        options.px_per_nm,
        limits,
        with_attention=overlay is not None,
        auto_rotate=options.auto_rotate,
    )
    root = common_root(paths)
    for one in track(measured, "measuring", len(paths)):
        if overlay is not None:
            write_overlay(overlay, root, one, method.geometry)
        found.append(one.result)
