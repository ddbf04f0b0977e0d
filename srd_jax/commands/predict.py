"""`srd predict`: measures crops of grana."""

import argparse
import itertools
import pathlib
import sys
from collections.abc import Sequence

import rich.console
from rich.text import Text

from srd_jax.commands import arguments
from srd_jax.imaging.folders import OVERLAY_ENDING, common_root
from srd_jax.measuring import methods, table
from srd_jax.measuring.measure_files import measure_files
from srd_jax.measuring.measurement import Method
from srd_jax.measuring.overlays import write_overlay
from srd_jax.measuring.result import Limits, Result
from srd_jax.support.errors import InputError
from srd_jax.support.terminal import print_line, track


def add(commands) -> None:
    """Adds the command."""
    text = "measure crops of grana: images, or folders of them with their subfolders"
    one = arguments.add_command(commands, "predict", text, _predict)
    one.add_argument("paths", nargs="+", metavar="PATH", help="image or folder")
    one.add_argument(
        "--method",
        choices=methods.METHODS,
        help="default: combined, that is the network and autocorrelation; the network alone where "
        "its weights give no sd",
    )
    arguments.add_weights(one)
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
    arguments.add_batch_size(one)
    arguments.add_network_options(one)


def _predict(options: argparse.Namespace) -> int:
    network = options.method is None or options.method in methods.WITH_NETWORK
    if options.weights is not None and not network:
        raise InputError(
            f"--weights {options.weights}: found with --method {options.method}; "
            f"accepted with --method {' and '.join(methods.WITH_NETWORK)} only"
        )
    arguments.check_network_options(options, network)
    limits = arguments.limits(options)
    images = arguments.images(options.paths)
    paths = images.images
    truth = {}
    if options.annotations is not None:
        truth = arguments.known_periods(options.annotations, paths)
    _check_targets(options, paths)
    # No larger batch than there are crops, as padding costs time.
    size = min(options.batch_size, len(paths))
    method = methods.make(options.method, options.weights, size, options.tta)
    found: list[Result] = []
    try:
        _measure(method, paths, options, limits, found)
    except BaseException:  # whatever stops the rest, finished results are kept
        if found:
            table.write_csv(options.out, found)
        done = len({one.file for one in found})
        kept = f"the first {done} are in {options.out}" if found else "nothing is written"
        print(f"{done} of {len(paths)} files done; {kept}", file=sys.stderr)
        raise
    table.write_csv(options.out, found)
    console = rich.console.Console()
    table.print_table(console, found, truth)
    overlays = f", overlays in {options.overlay}" if options.overlay else ""
    line = f"{table.summary(found)}; results in {options.out}{overlays}"
    # By rich, which ends quietly if the reader of a pipe closes it.
    print_line(console, Text(line))
    failed = images.unread or any(one.status == "error" for one in found)
    return arguments.SOME_FAILED if failed else arguments.ALL_READ


def _check_targets(options: argparse.Namespace, paths: Sequence[pathlib.Path]) -> None:
    """Checks that the results can be written and replace no input.

    Raises:
      InputError: they can't, or would.
    """
    inputs = [*paths, *filter(None, (options.weights, options.annotations))]
    arguments.check_target(options.out, inputs)
    if options.overlay is not None:
        arguments.check_folder("--overlay", pathlib.Path(options.overlay), OVERLAY_ENDING)


def _measure(
    method: Method,
    paths: Sequence[pathlib.Path],
    options: argparse.Namespace,
    limits: Limits,
    found: list[Result],
) -> None:
    """Measures the files: appends their results to `found`, and writes overlays."""
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
    files = itertools.groupby(measured, lambda one: one.result.file)
    for _, grana in track(files, "measuring", len(paths)):
        for one in grana:
            if overlay is not None:
                write_overlay(overlay, root, one, method.geometry)
            found.append(one.result)
