"""`srd analyse`: from micrographs to tables of their grana."""

import argparse
import collections
import pathlib
import sys
from collections.abc import Mapping, Sequence

import rich.console
from rich.text import Text

from srd_jax.analysis.output import folder as folders
from srd_jax.analysis.output.folder import Folder
from srd_jax.analysis.output.groups import read_excluded, read_groups, unknown_numbers
from srd_jax.analysis.output.names import output_names
from srd_jax.analysis.output.quantities import QUANTITIES, STATUSES
from srd_jax.analysis.output.run import Done, Plan, analyse_files
from srd_jax.analysis.output.summary import Summary
from srd_jax.analysis.output.table import Named
from srd_jax.commands import arguments
from srd_jax.commands.micrographs import known, planning
from srd_jax.commands.shards import analyses
from srd_jax.imaging.micrographs.finding import find_micrographs
from srd_jax.support import process
from srd_jax.support.page import text
from srd_jax.support.terminal import print_line, track


def run(options: argparse.Namespace) -> int:
    """Runs the command and returns the exit status."""
    folders.check(options.out)
    images = arguments.images(options.paths, find_micrographs)
    every = images.images
    paths = every if options.shard is None else options.shard.of(every)
    excluded = read_excluded(options.exclude, every)
    groups: Mapping[pathlib.Path, str] = {}
    if options.groups is not None:
        groups, said = read_groups(options.groups, every)
        _say(said)
    annotated, said = known.read(options, every)
    _say(said)
    plan, origin = planning.make(options, every, excluded)
    with folders.opened(options.out) as folder:
        part = analyses.begin(folder, options.shard, every, planning.identity(options, origin))
        done = _run(every, paths, folder, plan)
        micrographs = [
            Named(one.analysis, one.name, groups.get(path, ""))
            for path, one in zip(paths, done, strict=True)
        ]
        # Late, as drawing takes its time to load.
        from srd_jax.analysis.report import results

        summaries = results.write(folder, micrographs, origin)
        if part is not None:
            analyses.end(folder, part, micrographs, origin)
    mine = set(paths)
    excluded = {path: numbers for path, numbers in excluded.items() if path in mine}
    annotated = {path: one for path, one in annotated.items() if path in mine}
    _say_what_happened(paths, done, excluded)
    unfit: list[str] = []
    if annotated:
        found = dict(zip(paths, done, strict=True))
        unfit = known.show(rich.console.Console(), folder, found, annotated)
    _say(unfit)
    _print(folder, done, summaries)
    failed = images.unread or unfit or any(one.analysis.error or one.undrawn for one in done)
    return process.SOME_FAILED if failed else process.ALL_READ


def _say(lines: Sequence[str]) -> None:
    for line in lines:
        print(" ".join(line.split()), file=sys.stderr)


def _run(
    every: Sequence[pathlib.Path], paths: Sequence[pathlib.Path], folder: Folder, plan: Plan
) -> list[Done]:
    """Analyses some files of all; where that is stopped, tells what is kept."""
    done = []
    try:
        # Names of all files, so that those of several parts are different.
        files = analyse_files(paths, folder, plan, output_names(every))
        for one in track(files, "analysing", len(paths)):
            done.append(one)
    except BaseException:
        print(
            f"{len(done)} of {len(paths)} micrographs done and kept in {folder.root}; the same "
            "command goes on from there",
            file=sys.stderr,
        )
        raise
    return done


def _say_what_happened(
    paths: Sequence[pathlib.Path],
    done: Sequence[Done],
    excluded: Mapping[pathlib.Path, Sequence[int]],
) -> None:
    """Tells on stderr what was reused and made anew, and what is missing."""
    if reused := sum(one.reused for one in done):
        _say([f"{reused} of {len(done)} micrographs are taken from an earlier run"])
    if anew := [one for one in done if one.changed]:
        what = ", ".join(dict.fromkeys(name for one in anew for name in one.changed))
        _say([f"{len(anew)} of {len(done)} micrographs are analysed anew, as changed: {what}"])
    undrawn = [reason for one in done for reason in one.undrawn]
    if undrawn:
        _say([f"{len(undrawn)} pictures are missing, the first: {undrawn[0]}"])
    found = dict(zip(paths, done, strict=True))
    sound = {path: one for path, one in found.items() if not one.analysis.error}
    some = {path: numbers for path, numbers in excluded.items() if path in sound}
    _say(unknown_numbers(some, {path: len(sound[path].analysis.grana) for path in some}))


def _print(folder: Folder, done: Sequence[Done], summaries: Sequence[Summary]) -> None:
    """Prints the means over all, the reasons of errors, and where the report is."""
    console = rich.console.Console()
    labels = {one.name: (one.label, max(1, one.decimals)) for one in QUANTITIES}
    rows = [["", "mean", "sd", "median", "grana"]]
    for one in summaries:
        if one.scope == "all":
            label, digits = labels[one.quantity]
            numbers = [text(value, digits) for value in (one.mean, one.sd, one.median)]
            rows.append([label, *numbers, str(one.grana)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows if rows[1:] else []):
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        print_line(console, Text("  ".join(cells), "" if number else "bold"))
    for one in done:
        if one.analysis.error:
            print_line(console, Text(f"{one.analysis.file}: {one.analysis.error}", "red"))
    unscaled = sum(not one.analysis.error and one.analysis.px_per_nm is None for one in done)
    if unscaled:
        words = f"no scale is known of {unscaled} of {len(done)} micrographs: lengths of these are"
        print_line(console, Text(f"{words} in px, in grana.csv; --px-per-nm gives one", "yellow"))
    grana = collections.Counter(granum.status for one in done for granum in one.analysis.grana)
    counted = ", ".join(f"{grana[status]} {status}" for status in STATUSES if grana[status])
    words = f"{grana.total()} grana, {len(done)} micrograph{'' if len(done) == 1 else 's'}"
    line = f"{words} ({counted})" if counted else words
    print_line(console, Text(f"{line}; tables in {folder.root}, open {folder.report}"))
