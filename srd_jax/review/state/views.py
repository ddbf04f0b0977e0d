"""Micrographs and grana as the page shows them: plain dataclasses for JSON."""

import dataclasses
from typing import Any

from srd_jax.analysis.granum import Analysis, Granum, Value
from srd_jax.analysis.output.quantities import IN_PX, QUANTITIES
from srd_jax.review.state.files import File


@dataclasses.dataclass(frozen=True)
class FileView:
    """A micrograph.

    Attributes:
      name, file: of its files, and its path as it was analysed.
      rows, columns, px_per_nm, source, error: see `granum.Analysis`.
      notes: facts about it and about its decisions.
      grana, ok, doubtful: numbers of grana: in all, ok, and neither ok nor decided.
      decided: number of grana that are accepted or rejected.
      undo, redo: whether there is something to be undone or done again.
      revision: of the last entry about it; 0 for none.
      record: digest of its analysis.
    """

    name: str
    file: str
    rows: int
    columns: int
    px_per_nm: float | None
    source: str
    error: str
    notes: tuple[str, ...]
    grana: int
    ok: int
    doubtful: int
    decided: int
    undo: bool
    redo: bool
    revision: int
    record: str


@dataclasses.dataclass(frozen=True)
class GranumView:
    """A granum.

    Attributes:
      number, status, reason, outline, direction_deg, period_px: as measured last.
      decision: accepted, rejected or None.
      origin: machine, edited, drawn, split or joined.
      manual: outline, direction, period: those that a person set.
      counts: whether it is in means.
      values: by the names of quantities; in nm where a scale is known, else in px; with
        direction_deg and period_px.
      machine: the same fields of the machine's own granum; None for one that it hasn't found.
    """

    number: int
    status: str
    decision: str | None
    origin: str
    manual: tuple[str, ...]
    counts: bool
    outline: tuple[tuple[float, float], ...]
    values: dict[str, Value]
    direction_deg: float | None
    period_px: float | None
    reason: str
    machine: dict[str, Any] | None


def of_file(file: File) -> FileView:
    """Returns the view of a micrograph."""
    analysis, items = file.record.analysis, file.items
    notes = analysis.notes
    if file.earlier:
        what = "decision belongs" if file.earlier == 1 else "decisions belong"
        notes = (*notes, f"{file.earlier} {what} to an earlier analysis")
    ok = sum(item.granum.status == "ok" for item in items)
    return FileView(
        file.name,
        analysis.file,
        analysis.rows,
        analysis.columns,
        analysis.px_per_nm,
        analysis.px_per_nm_source,
        analysis.error,
        notes,
        grana=len(items),
        ok=ok,
        doubtful=sum(one.granum.status != "ok" and one.decision is None for one in items),
        decided=sum(item.decision is not None for item in items),
        undo=file.fold.step is not None,
        redo=bool(file.fold.undone),
        revision=file.last,
        record=file.digest,
    )


def of_granum(file: File, number: int) -> GranumView:
    """Returns the view of a granum that is there."""
    item, analysis = file.item(number), file.record.analysis
    machine = file.machine.get(number)
    shown = dataclasses.replace(analysis, strain=file.strain)
    return GranumView(
        **_fields(item.granum, shown),
        decision=item.decision,
        origin=item.origin,
        manual=item.manual,
        counts=item.counts,
        machine=None if machine is None else _fields(machine, analysis),
    )


def _fields(granum: Granum, analysis: Analysis) -> dict[str, Any]:
    return {
        "number": granum.number,
        "status": granum.status,
        "outline": granum.outline,
        "values": _values(granum, analysis),
        "direction_deg": granum.direction_deg and granum.direction_deg.value,
        "period_px": granum.period_px and granum.period_px.value,
        "reason": granum.reason,
    }


def _values(granum: Granum, analysis: Analysis) -> dict[str, Value]:
    quantities = QUANTITIES if analysis.px_per_nm is not None else QUANTITIES + IN_PX
    found = {one.name: one.of(granum, analysis) for one in quantities}
    found |= {"direction_deg": granum.direction_deg, "period_px": granum.period_px}
    return {name: value for name, value in found.items() if value is not None}
