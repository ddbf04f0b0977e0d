"""The grana of a micrograph by folding its decisions over the machine's grana."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from srd_jax.analysis.granum import Granum
from srd_jax.review.state.entries import Entry
from srd_jax.review.state.operations import DECISIONS, about
from srd_jax.support.errors import InputError

MACHINE, EDITED, DRAWN, SPLIT, JOINED, DELETED = (
    "machine", "edited", "drawn", "split", "joined", "deleted",
)  # fmt: skip
ACCEPTED, REJECTED = "accepted", "rejected"


@dataclasses.dataclass(frozen=True)
class Item:
    """A granum under review.

    Attributes:
      granum: as measured.
      born: machine, drawn, split or joined.
      decision: accepted, rejected, or None.
      manual: outline, direction, period: those that a person set.
      gone: deleted, split or joined; empty where it is there.
      who, time: of the last change; empty for none.
    """

    granum: Granum
    born: str = MACHINE
    decision: str | None = None
    manual: tuple[str, ...] = ()
    gone: str = ""
    who: str = ""
    time: str = ""

    @property
    def origin(self) -> str:
        """Its birth, or edited for one of the machine's that a person changed."""
        return EDITED if self.born == MACHINE and self.manual else self.born

    @property
    def counts(self) -> bool:
        """Whether it is in means: accepted, or ok and not rejected."""
        if self.gone or self.decision == REJECTED:
            return False
        return self.decision == ACCEPTED or self.granum.status == "ok"


State = Mapping[int, Item]


def of_machine(grana: Iterable[Granum], excluded: Iterable[int] = ()) -> State:
    """Returns the state before any decision; grana that are left out already are rejected."""
    left_out = set(excluded)
    return {
        one.number: Item(one, decision=REJECTED if one.number in left_out else None)
        for one in grana
    }


def applied(state: State, entry: Entry) -> State:
    """Returns the grana that an entry changes or makes; it is neither undo nor redo."""
    do, named = entry.op["do"], about(entry.op)
    found: dict[int, Item] = {}

    def change(number: int, **changes) -> None:
        item = dataclasses.replace(state[number], who=entry.who, time=entry.time, **changes)
        found[number] = item

    for number in named:
        item = state[number]
        if do in DECISIONS:
            change(number, decision=DECISIONS[do])
        elif do in _SETS:
            granum = entry.after[number]
            assert granum is not None
            is_set = entry.op[_SETS[do]] is not None
            # Who accepted a granum hasn't seen the doubt that a later change raises.
            doubted = item.decision == ACCEPTED and granum.status != "ok"
            decision = None if doubted else item.decision
            manual = _with(item.manual, do, is_set)
            change(number, granum=granum, manual=manual, decision=decision)
        else:
            change(number, gone=_GONE[do])
    for number, granum in entry.after.items():
        if number not in state and granum is not None:
            found[number] = Item(granum, _BORN[do], who=entry.who, time=entry.time)
    return found


_SETS = {"outline": "outline", "direction": "direction_deg", "period": "period_px"}
_GONE = {"delete": DELETED, "split": SPLIT, "join": JOINED}
_BORN = {"add": DRAWN, "split": SPLIT, "join": JOINED}


def _with(names: tuple[str, ...], name: str, is_in: bool) -> tuple[str, ...]:
    others = {one for one in names if one != name}
    return tuple(sorted(others | {name} if is_in else others))


class Step(NamedTuple):
    """A decision, and the grana that it changed: no more, as there may be thousands of both.

    Attributes:
      entry: the decision.
      before: the grana as they were, without those that it made.
      after: the same as it left them, and those that it made.
      last: the step before; None for the first.
    """

    entry: Entry
    before: State
    after: State
    last: "Step | None" = None


@dataclasses.dataclass(frozen=True)
class Fold:
    """The decisions on a micrograph that count, and those that were undone.

    Attributes:
      state: the grana after them.
      step: the last of them; None for the machine's grana.
      undone: steps that can be done again, the next one first.
    """

    state: State
    step: Step | None = None
    undone: tuple[Step, ...] = ()

    def add(self, entry: Entry) -> "Fold":
        """Returns the fold after a further entry.

        Raises:
          InputError: there is nothing to be undone or done again, or it names an unknown granum.
        """
        do = entry.op["do"]
        if do in ("undo", "redo") and entry.op.get("entry") != self.next(do).revision:
            raise InputError(f"revision {entry.revision} doesn't fit the log before it")
        if do == "undo":
            assert self.step is not None
            kept = {n: item for n, item in self.state.items() if n not in self.step.after}
            return Fold({**kept, **self.step.before}, self.step.last, (self.step, *self.undone))
        if do == "redo":
            step = self.undone[0]
            return Fold({**self.state, **step.after}, step, self.undone[1:])
        try:
            after = applied(self.state, entry)
            before = {n: self.state[n] for n in after if n in self.state}
            return Fold({**self.state, **after}, Step(entry, before, after, self.step))
        except (KeyError, AssertionError):
            raise InputError(f"revision {entry.revision} doesn't fit the log before it") from None

    def next(self, do: str) -> Entry:
        """Returns the entry that undo or redo is about.

        Raises:
          InputError: there is none.
        """
        step = self.step if do == "undo" else next(iter(self.undone), None)
        if step is None:
            what = "undone" if do == "undo" else "done again"
            raise InputError(f"there is nothing to be {what}; accepted are edits")
        return step.entry
