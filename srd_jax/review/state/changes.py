"""Answers to edits: what differs from before."""

import dataclasses
from collections.abc import Iterable

from srd_jax.review.state import files, views
from srd_jax.review.state.entries import Entry
from srd_jax.review.state.files import File
from srd_jax.review.state.views import GranumView


@dataclasses.dataclass(frozen=True)
class Change:
    """The answer to an edit.

    Attributes:
      revision: after it.
      changed: grana that differ from before.
      removed: numbers of those that are gone.
      undo, redo: whether there is something to be undone or done again.
    """

    revision: int
    changed: tuple[GranumView, ...]
    removed: tuple[int, ...]
    undo: bool
    redo: bool


def of_entry(file: File, entry: Entry, entries: Iterable[Entry]) -> Change:
    """Returns the answer to the edit of an entry, whenever it was made.

    Args:
      file: the micrograph as it is now.
      entry: about it.
      entries: the log.
    """
    if file.digest != entry.record:
        return Change(entry.revision, (), (), False, False)
    if file.last != entry.revision:
        own = [one for one in entries if one.file == file.name and one.revision <= entry.revision]
        file = files.of(file.name, file.record, own)
    undoing = entry.op["do"] == "undo"
    step = file.fold.undone[0] if undoing else file.fold.step
    assert step is not None  # that of the entry
    before = step.after if undoing else step.before
    now = {n for n in step.after if n in file.state and not file.state[n].gone}
    differ = {number for number in now if file.state[number] != before.get(number)}
    gone = {number for number, item in before.items() if not item.gone} - now
    return Change(
        entry.revision,
        tuple(views.of_granum(file, number) for number in sorted(differ)),
        tuple(sorted(gone)),
        undo=file.fold.step is not None,
        redo=bool(file.fold.undone),
    )
