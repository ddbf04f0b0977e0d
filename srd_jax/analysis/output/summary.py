"""Means, standard deviations and medians of quantities: in all, by group, by file."""

import dataclasses
import itertools
import statistics
from collections.abc import Callable, Iterator, Sequence

from srd_jax.analysis.output.quantities import IN_PX, QUANTITIES, Quantity
from srd_jax.analysis.output.table import Named
from srd_jax.support.csv_files import harmless


@dataclasses.dataclass(frozen=True)
class Summary:
    """A quantity over the grana of a file, of a group or of all files; see `COLUMNS`."""

    scope: str
    of: str
    quantity: str
    unit: str
    mean: float | None
    sd: float | None
    median: float | None
    grana: int
    micrographs: int
    mean_of_micrographs: float | None
    sd_of_micrographs: float | None


COLUMNS = {
    "scope": "all, group or file",
    "of": "name of the group, or path of the file",
    "quantity": "as the column of grana.csv",
    "unit": "of the numbers",
    "mean": "over the grana that count",
    "sd": "sample standard deviation over these grana; empty for fewer than two",
    "median": "over these grana",
    "grana": "number of these grana",
    "micrographs": "number of micrographs that they lie on",
    "mean_of_micrographs": "mean of the means of each micrograph, as grana of one micrograph "
    "aren't independent; empty for a file",
    "sd_of_micrographs": "sample standard deviation of these means; empty for fewer than two",
}


def values(micrographs: Sequence[Named], quantity: Quantity) -> list[list[float]]:
    """Returns the values of the grana that count, for each micrograph."""
    return [
        [
            value.value
            for granum in named.analysis.grana
            # Those that touch the border or are doubted aren't ok.
            if granum.status == "ok" and (value := quantity.of(granum, named.analysis)) is not None
        ]
        for named in micrographs
    ]


def summarise(micrographs: Sequence[Named]) -> list[Summary]:
    """Returns the summary in all, by group, and by file, in the order of the files.

    Lengths in px are summarised only for a file, as other files may be of another magnification.
    """
    rows = list(_rows("all", "", micrographs, QUANTITIES))
    for group in groups(micrographs):
        rows += _rows("group", group, [n for n in micrographs if n.group == group], QUANTITIES)
    for named in micrographs:
        if not named.analysis.error:
            unscaled = named.analysis.px_per_nm is None
            rows += _rows("file", named.analysis.file, [named], QUANTITIES + IN_PX * unscaled)
    return rows


def groups(micrographs: Sequence[Named]) -> list[str]:
    """Returns the groups in the order of their first files."""
    return list(dict.fromkeys(named.group for named in micrographs if named.group))


def _rows(
    scope: str, of: str, micrographs: Sequence[Named], quantities: Sequence[Quantity]
) -> Iterator[Summary]:
    """Yields the summary of each quantity that any granum has."""
    for quantity in quantities:
        by_micrograph = [some for some in values(micrographs, quantity) if some]
        every = list(itertools.chain.from_iterable(by_micrograph))
        if not every:
            continue
        means = [statistics.fmean(some) for some in by_micrograph] if scope != "file" else []
        yield Summary(
            scope,
            of,
            quantity.name,
            quantity.unit,
            statistics.fmean(every),
            _sd(every),
            statistics.median(every),
            len(every),
            len(by_micrograph),
            _or_none(statistics.fmean, means, 1),
            _sd(means),
        )


def _sd(numbers: Sequence[float]) -> float | None:
    return _or_none(statistics.stdev, numbers, 2)


def _or_none(
    function: Callable[[Sequence[float]], float], numbers: Sequence[float], least: int
) -> float | None:
    return function(numbers) if len(numbers) >= least else None


def rows(summaries: Sequence[Summary]) -> Iterator[list[str | float | None]]:
    """Yields the cells of `COLUMNS`."""
    for one in summaries:
        cells = [getattr(one, name) for name in COLUMNS]
        yield [harmless(cell) if isinstance(cell, str) else cell for cell in cells]
