"""Writes the tables of a review: grana as persons left them, their means, and corrections."""

import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence

from srd_jax.analysis.granum import Granum
from srd_jax.analysis.output import summary, table
from srd_jax.analysis.output.quantities import scaled
from srd_jax.analysis.output.table import Cell, Named
from srd_jax.review.state import corrections
from srd_jax.review.state.entries import line
from srd_jax.review.state.files import File
from srd_jax.review.state.fold import Item
from srd_jax.review.state.review import Review
from srd_jax.support.csv_files import harmless
from srd_jax.support.files import whole_file, write_table


def _of_machine(of: Callable[[Granum, float | None], Cell]) -> Callable[[File, Item], Cell]:
    def cell(file: File, item: Item) -> Cell:
        granum = file.machine.get(item.granum.number)
        return None if granum is None else of(granum, file.record.analysis.px_per_nm)

    return cell


def _nm(name: str, power: int = 1) -> Callable[[Granum, float | None], Cell]:
    def cell(granum: Granum, px_per_nm: float | None) -> Cell:
        value = scaled(getattr(granum, name), px_per_nm, power)
        return None if value is None else value.value

    return cell


def _plain(name: str) -> Callable[[Granum, float | None], Cell]:
    def cell(granum: Granum, _: float | None) -> Cell:
        value = getattr(granum, name)
        return None if value is None else value.value

    return cell


# Name, meaning and cell of the columns that reviewed.csv has beside those of grana.csv.
COLUMNS: tuple[tuple[str, str, Callable[[File, Item], Cell]], ...] = (
    ("decision", "accepted or rejected by a person; empty for neither", lambda f, i: i.decision),
    ("origin", "machine, edited, drawn, split or joined", lambda f, i: i.origin),
    (
        "manual",
        "outline, direction, period: set by a person; a period has an sd of 5 %, a direction of 2 "
        "degrees by assumption",
        lambda f, i: " ".join(i.manual),
    ),
    (
        "counts",
        "yes if it is in reviewed_summary.csv: accepted, or ok and not rejected",
        lambda f, i: "yes" if i.counts else "no",
    ),
    ("machine_srd_nm", "SRD that the machine found, nm", _of_machine(_nm("period_px"))),
    ("machine_area_nm2", "its area, nm²", _of_machine(_nm("area_px2", 2))),
    ("machine_direction_deg", "its direction, degrees", _of_machine(_plain("direction_deg"))),
    ("machine_layers", "its layers", _of_machine(_plain("layers"))),
    ("by", "who changed it last", lambda f, i: harmless(i.who)),
    ("changed_utc", "when, UTC", lambda f, i: i.time),
)


def named(files: Sequence[File], groups: Mapping[str, str], counting: bool = True) -> list[Named]:
    """Returns micrographs for tables and plots.

    Args:
      files: the micrographs.
      groups: by name.
      counting: the status is ok for those that count, and only these; else as measured.
    """
    return [
        Named(
            file.counting() if counting else file.reviewed(), file.name, groups.get(file.name, "")
        )
        for file in files
    ]


def write(
    folder: str | pathlib.Path, review: Review, groups: Mapping[str, str] | None = None
) -> None:
    """Writes reviewed.csv, reviewed_summary.csv, corrections.csv and log.jsonl.

    Args:
      folder: where to.
      review: the state.
      groups: that micrographs belong to, by name.

    Raises:
      InputError: a file can't be written.
    """
    root, files, groups = pathlib.Path(folder), review.reviewed(), groups or {}
    header = [*table.header(table.GRANA), *(name for name, _, _ in COLUMNS)]
    write_table(root / "reviewed.csv", header, _rows(files, groups))
    summaries = summary.summarise(named(files, groups))
    write_table(root / "reviewed_summary.csv", list(summary.COLUMNS), summary.rows(summaries))
    write_table(root / "corrections.csv", list(corrections.COLUMNS), corrections.rows(files))
    with whole_file(root / "log.jsonl") as temporary:
        temporary.write_bytes(b"".join(map(line, review.entries())))


def _rows(files: Sequence[File], groups: Mapping[str, str]) -> Iterator[list[Cell]]:
    for file, one in zip(files, named(files, groups, counting=False), strict=True):
        items: Sequence[Item | None] = [None] if one.analysis.error else file.items
        for item, cells in zip(items, table.grana_rows([one]), strict=True):
            yield [*cells, *(None if item is None else of(file, item) for _, _, of in COLUMNS)]
