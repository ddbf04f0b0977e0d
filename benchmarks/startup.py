"""Measures seconds from a command's start to its end where there is next to nothing to do.

    python benchmarks/startup.py [--rounds 7] [--out DIR] [--smoke]

"Empty cache" has a new folder for compiled programs, "filled" one that an earlier run has filled.
All commands take turns in each round, after a round that isn't counted.

Needs: Linux.
Takes: about 3 min on 2 cores; --smoke about 1 min.
Writes: a table to the terminal; --out DIR: startup.md and startup.json.
"""

import argparse
import pathlib
import sys
import tempfile
from typing import NamedTuple

import predict_runs
import tables
from predict_runs import ROOT, environment


class Start(NamedTuple):
    """A command.

    Attributes:
      words: its arguments, after `srd`; OUT stands for a new file.
      status: exit status that is right.
      empty: whether its compilation cache is empty.
    """

    words: list[str]
    status: int = 0
    empty: bool = False


CROP = ["predict", str(ROOT / "samples" / "striped_granum_1.png"), "--out", "OUT"]
STARTS = {
    "srd --help": Start(["--help"]),
    "a mistake in the arguments": Start(["predict", "--batch-size", "none", "."], 2),
    "srd weights": Start(["weights"]),
    "srd predict one.png, empty cache": Start(CROP, empty=True),
    "srd predict one.png, filled cache": Start(CROP),
}


def measure(rounds: int, folder: pathlib.Path) -> dict[str, list[float]]:
    """Returns seconds by command, one a round."""
    samples: dict[str, list[float]] = {name: [] for name in STARTS}
    for number in range(rounds + 1):
        for name, start in STARTS.items():
            out = folder / "results.csv"
            out.unlink(missing_ok=True)
            words = [str(out) if word == "OUT" else word for word in start.words]
            cache = folder / (f"empty{number}" if start.empty else "filled")
            found = predict_runs.run(
                [sys.executable, "-m", "srd_jax", *words],
                environment(XDG_CACHE_HOME=str(cache)),
                watched=False,
                status=start.status,
            )
            print(f"round {number} of {rounds}: {name}, {found.seconds:.2f} s", file=sys.stderr)
            if number:
                samples[name].append(found.seconds)
    return samples


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--smoke", action="store_true", help="one round, to see that it works")
    tables.add_out(parser)
    options = parser.parse_args()
    options.rounds = 1 if options.smoke else options.rounds
    setting = tables.started(options)
    with tempfile.TemporaryDirectory() as temporary:
        samples = measure(options.rounds, pathlib.Path(temporary))
    rows = [(name, *tables.spread(seconds)) for name, seconds in samples.items()]
    found = tables.Table("Start to end", ("command", "s, median", "min", "max"), rows)
    tables.publish("startup", setting, [found], options.out, samples)


if __name__ == "__main__":
    main()
