"""`srd predict`: measures crops of grana."""

import argparse
import itertools
import pathlib
import sys
from collections.abc import Mapping, Sequence

import rich.console
from rich.text import Text

from srd_jax.commands import arguments, saving
from srd_jax.imaging.folders import OVERLAY_ENDING, common_root
from srd_jax.measuring import methods, table
from srd_jax.measuring.measure_files import Measured, measure_files
from srd_jax.measuring.measurement import Method
from srd_jax.measuring.result import Limits, Result
from srd_jax.support import process
from srd_jax.support.errors import InputError, one_line, unexpected
from srd_jax.support.terminal import print_line, track


def run(options: argparse.Namespace) -> int:
    """Runs the command and returns the exit status."""
    network = options.method is None or options.method in methods.WITH_NETWORK
    if options.weights is not None and not network:
        raise InputError(
            f"--weights {options.weights}: found with --method {options.method}; "
            f"accepted with --method {' and '.join(methods.WITH_NETWORK)} only"
        )
    if options.overlay_attention and not (network and options.overlay is not None):
        raise InputError(
            "--overlay-attention: accepted with --overlay DIR, and with --method "
            f"{' and '.join(methods.WITH_NETWORK)} only"
        )
    arguments.check_network_options(options, network)
    limits = arguments.limits(options)
    images = arguments.images(options.paths)
    paths = images.images
    known = {}
    if options.annotations is not None:
        known = arguments.known(options.annotations, paths)
    _check_targets(options, paths)
    # No larger batch than there are crops, as padding costs time.
    size = min(options.batch_size, len(paths))
    method = methods.make(options.method, options.weights, size, options.tta)
    scales = {path: one.px_per_nm for path, one in known.items() if one.px_per_nm is not None}
    found: list[Result] = []
    try:
        undrawn = _measure(method, paths, options, limits, scales, found)
    except BaseException:  # whatever stops the rest, finished results are kept
        place = saving.write(options.out, found)[0] if found else ""
        done = len({one.file for one in found})
        kept = f"the first {done} are in {place}" if place else "nothing is written"
        print(f"{done} of {len(paths)} files done; {kept}", file=sys.stderr)
        raise
    place, as_asked = saving.write(options.out, found)
    truth = {str(path): one.period_px for path, one in known.items() if one.period_px is not None}
    # Standard output holds nothing but the CSV then.
    console = rich.console.Console(stderr=place == saving.STANDARD_OUTPUT)
    table.print_table(console, found, truth, table.TABLE_ROWS if place else len(found))
    overlays = f", overlays in {options.overlay}" if options.overlay else ""
    line = f"{table.summary(found)}; results in {place or 'this table only'}{overlays}"
    # By rich, which ends quietly if the reader of a pipe closes it.
    print_line(console, Text(line))
    _say_what_had_no_effect(options, found, undrawn)
    if not as_asked:
        return process.USAGE
    failed = undrawn or images.unread or any(one.status == "error" for one in found)
    return process.SOME_FAILED if failed else process.ALL_READ


def _say_what_had_no_effect(
    options: argparse.Namespace, found: Sequence[Result], undrawn: Sequence[str]
) -> None:
    """Tells on stderr of overlays that could not be written, and of limits without a scale."""
    if undrawn:
        print(
            f"{len(undrawn)} of {len(found)} overlays are missing, the first: {undrawn[0]}",
            file=sys.stderr,
        )
    measured = [one for one in found if one.status != "error"]
    if measured and all(one.px_per_nm is None for one in measured):
        for flag, value in (("--period-nm", options.period_nm), ("--max-sd-nm", options.max_sd_nm)):
            if value is not None:
                print(
                    f"{flag} has no effect: the scale of no image is known; --px-per-nm gives it",
                    file=sys.stderr,
                )


def _check_targets(options: argparse.Namespace, paths: Sequence[pathlib.Path]) -> None:
    """Checks that the results can be written and replace no input.

    Raises:
      InputError: they can't, or would.
    """
    inputs = [*paths, *filter(None, (options.weights, options.annotations))]
    saving.check(options.out, inputs)
    if options.overlay is not None:
        arguments.check_folder("--overlay", pathlib.Path(options.overlay), OVERLAY_ENDING)


def _measure(
    method: Method,
    paths: Sequence[pathlib.Path],
    options: argparse.Namespace,
    limits: Limits,
    scales: Mapping[pathlib.Path, float],
    found: list[Result],
) -> list[str]:
    """Measures the files: appends their results to `found`, and writes overlays.

    Returns:
      For each overlay that could not be written, the reason.
    """
    overlay = None if options.overlay is None else pathlib.Path(options.overlay)
    measured = measure_files(
        method,
        paths,
        options.px_per_nm,
        limits,
        with_attention=options.overlay_attention,
        auto_rotate=options.auto_rotate,
        scales=None if options.px_per_nm else scales,
    )
    root = common_root(paths)
    undrawn = []
    files = itertools.groupby(measured, lambda one: one.result.file)
    for _, grana in track(files, "measuring", len(paths)):
        for one in grana:
            found.append(one.result)
            if overlay is not None:
                undrawn += _draw(overlay, root, one, method)
    return undrawn


def _draw(folder: pathlib.Path, root: pathlib.Path, one: Measured, method: Method) -> list[str]:
    """Writes an overlay; returns why it could not be written."""
    from srd_jax.measuring.overlays import write_overlay  # late, as Matplotlib takes its time

    try:
        write_overlay(folder, root, one, method.geometry)
    except InputError as error:
        return [one_line(error)]
    except (OSError, MemoryError) as error:
        return [f"{one.result.file}: {unexpected(error)}"]
    return []
