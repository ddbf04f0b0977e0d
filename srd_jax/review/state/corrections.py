"""How much of what the machine found persons corrected."""

import collections
from collections.abc import Iterator, Sequence

from srd_jax.review.state.files import File
from srd_jax.review.state.fold import ACCEPTED, DELETED, DRAWN, REJECTED, Item
from srd_jax.support.csv_files import harmless

_SHARES = ("accepted", "changed", "rejected", "undecided")
COLUMNS = {
    "scope": "all or file",
    "of": "path of the file",
    "machine": "number of grana that the machine found",
    "accepted": "of these: accepted as they were found",
    "changed": "of these: outline, direction or period set by a person, split or joined",
    "rejected": "of these: rejected or deleted",
    "undecided": "of these: neither",
    "added": "number of grana that a person drew",
    **{f"{name}_share": f"{name} / machine; empty without any" for name in (*_SHARES, "added")},
}


def rows(files: Sequence[File]) -> Iterator[list[str | float | None]]:
    """Yields the cells of `COLUMNS`, over all and for each micrograph that was analysed."""
    files = [file for file in files if not file.record.analysis.error]
    yield ["all", "", *_cells(sum(map(_counted, files), collections.Counter()))]
    for file in files:
        yield ["file", harmless(file.record.analysis.file), *_cells(_counted(file))]


def _counted(file: File) -> collections.Counter[str]:
    items = [file.state[number] for number in file.machine]
    found = collections.Counter(map(_kind, items))
    found["machine"] = len(items)
    found["added"] = sum(item.born == DRAWN for item in file.items)
    return found


def _kind(item: Item) -> str:
    """Returns what became of a granum of the machine's."""
    if item.gone == DELETED or (not item.gone and item.decision == REJECTED):
        return "rejected"
    if item.gone or item.manual:
        return "changed"
    return "accepted" if item.decision == ACCEPTED else "undecided"


def _cells(counts: collections.Counter[str]) -> list[float | None]:
    machine = counts["machine"]
    names = (*_SHARES, "added")
    shares = [counts[name] / machine if machine else None for name in names]
    return [machine, *(counts[name] for name in names), *shares]
