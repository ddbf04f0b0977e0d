"""Measures the errors of all methods, and whether they notice their errors: docs/accuracy.md.

python benchmarks/accuracy.py [--real FOLDER] [--reference WEIGHTS] [--out docs/accuracy.md]

Measures generated grana and, if given, real ones by all methods. WEIGHTS are the reference's, from
`srd import-weights`. Then measures clear grana, which should be ok, and crops without measurable
lamellae, which should not. No training, fit or calibration uses the seed.

Needs: the package alone; for --real annotated crops, for --reference their weights.
Takes: 40 min on 2 cores.
Writes: --out FILE, by default docs/accuracy.md, in place.
"""

import argparse
import collections
import dataclasses
import pathlib
import sys
from collections.abc import Iterable, Iterator, Sequence

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))


from srd_jax.evaluation import cases, summary, tables
from srd_jax.imaging import dataset
from srd_jax.measuring import methods
from srd_jax.measuring.combination import Combined
from srd_jax.measuring.estimator import load
from srd_jax.measuring.measurement import Method
from srd_jax.support.files import write_text
from srd_jax.support.page import Table, table
from srd_jax.support.terminal import track
from srd_jax.synthetic.config import GranaConfig, NegativesConfig, QualityConfig
from srd_jax.synthetic.crops import draw_grana
from srd_jax.tasks.period import weights

HARMONICS = "## Halves, thirds and quarters of the period"
OURS, NETWORK = "combined", "network alone"
# Grana that a microscopist calls clear: lamellae stand out of the noise nearly everywhere.
CLEAR = GranaConfig(quality=QualityConfig(noise=(0.25, 0.8), fade=(0.0, 0.4)))
NEGATIVES = {
    "no lamellae": NegativesConfig(blank=1.0),
    "texture without direction": NegativesConfig(texture=1.0),
    "lamellae at 25 to 88 degrees": NegativesConfig(steep=1.0),
    "hardly one period in the frame": NegativesConfig(long=1.0),
}


def main() -> None:
    """Measures all crops and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--real", metavar="FOLDER", help="crops and annotations.csv")
    parser.add_argument("--reference", metavar="WEIGHTS", help="from srd import-weights")
    parser.add_argument("--weights", default=weights.RELEASED, help="default: the released ones")
    parser.add_argument("--generated", type=int, default=1000, metavar="N", help="%(default)s")
    parser.add_argument("--clear", type=int, default=500, metavar="N", help="%(default)s")
    parser.add_argument("--seed", type=int, default=12345, help="default: %(default)s")
    parser.add_argument("--out", default="docs/accuracy.md", help="default: %(default)s")
    options = parser.parse_args()
    network = load(options.weights)
    ours: dict[str, Method] = {OURS: Combined(network), NETWORK: network}
    compared = dict(ours)
    if options.reference:
        compared["reference"] = load(options.reference)
    without = [name for name in methods.METHODS if name not in methods.WITH_NETWORK]
    compared |= {name: methods.make(name) for name in without}

    drawn = generated(options.generated, options.seed, GranaConfig())
    parts = [
        f"## {options.generated} generated grana\n",
        *of_grana(measured(drawn, options.generated, compared)),
        "## Clear grana, and crops with nothing to be measured\n",
        markdown(statuses(ours, options.clear, options.seed)),
    ]
    if options.real:
        found = dataset.read_grana(options.real)
        parts += [f"## {len(found)} real grana\n", *of_real(measured(found, len(found), compared))]
    write_text(options.out, "\n".join([head(options), *parts, *kept(pathlib.Path(options.out))]))
    print(f"written to {options.out}")


def kept(page: pathlib.Path) -> list[str]:
    """Returns the part of a page before, if there is one, that harmonics.py makes."""
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    return [text[text.index(HARMONICS) :]] if HARMONICS in text else []


def head(options: argparse.Namespace) -> str:
    """Returns the beginning of the page, with the command that makes the page."""
    numbers = {"generated": options.generated, "clear": options.clear, "seed": options.seed}
    flags = "".join(f" --{name} {number}" for name, number in numbers.items())
    flags += " --reference WEIGHTS" * bool(options.reference) + " --real FOLDER" * bool(
        options.real
    )
    return (
        "# Accuracy\n\n"
        f"Made by `python benchmarks/accuracy.py{flags}`.\n"
        "Lengths are px of the crop. Generated grana are drawn by the generator that the released\n"
        "weights learned from, so their figures tell how well it was learned; no real granum was\n"
        "trained on.\n"
    )


def generated(n: int, seed: int, config: GranaConfig) -> Iterator[dataset.Granum]:
    """Yields n drawn grana."""
    drawn = draw_grana(seed, n, config)
    yield from (dataset.Granum(f"{index}", *one) for index, one in enumerate(drawn))


def measured(
    grana: Iterable[dataset.Granum], n: int, compared: dict[str, Method]
) -> list[cases.Case]:
    """Returns the cases of all methods, and shows a progress bar."""
    tracked = track(grana, "measuring", n)
    return cases.evaluate(tracked, compared, worst=0)[0]


def of_grana(found: Sequence[cases.Case]) -> list[str]:
    """Returns the tables of errors, of sds, and of errors by properties of the crops."""
    summaries = summary.summarise(found)
    with_sd = [one for one in summaries if one["sd"]]
    shown = [
        errors(summaries),
        *(make(with_sd) for make in tables.CONFIDENCE),
        *tables.by_traits(summaries),
    ]
    return [markdown(one) for one in shown]


def of_real(found: Sequence[cases.Case]) -> list[str]:
    """Returns the tables of real crops: the errors, and the measured period of each crop."""
    summaries = summary.summarise(found)
    names = dict.fromkeys(case.name for case in found)
    by_name = {(case.name, case.method): case for case in found}

    def cell(method: str):
        def show(name: str) -> str:
            case = by_name[name, method]
            value = summary.text(case.period_px)
            return value if case.status == "ok" else f"({value})"

        return method, show

    columns = [
        ("crop", str),
        ("true period", lambda name: summary.text(by_name[name, OURS].true_px)),
        *(cell(one["method"]) for one in summaries),
    ]
    return [
        markdown(errors(summaries)),
        markdown(table("Measured periods; in brackets what isn't ok", columns, names)),
    ]


def errors(summaries: Sequence[summary.Summary]) -> Table:
    """Returns the errors of all measured crops and of the ok ones, one line for each method."""
    columns = [
        ("method", lambda one: one["method"]),
        ("MAE, px", lambda one: summary.text(one["all"]["px"]["mae"])),
        ("median, %", lambda one: summary.text(one["all"]["percent"]["median"])),
        ("95th percentile, %", lambda one: summary.text(one["all"]["percent"]["p95"])),
        ("beyond 15 %", lambda one: mistakes(one, "all")),
        ("ok", lambda one: f"{one['ok']} of {one['crops']}"),
        ("MAE of ok, px", lambda one: summary.text(one["only_ok"]["px"]["mae"])),
        ("ok, yet beyond 15 %", lambda one: mistakes(one, "only_ok")),
    ]
    return table("Errors", columns, summaries)


def mistakes(one: summary.Summary, part: str) -> str:
    """Returns the share of errors beyond 15 % of the true period."""
    return summary.percent(one[part]["mistakes"]["beyond_15_percent"])


def statuses(compared: dict[str, Method], n: int, seed: int) -> Table:
    """Returns how many clear grana and how many negatives are ok, by method."""
    kinds = {"clear grana": CLEAR} | {
        name: dataclasses.replace(GranaConfig(), negatives=share)
        for name, share in NEGATIVES.items()
    }
    rows = []
    for number, (name, config) in enumerate(kinds.items(), 1):
        count = n if number == 1 else n // len(NEGATIVES)
        found = measured(generated(count, seed + number, config), count, compared)
        ok = collections.Counter(case.method for case in found if case.status == "ok")
        rows.append((name, count, ok))

    def share(method: str):
        return f"ok, {method}", lambda row: f"{row[2][method]} ({row[2][method] / row[1]:.1%})"

    columns = [
        ("crops", lambda row: row[0]),
        ("number", lambda row: str(row[1])),
        *map(share, compared),
    ]
    return table("Status by the released weights", columns, rows)


def markdown(one: Table) -> str:
    """Returns a table as Markdown; the header of a grouped column begins with its group's."""
    heads = one["columns"]
    if one["groups"]:
        groups = [name for name, width in one["groups"] for _ in range(width)]
        names = zip(groups, heads[1:], strict=True)
        heads = [heads[0], *(f"{group}: {name}" for group, name in names)]
    lines = [f"**{one['caption']}**", "", row(heads), row(["---"] * len(heads))]
    return "\n".join([*lines, *map(row, one["rows"])]) + "\n"


def row(cells: Iterable[str]) -> str:
    """Returns a line of a table."""
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
