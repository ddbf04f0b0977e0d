"""Measures seconds of `srd predict` on drawn crops, beside the reference's way with PyTorch.

    python benchmarks/predict.py [--n 200] [--rounds 3] [--out DIR] [--smoke]

All times are those of whole processes, with their imports, on the same crops of `srd make-dataset`.
The reference's way is scikit-image's resize (order 3), PyTorch with batch 1 on all cores, and a
CSV; "huge pages" runs it under GLIBC_TUNABLES=glibc.malloc.hugetlb=1. The sides take turns in each
round, after a round that isn't counted and fills the caches. Ratios are medians over rounds.

Needs: torch (pip install '.[benchmark]'); Linux.
Takes: about 10 min on 2 cores; --smoke about 2 min.
Writes: a table to the terminal; --out DIR: predict.md and predict.json.
"""

import argparse
import pathlib
import statistics
import sys
import tempfile
from typing import NamedTuple

import predict_runs
import tables
from predict_runs import environment

WORKER = pathlib.Path(__file__).with_name("predict_worker.py")
HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}


class Side(NamedTuple):
    """A way to measure the folder.

    Attributes:
      method: of `srd predict`; None is the reference's way.
      variables: of its environment, beside the usual ones.
    """

    method: str | None
    variables: dict[str, str]


SIDES = {
    "ours, network": Side("network", {}),
    "ours, combined": Side("combined", {}),
    "ours, autocorrelation": Side("autocorrelation", {}),
    "the reference's way": Side(None, {}),
    "the reference's way, huge pages": Side(None, HUGE_PAGES),
}
REFERENCES = [name for name, side in SIDES.items() if side.method is None]

# Name of the side → seconds, one a round.
Samples = dict[str, list[float]]


def words(side: Side, source: pathlib.Path, out: pathlib.Path) -> list[str]:
    """Returns the command of a side."""
    if side.method is None:
        return [sys.executable, str(WORKER), str(source), str(out)]
    return predict_runs.command(source, out, side.method)


def measure(source: pathlib.Path, count: int, rounds: int) -> Samples:
    """Returns the times of all sides.

    Raises:
      SystemExit: a side failed, or its table doesn't have a row for each crop.
    """
    samples: Samples = {name: [] for name in SIDES}
    cache = {"XDG_CACHE_HOME": str(source.parent / "cache")}
    for number in range(rounds + 1):
        for name, side in SIDES.items():
            out = source.parent / "results.csv"
            out.unlink(missing_ok=True)
            variables = environment(**cache, **side.variables)
            seconds = predict_runs.run(words(side, source, out), variables, watched=False).seconds
            found = len(predict_runs.rows(out))
            if found != count:
                sys.exit(f"{name}: its table has {found} rows, but there are {count} crops")
            print(f"round {number} of {rounds}: {name}, {seconds:.1f} s", file=sys.stderr)
            if number:
                samples[name].append(seconds)
    return samples


def table(samples: Samples, count: int) -> tables.Table:
    """Returns the table; each ratio is to the reference side with the lower median."""
    best = min(REFERENCES, key=lambda name: statistics.median(samples[name]))
    rows = []
    for name, seconds in samples.items():
        middle, low, high = tables.spread(seconds)
        ratio = tables.paired_ratio(seconds, samples[best])
        rows.append((name, middle, low, high, 1e3 * middle / count, ratio))
    columns = ("side", "s, median", "min", "max", "ms a crop", "ratio to the reference's best")
    return tables.Table(f"{count:,} crops", columns, rows)


def main() -> None:
    """Draws the crops, measures and prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--n", type=int, default=200, help="crops")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=5, help="of the crops")
    parser.add_argument("--smoke", action="store_true", help="few crops, to see that it works")
    tables.add_out(parser)
    options = parser.parse_args()
    if options.smoke:
        options.n, options.rounds = 8, 1
    setting = tables.started(options, ("torch", "scikit-image"))
    with tempfile.TemporaryDirectory() as temporary:
        source = pathlib.Path(temporary, "crops")
        draw = [sys.executable, "-m", "srd_jax", "make-dataset", "--n", str(options.n)]
        draw += ["--seed", str(options.seed), "--out", str(source)]
        predict_runs.run(draw, environment(), watched=False)
        samples = measure(source, options.n, options.rounds)
    tables.publish("predict", setting, [table(samples, options.n)], options.out, samples)


if __name__ == "__main__":
    main()
