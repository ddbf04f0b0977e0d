"""A micrograph under review: its record, and the decisions on it."""

import dataclasses
import functools
import hashlib
import json
from collections.abc import Iterable

from srd_jax.analysis.granum import Analysis, Granum, Strain
from srd_jax.analysis.output.quantities import EXCLUDED
from srd_jax.analysis.output.records import Record
from srd_jax.analysis.strain import of_grana
from srd_jax.review.state import fold
from srd_jax.review.state.entries import Entry
from srd_jax.review.state.fold import REJECTED, Fold, Item, State
from srd_jax.review.state.operations import ANALYSED
from srd_jax.support.errors import InputError


def digest(record: Record) -> str:
    """Returns the digest of an analysis: how it was made, and which grana have which number.

    By another computer the same options may give other numbers to grana.
    """
    grana = [(one.number, one.outline) for one in record.analysis.grana]
    content = json.dumps([record.made, grana], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


@dataclasses.dataclass(frozen=True)
class File:
    """A micrograph and all that was decided on it.

    Attributes:
      name: of its files in the folder.
      record: as analysed.
      digest: of the record.
      fold: of the decisions.
      last: revision of the last entry about it; 0 for none.
      highest: number that a granum of it ever had; 0 for none.
      earlier: number of decisions that belong to another analysis.
    """

    name: str
    record: Record
    digest: str
    fold: Fold
    last: int = 0
    highest: int = 0
    earlier: int = 0

    def add(self, entry: Entry) -> "File":
        """Returns the file after an entry about it.

        Raises:
          InputError: the entry doesn't fit those before.
        """
        highest = max([self.highest, *entry.after, *entry.before])
        do, found, earlier = entry.op["do"], self.fold, self.earlier
        if do != ANALYSED and entry.record == self.digest:
            found = found.add(entry)
        elif do not in (ANALYSED, "undo", "redo"):
            earlier += 1
        return dataclasses.replace(
            self, fold=found, last=entry.revision, highest=highest, earlier=earlier
        )

    @property
    def state(self) -> State:
        """The grana by number, those that are gone, too."""
        return self.fold.state

    @functools.cached_property
    def items(self) -> list[Item]:
        """The grana that are there, in the order of their numbers."""
        return [item for _, item in sorted(self.state.items()) if not item.gone]

    @functools.cached_property
    def machine(self) -> dict[int, Granum]:
        """The machine's grana by number."""
        return {one.number: one for one in self.record.analysis.grana}

    def item(self, number: int) -> Item:
        """Returns a granum that is there.

        Raises:
          InputError: it isn't.
        """
        item = self.state.get(number)
        if item is None or item.gone:
            there = ", ".join(str(one.granum.number) for one in self.items) or "none"
            why = f", it was {item.gone}" if item is not None else ""
            raise InputError(f"{self.name}: has no granum {number}{why}; accepted are {there}")
        return item

    @functools.cached_property
    def strain(self) -> Strain | None:
        """The strain of the section by the grana that count."""
        counting = [item.granum for item in self.items if item.counts]
        if counting == [one for one in self.record.analysis.grana if one.status == "ok"]:
            return self.record.analysis.strain
        return of_grana([dataclasses.replace(one, status="ok") for one in counting])

    def reviewed(self) -> Analysis:
        """Returns the analysis with the grana as they are now."""
        grana = tuple(item.granum for item in self.items)
        return dataclasses.replace(self.record.analysis, grana=grana, strain=self.strain)

    def counting(self) -> Analysis:
        """Returns the analysis in which a granum is ok if it counts, and only then."""
        grana = tuple(
            dataclasses.replace(item.granum, status=_status(item), outline=())
            for item in self.items
        )
        return dataclasses.replace(self.record.analysis, grana=grana, strain=self.strain)


def _status(item: Item) -> str:
    if item.counts:
        return "ok"
    return EXCLUDED if item.decision == REJECTED else item.granum.status


def of(name: str, record: Record, entries: Iterable[Entry]) -> File:
    """Returns a micrograph after all entries about it, in order.

    Raises:
      InputError: an entry doesn't fit those before.
    """
    base = fold.of_machine(record.analysis.grana, record.excluded or ())
    highest = max((one.number for one in record.analysis.grana), default=0)
    found = File(name, record, digest(record), Fold(base), highest=highest)
    for entry in entries:
        found = found.add(entry)
    return found
