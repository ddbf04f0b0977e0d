"""Measures memory of `srd predict` on folders of many crops, and kills it at random moments.

python benchmarks/folders.py [--sizes 100 1000 10000] [--kills 10] [--files 300] [--method network]
    [--workers N] [--seed 0] [--out DIR]

The crops are drawn; of each folder, 100 files are different and the others hard links to these. The
memory is that of all processes of the command together (proportional set size, so that shared pages
count once), looked at every 50 ms. The kills are SIGKILLs at random moments after the first new row
of a run of --files crops; then the table is compared with that of an undisturbed run, byte by byte.
The exit status is 1 on any difference, lost or doubled row.

Needs: Linux.
Takes: about 20 min on 2 cores.
Writes: two tables to the terminal; --out DIR: folders.md and folders.json.
"""

import argparse
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import predict_runs
import tables


def command(source: pathlib.Path, out: pathlib.Path, options: argparse.Namespace) -> list[str]:
    """Returns the command that measures a folder."""
    workers = () if options.workers is None else ("--workers", options.workers)
    return predict_runs.command(source, out, options.method, *workers)


def size(path: pathlib.Path) -> int:
    """Returns the bytes of a file; 0 where there is none."""
    return path.stat().st_size if path.exists() else 0


def killed(words: list[str], partial: pathlib.Path, after: float | None) -> tuple[int, float]:
    """Runs a command, and kills it some time after its first new row; None lets it end.

    Returns:
      Its status, and the seconds from the first new row to its end.
    """
    before, first = size(partial), None
    process = subprocess.Popen(
        words,
        cwd=predict_runs.ROOT,
        env=predict_runs.environment(),
        stdout=subprocess.DEVNULL,
    )
    while process.poll() is None:
        # The head of the file, of the first run, is no row.
        if first is None and size(partial) > max(before, 200):
            first = time.monotonic()
        if first is not None and after is not None and time.monotonic() - first > after:
            process.kill()
        time.sleep(0.005)
    return process.returncode, time.monotonic() - (first or time.monotonic())


def kills(folder: pathlib.Path, options: argparse.Namespace) -> tuple[tables.Table, bool]:
    """Kills runs of one folder; returns a row a kill, and whether its table is the same at last."""
    chance = random.Random(options.seed)
    source, whole, out = folder / "kills", folder / "whole.csv", folder / "killed.csv"
    partial = folder / "killed.csv.partial"
    predict_runs.draw(source, options.files, options.seed)
    _, seconds = killed(command(source, whole, options), folder / "whole.csv.partial", None)
    words, found = command(source, out, options), []
    for number in range(1, options.kills + 1):
        # Short enough that the files suffice for all kills.
        status, _ = killed(words, partial, chance.uniform(0, 0.8 * seconds / options.kills))
        if not partial.exists():
            break
        found.append((number, status, partial.read_bytes().count(b"\n") - 1))
        print(f"kill {number}: status {status}, {found[-1][2]} files kept", file=sys.stderr)
    if partial.exists():
        killed(words, partial, None)
    rows, expected = predict_runs.rows(out), predict_runs.rows(whole)
    same = out.read_bytes() == whole.read_bytes()
    doubled, lost = len(rows) - len(set(rows)), len(set(expected) - set(rows))
    end = f"{len(rows)} rows, {doubled} doubled, {lost} lost; bytes are the same: {same}"
    table = tables.Table(f"Kills: {end}", ("kill", "status", "files kept"), found)
    return table, same and not doubled and not lost and not partial.exists()


def memory(folder: pathlib.Path, options: argparse.Namespace) -> tables.Table:
    """Returns memory and time of folders of all sizes."""
    rows = []
    for count in options.sizes:
        predict_runs.draw(folder / str(count), count, options.seed)
        words = command(folder / str(count), folder / f"{count}.csv", options)
        run = predict_runs.run(words, predict_runs.environment())
        rows.append((count, run.most / 1e6, run.seconds, 1000 * run.seconds / count))
        print(f"{count} images: {run.most / 1e6:.0f} MB, {run.seconds:.1f} s", file=sys.stderr)
    columns = ("images", "peak memory, MB", "s", "ms an image")
    return tables.Table("Folders", columns, rows)


def main() -> int:
    """Measures and compares; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="*", default=[100, 1000, 10_000])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--method", default="network")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--seed", type=int, default=0)
    tables.add_out(parser)
    options = parser.parse_args()
    setting, found, right = tables.started(options), [], True
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        if options.sizes:
            found.append(memory(folder, options))
        if options.kills:
            table, right = kills(folder, options)
            found.append(table)
    tables.publish("folders", setting, found, options.out)
    return int(not right)


if __name__ == "__main__":
    sys.exit(main())
