"""What an operation does to the grana of a micrograph."""

import dataclasses
import types
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from srd_jax.analysis.granum import Granum
from srd_jax.review.state import geometry
from srd_jax.review.state.entries import Grana
from srd_jax.review.state.files import File
from srd_jax.review.state.fold import MACHINE, Item
from srd_jax.review.state.operations import DECISIONS
from srd_jax.review.state.tasks import Task
from srd_jax.support.errors import InputError

Measured = Callable[[Sequence[Task]], list[tuple[Granum, bytes]]]


class Edit(NamedTuple):
    """What an operation does.

    Attributes:
      op: as the log keeps it.
      before: grana that change, as they were.
      after: the same as they are then, None for one that is gone, and new ones.
      pictures: PNGs of grana that were measured.
    """

    op: dict[str, Any]
    before: Grana = types.MappingProxyType({})
    after: Grana = types.MappingProxyType({})
    pictures: Sequence[tuple[Granum, bytes]] = ()


def make(file: File, op: dict[str, Any], measured: Measured) -> Edit:
    """Returns what a checked operation does to a micrograph.

    Args:
      file: the micrograph.
      op: see `operations.checked`.
      measured: measures grana of the micrograph.

    Raises:
      InputError: it can't be done.
    """
    do, shape = op["do"], (file.record.analysis.rows, file.record.analysis.columns)
    if file.record.analysis.error:
        raise InputError(f"{file.name}: wasn't analysed; accepted are micrographs that were")
    if do in ("undo", "redo"):
        return Edit({**op, "entry": file.fold.next(do).revision})
    if do == "add":
        outline = geometry.corners(geometry.checked(op["outline"], shape))
        return _new(op, [], measured([_task(file, outline, file.highest + 1)]))
    if do == "join":
        items = [file.item(number) for number in op["grana"]]
        granum = max((item.granum for item in items), key=lambda one: _area(one))
        first, second = (item.granum.outline for item in items)
        outline = geometry.join(first, second, shape)
        task = _task(file, outline, file.highest + 1, granum, "period")
        return _new(op, items, measured([task]))
    item = file.item(op["granum"])
    if do in DECISIONS:
        return Edit(op)
    if do == "delete":
        return _new(op, [item], [])
    if do == "split":
        parts = geometry.split(item.granum.outline, op["line"], shape)
        tasks = [
            _task(file, part, number, item.granum, "period")
            for number, part in enumerate(parts, file.highest + 1)
        ]
        return _new(op, [item], measured(tasks))
    return _changed(file, item, op, shape, measured)


def _area(granum: Granum) -> float:
    return 0.0 if granum.area_px2 is None else granum.area_px2.value


def _new(op: dict[str, Any], gone: Sequence[Item], found: Sequence[tuple[Granum, bytes]]) -> Edit:
    """Returns an edit in which new grana take the place of others."""
    before = {item.granum.number: item.granum for item in gone}
    after = dict.fromkeys(before) | {one.number: one for one, _ in found}
    return Edit(op, before, after, found)


def _task(
    file: File,
    outline: geometry.Outline,
    number: int,
    before: Granum | None = None,
    like: str = "granum",
) -> Task:
    threshold = file.record.made.get("threshold")
    if not isinstance(threshold, float) or not 0 < threshold < 1:
        threshold = None
    return Task(number, outline, before=before, like=like, threshold=threshold)


def _changed(
    file: File, item: Item, op: dict[str, Any], shape: tuple[int, int], measured: Measured
) -> Edit:
    """Returns the edit of an outline, a direction or a period: all that persons set is kept."""
    granum, do = item.granum, op["do"]
    set_by_hand = {
        "direction": granum.direction_deg and granum.direction_deg.value,
        "period": granum.period_px and granum.period_px.value,
    }
    set_by_hand = {name: set_by_hand[name] if name in item.manual else None for name in set_by_hand}
    outline, like = granum.outline, "granum"
    if do == "outline":
        outline = geometry.corners(geometry.checked(op["outline"], shape))
    else:
        set_by_hand[do] = op["direction_deg" if do == "direction" else "period_px"]
    period = set_by_hand["period"]
    if do == "period" and period is not None and period > max(shape):
        raise InputError(
            f"the period is {period:g} px; accepted is one that fits into the micrograph, of "
            f"{max(shape)} px"
        )
    before = granum
    if item.born == MACHINE and outline == file.machine[granum.number].outline:
        before, like = file.machine[granum.number], "outline"
        if set(set_by_hand.values()) == {None}:
            return Edit(op, {granum.number: granum}, {granum.number: before})
    elif "direction" in item.manual:
        # Where lamellae are looked for anew, an earlier direction by hand says nothing.
        like = "period"
    task = dataclasses.replace(
        _task(file, outline, granum.number, before, like),
        direction_deg=set_by_hand["direction"],
        period_px=period,
    )
    found = measured([task])
    return Edit(op, {granum.number: granum}, {one.number: one for one, _ in found}, found)
