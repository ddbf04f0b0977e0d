"""Tables with a row a granum and a row a micrograph, and what their columns mean."""

import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence

from srd_jax.analysis.granum import Analysis, Granum, Strain, Value
from srd_jax.analysis.output.quantities import STATUSES, corrected_px, in_file, scaled
from srd_jax.analysis.strain import SIGNIFICANT
from srd_jax.support.csv_files import harmless

Cell = str | float | None
# Floats from here on are rounded to whole numbers, as six digits don't show them.
_LARGE = 1e5


@dataclasses.dataclass(frozen=True)
class Named:
    """The analysis of a micrograph, with what tables add.

    Attributes:
      analysis: of the micrograph.
      name: of its pictures, label image and outlines.
      group: that it belongs to; "" for none.
    """

    analysis: Analysis
    name: str
    group: str = ""


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
      name: in the header.
      meaning: of its cells.
      cell: returns the cell of a row.
    """

    name: str
    meaning: str
    cell: Callable[..., Cell]


def _about(name: str, meaning: str, of: Callable[[Named], Cell]) -> Column:
    return Column(name, meaning, lambda named, granum: of(named))


def _own(name: str, meaning: str, of: Callable[[Granum, Analysis], Cell]) -> Column:
    """Returns a column of a granum, which is empty in the row of a file with an error."""
    return Column(
        name,
        meaning,
        lambda named, granum: None if granum is None else of(granum, named.analysis),
    )


def _pair(
    name: str, meaning: str, of: Callable[[Granum, Analysis], Value | None], sd: str = ""
) -> tuple[Column, Column]:
    """Returns the columns of a value and of its standard deviation."""

    def part(field: str) -> Callable[[Granum, Analysis], Cell]:
        def cell(granum: Granum, analysis: Analysis) -> Cell:
            value = of(granum, analysis)
            return None if value is None else getattr(value, field)

        return cell

    sd = sd or f"{name}_sd"
    return _own(name, meaning, part("value")), _own(sd, f"sd of {name}", part("sd"))


def _shown(value: Cell) -> Cell:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return harmless(value)
    return round(value) if isinstance(value, float) and abs(value) >= _LARGE else value


def _file(named: Named) -> str:
    """Returns the path of a file, not to be taken for a formula."""
    path = named.analysis.file
    return path if harmless(path) == path else os.path.join(".", path)  # noqa: PTH118


def _nm(field: str, power: int = 1) -> Callable[[Granum, Analysis], Value | None]:
    return lambda granum, analysis: scaled(getattr(granum, field), analysis.px_per_nm, power)


def _px(field: str) -> Callable[[Granum, Analysis], Value | None]:
    return lambda granum, analysis: getattr(granum, field)


GRANA = (
    _about("file", "path of the micrograph, as given", _file),
    _about("group", "by --groups; empty without", lambda named: named.group),
    _own("granum", "number in the micrograph, and value in the label image", lambda g, a: g.number),
    Column(
        "status",
        "ok; low_confidence: don't trust it unseen; error: not measured; excluded: by --exclude",
        lambda named, granum: "error" if granum is None else granum.status,
    ),
    Column(
        "reason",
        "why the status isn't ok, and notes; why a micrograph couldn't be analysed",
        lambda named, granum: named.analysis.error if granum is None else granum.reason,
    ),
    _own("x_px", "centre of mass, px to the right of the left border", lambda g, a: g.x_px),
    _own(
        "y_px",
        "centre of mass, px below the upper border of the file",
        lambda g, a: in_file(g, a).y_px,
    ),
    *_pair("area_nm2", "area of the outline, nm²", _nm("area_px2", 2)),
    *_pair("perimeter_nm", "length of the outline, nm", _nm("perimeter_px")),
    *_pair("height_nm", "across the lamellae: 0.8-quantile of the spans, nm", _nm("height_px")),
    *_pair(
        "diameter_nm",
        "along the lamellae: mean span between 25 % and 75 % of the height, nm",
        _nm("diameter_px"),
    ),
    *_pair("gsi", "1 − area / (a · height), a = perimeter / 2 − height", _px("gsi")),
    *_pair("srd_nm", "stacking repeat distance, nm", _nm("period_px"), "srd_sd_nm"),
    *_pair(
        "srd_corrected_nm",
        "SRD before the section was compressed, nm; where the compression is significant",
        lambda g, a: scaled(corrected_px(g, a.strain), a.px_per_nm),
        "srd_corrected_sd_nm",
    ),
    *_pair("period_px", "stacking repeat distance, px", _px("period_px"), "sd_px"),
    *_pair(
        "period_corrected_px",
        "the same before the section was compressed, px",
        lambda g, a: corrected_px(g, a.strain),
    ),
    *_pair("layers", "lamellae counted along their phase across the stack", _px("layers")),
    _own("thylakoids", "height over SRD, rounded", lambda g, a: g.thylakoids),
    *_pair(
        "direction_deg",
        "of the lamellae, counter-clockwise from the horizontal as seen, 0 to 180 degrees",
        _px("direction_deg"),
        "direction_sd_deg",
    ),
    _own(
        "detection",
        "mean probability of its pixels, 0 to 1; empty by --masks",
        lambda g, a: g.detection,
    ),
    _own(
        "touches_border",
        "yes if it reaches the border of the micrograph",
        lambda g, a: g.touches_border,
    ),
    _about("px_per_nm", "scale; empty if it isn't known", lambda named: named.analysis.px_per_nm),
    _about(
        "px_per_nm_source", "who states the scale", lambda named: named.analysis.px_per_nm_source
    ),
    *_pair("area_px2", "as area_nm2, px²", _px("area_px2")),
    *_pair("perimeter_px", "as perimeter_nm, px", _px("perimeter_px")),
    *_pair("height_px", "as height_nm, px", _px("height_px")),
    *_pair("diameter_px", "as diameter_nm, px", _px("diameter_px")),
    _about(
        "name", "of the micrograph's pictures, label image and outlines", lambda named: named.name
    ),
)


def _counted(status: str) -> Callable[[Named], Cell]:
    return lambda named: sum(one.status == status for one in named.analysis.grana)


def _strain(of: Callable[[Strain], Cell]) -> Callable[[Named], Cell]:
    return lambda named: None if named.analysis.strain is None else of(named.analysis.strain)


def _of_file(name: str, meaning: str, of: Callable[[Named], Cell]) -> Column:
    return Column(name, meaning, of)


MICROGRAPHS = (
    _of_file("file", "path of the micrograph, as given", _file),
    _of_file("group", "by --groups; empty without", lambda named: named.group),
    _of_file(
        "status", "ok, or error: not analysed", lambda n: "error" if n.analysis.error else "ok"
    ),
    _of_file(
        "reason",
        "why it wasn't analysed, and notes",
        lambda n: n.analysis.error or "; ".join(n.analysis.notes),
    ),
    _of_file("rows", "height without an information strip, px", lambda n: n.analysis.rows or None),
    _of_file("columns", "width, px", lambda n: n.analysis.columns or None),
    _of_file("px_per_nm", "scale; empty if it isn't known", lambda n: n.analysis.px_per_nm),
    _of_file("px_per_nm_source", "who states the scale", lambda n: n.analysis.px_per_nm_source),
    _of_file("grana", "number of grana", lambda n: len(n.analysis.grana)),
    *(
        _of_file(status, f"number of grana with status {status}", _counted(status))
        for status in STATUSES
    ),
    _of_file(
        "strain",
        "compression of the section: half of the relative difference between the longest and the "
        "shortest SRD of any direction; empty where too few grana tell",
        _strain(lambda strain: strain.amount.value),
    ),
    _of_file("strain_sd", "sd of strain", _strain(lambda strain: strain.amount.sd)),
    _of_file(
        "strain_axis_deg",
        "direction of the lamellae whose SRD is longest, as direction_deg",
        _strain(lambda strain: strain.axis_deg.value),
    ),
    _of_file("strain_axis_sd_deg", "sd of strain_axis_deg", _strain(lambda s: s.axis_deg.sd)),
    _of_file(
        "strain_probability",
        f"of so large a strain by chance; below {SIGNIFICANT:g} SRDs are corrected",
        _strain(lambda strain: strain.probability),
    ),
    _of_file(
        "strain_grana", "number of grana that the strain is fitted to", _strain(lambda s: s.grana)
    ),
    _of_file("name", "of its pictures, label image and outlines", lambda named: named.name),
)


def header(columns: Sequence[Column]) -> list[str]:
    """Returns the names of columns."""
    return [column.name for column in columns]


def grana_rows(micrographs: Sequence[Named]) -> Iterator[list[Cell]]:
    """Yields the cells of `GRANA` for each granum, and for each file with an error."""
    for named in micrographs:
        grana: Sequence[Granum | None] = (None,) if named.analysis.error else named.analysis.grana
        for granum in grana:
            yield [_shown(column.cell(named, granum)) for column in GRANA]


def micrograph_rows(micrographs: Sequence[Named]) -> Iterator[list[Cell]]:
    """Yields the cells of `MICROGRAPHS` for each micrograph."""
    for named in micrographs:
        yield [_shown(column.cell(named)) for column in MICROGRAPHS]
