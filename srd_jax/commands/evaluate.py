"""`srd evaluate`: compares the periods of methods with known ones."""

import argparse
import collections
import pathlib
import sys
from collections.abc import Iterable

import rich.console
from rich.text import Text

from srd_jax.commands import arguments
from srd_jax.evaluation import cases, output, summary
from srd_jax.imaging import dataset
from srd_jax.imaging.annotations import Bad
from srd_jax.measuring import methods
from srd_jax.measuring.combination import Combined
from srd_jax.measuring.measurement import Method
from srd_jax.measuring.methods import COMBINED, NETWORK, WITH_NETWORK
from srd_jax.support import process
from srd_jax.support.errors import InputError, one_line
from srd_jax.support.files import check_writable
from srd_jax.support.terminal import print_line, printable, track
from srd_jax.synthetic.config import GranaConfig
from srd_jax.synthetic.crops import draw_grana
from srd_jax.tasks.period import weights
from srd_jax.training.workdir import WEIGHTS


def run(options: argparse.Namespace) -> int:
    """Runs the command and returns the exit status."""
    _check(options)
    limits = arguments.limits(options)
    folder = pathlib.Path(options.out)
    _check_targets(options, folder)
    compared = _methods(options)
    grana, count, bad, source = _grana(options)
    tracked = track(grana, "measuring", count)
    found, worst = cases.evaluate(tracked, compared, limits=limits)
    found += cases.unread(bad, compared)
    for one in bad:
        print(f"{source}: {one_line(InputError(one))}", file=sys.stderr)
    summaries = summary.summarise(found)
    console = rich.console.Console()
    # Before the files, which a full disk may refuse.
    summary.print_table(console, summaries)
    output.write(folder, source, found, worst, summaries)
    print_line(
        console, Text(f"{count + len(bad)} crops of {source}; report in {folder / 'report.html'}")
    )
    failed = any(case.status == "failed" for case in found)
    return process.SOME_FAILED if failed else process.ALL_READ


def _check(options: argparse.Namespace) -> None:
    """Checks that the arguments fit together.

    Raises:
      InputError: they don't.
    """
    if (options.folder is None) == (options.generated is None):
        found = "neither" if options.folder is None else "both"
        raise InputError(f"found {found} of FOLDER and --generated; accepted is one of them")
    for flag, needs in (("annotations", "folder"), ("seed", "generated")):
        if getattr(options, flag) is not None and getattr(options, needs) is None:
            needed = "a FOLDER" if needs == "folder" else "--generated"
            raise InputError(f"--{flag} {getattr(options, flag)}: is accepted with {needed} only")
    chosen = options.method or methods.METHODS
    network = not set(WITH_NETWORK).isdisjoint(chosen)
    if options.weights and not network:
        raise InputError(
            f"--method {' '.join(chosen)}: without a network, but with --weights; "
            f"accepted are both or neither, the network in {' or '.join(WITH_NETWORK)}"
        )
    arguments.check_network_options(options, network)


def _check_targets(options: argparse.Namespace, folder: pathlib.Path) -> None:
    """Checks that the results can be written and replace no input.

    Raises:
      InputError: they can't, or would.
    """
    inputs = [path for path in (options.annotations, *(options.weights or ())) if path]
    resolved = {pathlib.Path(path).resolve() for path in inputs}
    for name in output.FILES:
        if (folder / name).resolve() in resolved:
            raise InputError(f"--out {folder}: would replace {name}; accepted is another folder")
        check_writable(folder / name)


def _methods(options: argparse.Namespace) -> dict[str, Method]:
    """Returns the methods by name; weights are called by their file, or by path if ambiguous.

    Raises:
      InputError: weights are given twice, can't be read, or lack the sd that combined needs.
    """
    chosen = dict.fromkeys(options.method or methods.METHODS)
    without = chosen.keys().isdisjoint(WITH_NETWORK)
    paths = options.weights or ([] if without else [weights.RELEASED])
    named: dict[str, Method] = {}
    short = collections.Counter([*map(_short, paths), *chosen])
    for path in paths:
        name = _short(path) if short[_short(path)] == 1 else str(path)
        added = _of_weights(printable(name), path, options)
        if not named.keys().isdisjoint(added):
            raise InputError(f"--weights {path}: is given twice; accepted are different ones")
        named |= added
    for name in chosen:
        if name not in WITH_NETWORK:
            named[name] = methods.make(name, batch_size=options.batch_size)
    return named


def _of_weights(name: str, path: pathlib.Path, options: argparse.Namespace) -> dict[str, Method]:
    """Returns the chosen methods with these weights: NAME, and NAME combined."""
    chosen = options.method or methods.METHODS
    if COMBINED not in chosen:
        return {name: methods.make(NETWORK, path, options.batch_size, options.tta)}
    best = methods.make(COMBINED if options.method else None, path, options.batch_size, options.tta)
    if not isinstance(best, Combined):
        return {name: best}
    found: dict[str, Method] = {f"{name} {COMBINED}": best}
    # The same network, so that it is compiled only once.
    return found | {name: best.network} if NETWORK in chosen else found


def _short(path: pathlib.Path) -> str:
    if path.is_dir():
        return path.resolve().name
    # The name of the weights in any workdir.
    return path.resolve().parent.name if path.name == WEIGHTS else path.stem


def _grana(
    options: argparse.Namespace,
) -> tuple[Iterable[dataset.Granum], int, list[Bad], str]:
    """Returns the grana, their number, bad rows of annotations, and where they come from."""
    if options.folder is not None:
        found, bad = dataset.read_good_grana(options.folder, options.annotations)
        return found, len(found), bad, printable(options.folder)
    seed = options.seed or 0
    drawn = draw_grana(seed, options.generated, GranaConfig())
    named = (dataset.Granum(f"generated_{index:05d}", *one) for index, one in enumerate(drawn))
    return named, options.generated, [], f"the generator (seed {seed})"
