"""`srd predict`: measures crops of grana."""

import argparse
import contextlib
import dataclasses
import importlib.util
import pathlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import rich.console
from rich.text import Text

from srd_jax.commands import arguments, saving
from srd_jax.commands.crops import resuming, running
from srd_jax.commands.shards import tables
from srd_jax.commands.shards.shard import Shard
from srd_jax.imaging.folders import OVERLAY_ENDING
from srd_jax.measuring import WITH_NETWORK, table
from srd_jax.measuring.measurement import Method
from srd_jax.measuring.result import Limits, Result
from srd_jax.support import process
from srd_jax.support.errors import InputError
from srd_jax.support.terminal import print_line
from srd_jax.support.version import __version__

if TYPE_CHECKING:
    from distributed import Client  # of an extra


def run(options: argparse.Namespace) -> int:
    """Runs the command and returns the exit status."""
    network = options.method is None or options.method in WITH_NETWORK
    if options.weights is not None and not network:
        raise InputError(
            f"--weights {options.weights}: found with --method {options.method}; "
            f"accepted with --method {' and '.join(WITH_NETWORK)} only"
        )
    if options.overlay_attention and not (network and options.overlay is not None):
        raise InputError(
            "--overlay-attention: accepted with --overlay DIR, and with --method "
            f"{' and '.join(WITH_NETWORK)} only"
        )
    arguments.check_network_options(options, network)
    _check_dask(options)
    limits = arguments.limits(options)
    _choose_out(options)
    images = arguments.images(options.paths)
    known = {}
    if options.annotations is not None:
        known = arguments.known(options.annotations, images.images)
    paths = images.images if options.shard is None else options.shard.of(images.images)
    _check_targets(options, images.images)
    method = _method(options, network, len(paths))
    scales = {path: one.px_per_nm for path, one in known.items() if one.px_per_nm is not None}
    fixed = _identity(method, options, limits)
    out = None if saving.to_standard_output(options.out) else options.out
    with _cluster(options) as cluster, resuming.opened(out, fixed, scales) as kept:
        job = running.Run(method, images.images, paths, options, limits, scales, cluster)
        found, undrawn = running.measured(job, kept)
        place, as_asked = saving.write(options.out, found)
        if options.shard is not None and as_asked:
            tables.describe(options.out, options.shard, images.images, fixed, paths, found)
        if as_asked:
            kept.done()
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


def _choose_out(options: argparse.Namespace) -> None:
    """Names the table where --out doesn't.

    Raises:
      InputError: a part of the files has no file of its own.
    """
    part: Shard | None = options.shard
    if options.out is None:
        suffix = "" if part is None else f"-{part.number}-of-{part.count}"
        options.out = f"results{suffix}.csv"
    elif part is not None and not resuming.is_of_files(pathlib.Path(options.out)):
        raise InputError(f"--out {options.out}: isn't a file; accepted with --shard is a file")
    elif part is not None and saving.to_standard_output(options.out):
        raise InputError(f"--out {options.out}: found with --shard; accepted is a file")


def _check_dask(options: argparse.Namespace) -> None:
    """Checks what --dask needs.

    Raises:
      InputError: another option goes without it only, or its package is missing.
    """
    if options.dask is None:
        return
    for flag, given in (("--overlay", options.overlay), ("--workers", options.workers)):
        if given is not None:
            raise InputError(f"{flag} {given}: found with --dask; accepted without it only")
    if importlib.util.find_spec("distributed") is None:
        raise InputError(
            "--dask: the package distributed isn't installed; accepted is to install the extra "
            "dask: pip install 'srd-jax[dask]'"
        )


def _cluster(options: argparse.Namespace) -> "contextlib.AbstractContextManager[Client | None]":
    """Returns the cluster that measures, for a block; None without --dask."""
    if options.dask is None:
        return contextlib.nullcontext()
    from srd_jax.commands.crops import dask_cluster

    return dask_cluster.connected(options.dask)


def _method(options: argparse.Namespace, network: bool, crops: int) -> Method:
    """Returns the method that options choose.

    Raises:
      InputError: its weights can't be loaded.
    """
    from srd_jax.measuring import methods  # late, as JAX takes its time

    if options.dask is not None and network:
        import jax

        jax.config.update("jax_platforms", "cpu")  # a GPU's memory is the workers'
    # No larger batch than there are crops, as padding costs time.
    size = min(options.batch_size, crops)
    return methods.make(options.method, options.weights, size, options.tta)


def _identity(method: Method, options: argparse.Namespace, limits: Limits) -> dict[str, Any]:
    """Returns all options that results and overlays depend on, as plain values by name."""
    overlay = None if options.overlay is None else str(pathlib.Path(options.overlay).resolve())
    return {
        "srd_jax": __version__,
        "method": options.method or type(method).__name__.lower(),
        "weights": method.digest,
        "tta": options.tta,
        "px_per_nm": options.px_per_nm,
        "limits": dataclasses.asdict(limits),
        "auto_rotate": options.auto_rotate,
        "overlay": overlay,
        "overlay_attention": options.overlay_attention,
    }


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
