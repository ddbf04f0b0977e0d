"""Writes the report of an analysis as one HTML page, doubtful grana first."""

import io
import pathlib
import urllib.parse
from collections.abc import Callable, Mapping, Sequence

from PIL import Image

from srd_jax.analysis.granum import Granum
from srd_jax.analysis.output import table
from srd_jax.analysis.output.folder import Folder
from srd_jax.analysis.output.outlines import COLOURS
from srd_jax.analysis.output.quantities import IN_PX, QUANTITIES, significant
from srd_jax.analysis.output.summary import Summary, groups
from srd_jax.analysis.output.table import Named
from srd_jax.analysis.report import plots
from srd_jax.support import page
from srd_jax.support.page import text
from srd_jax.support.terminal import printable

# Base64 characters of pictures within the page; the others are shown from their files beside it.
BUDGET = 30_000_000
_DOUBTFUL = 200  # grana shown one by one
_LISTED = 1000  # grana of which the page holds tables
_PANELS = 12  # of strains
_MICROGRAPH_PX, _GRANUM_PX = 1200, 640

_QUANTITIES = {one.name: one for one in (*QUANTITIES, *IN_PX)}


def report(
    folder: Folder,
    micrographs: Sequence[Named],
    summaries: Sequence[Summary],
    origin: Mapping[str, str],
    budget: int = BUDGET,
) -> str:
    """Renders the page from results and from pictures in a folder.

    Args:
      folder: of the pictures.
      micrographs: in order.
      summaries: see `summary.summarise`.
      origin: versions, weights and options, in words.
      budget: characters of pictures within the page.
    """
    shown = _within(folder.root, budget)
    grana = [(one, granum) for one in micrographs for granum in one.analysis.grana]
    doubtful = [
        (one, granum) for one, granum in grana if granum.status in ("low_confidence", "error")
    ]
    strained = [named for named in micrographs if named.analysis.strain is not None]
    panels = _clearest(strained)
    drawn = {
        "violins": plots.violins(micrographs),
        "strains": plots.strains(panels) if panels else None,
    }
    counted = {s: sum(g.status == s for _, g in grana) for s in COLOURS}
    rendered = page.render(
        "analysis/report/report.html.jinja",
        counted={status: number for status, number in counted.items() if number},
        colours=COLOURS,
        micrographs=len(micrographs),
        failures=_failures(micrographs),
        grana=len(grana),
        doubtful=[
            _granum(named, one, shown(folder.granum(named.name, one.number), _GRANUM_PX))
            for named, one in doubtful[:_DOUBTFUL]
        ],
        more_doubtful=max(0, len(doubtful) - _DOUBTFUL),
        summaries=[_summary("All grana", [s for s in summaries if s.scope == "all"])]
        + [
            _summary(group, [s for s in summaries if (s.scope, s.of) == ("group", group)])
            for group in groups(micrographs)
        ],
        plots={k: page.data_uri("svg+xml", page.svg(v)) for k, v in drawn.items() if v is not None},
        strained=len(strained),
        significant=sum(significant(named.analysis.strain) for named in strained),
        panels=len(panels),
        pictures=[
            _micrograph(named, shown(folder.annotated(named.name), _MICROGRAPH_PX), len(grana))
            for named in micrographs
            if not named.analysis.error
        ],
        listed=len(grana) <= _LISTED,
        origin=origin,
        terms={column.name: column.meaning for column in table.GRANA},
    )
    return printable(rendered)  # names of files needn't be Unicode


def _clearest(strained: Sequence[Named]) -> list[Named]:
    """Returns the micrographs whose strain is least likely by chance, in their order."""

    def chance(place: int) -> float:
        strain = strained[place].analysis.strain
        return 1.0 if strain is None else strain.probability

    places = sorted(range(len(strained)), key=chance)[:_PANELS]
    return [strained[place] for place in sorted(places)]


def _within(root: pathlib.Path, budget: int) -> Callable[[pathlib.Path, int], str]:
    """Returns a function that gives the source of a picture: its data while there is room.

    Beyond that, the source is the picture's path from the page, and "" where there is no picture.
    """
    left = budget

    def source(path: pathlib.Path, side: int) -> str:
        nonlocal left
        if not path.is_file():
            return ""
        if left > 0:
            data = page.data_uri("jpeg", _small(path, side))
            left -= len(data)
            if left >= 0:
                return data
        return urllib.parse.quote(path.relative_to(root).as_posix(), errors="surrogateescape")

    return source


def _small(path: pathlib.Path, side: int) -> bytes:
    """Returns a picture as a JPEG whose sides are no longer than asked."""
    file = io.BytesIO()
    with Image.open(path) as picture:
        picture = picture.convert("RGB")
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
        picture.save(file, "JPEG", quality=82, subsampling=0)
    return file.getvalue()


def _granum(named: Named, granum: Granum, source: str) -> dict[str, str]:
    return {
        "name": f"{named.name}, granum {granum.number}",
        "picture": source,
        "status": granum.status.replace("_", " "),
        "reason": granum.reason,
    }


def _micrograph(named: Named, source: str, grana: int) -> dict[str, object]:
    analysis = named.analysis
    scale = (
        f"{analysis.px_per_nm:.4g} px/nm by {analysis.px_per_nm_source or 'an unknown source'}"
        if analysis.px_per_nm is not None
        else "scale unknown: lengths are in px"
    )
    number = len(analysis.grana)
    counted = f"{number} gran{'um' if number == 1 else 'a'}"
    words = f"{analysis.columns} × {analysis.rows} px; {scale}; {counted}"
    return {
        "name": named.name,
        "file": analysis.file,
        "group": named.group,
        "picture": source,
        "words": "; ".join([words, *analysis.notes]),
        "table": _grana(named) if number and grana <= _LISTED else None,
    }


def _grana(named: Named) -> page.Table:
    """Returns the table of the grana of a micrograph."""
    analysis = named.analysis
    unscaled = analysis.px_per_nm is None
    quantities = IN_PX + tuple(q for q in QUANTITIES if not q.unit) if unscaled else QUANTITIES

    def cell(quantity):
        def shown(granum: Granum) -> str:
            value = quantity.of(granum, analysis)
            if value is None:
                return "–"
            sd = f" ± {text(value.sd, quantity.decimals)}" if value.sd else ""
            return text(value.value, quantity.decimals if value.sd else 0) + sd

        return shown

    columns: list[page.Column] = [("granum", lambda granum: str(granum.number))]
    columns += [
        (quantity.label, cell(quantity))
        for quantity in quantities
        if any(quantity.of(granum, analysis) for granum in analysis.grana)
    ]
    columns += [
        (
            "direction (°)",
            lambda g: "–" if g.direction_deg is None else text(g.direction_deg.value, 0),
        ),
        ("at the border", lambda granum: "yes" if granum.touches_border else ""),
        ("status", lambda granum: granum.status.replace("_", " ")),
        ("reason", lambda granum: granum.reason),
    ]
    return page.table("Values ± sd", columns, analysis.grana)


def _summary(caption: str, summaries: Sequence[Summary]) -> page.Table:
    def number(field: str) -> Callable[[Summary], str]:
        return lambda one: text(getattr(one, field), max(1, _QUANTITIES[one.quantity].decimals))

    columns: list[page.Column] = [
        ("quantity", lambda one: _QUANTITIES[one.quantity].label),
        ("mean", number("mean")),
        ("sd", number("sd")),
        ("median", number("median")),
        ("grana", lambda one: str(one.grana)),
        ("micrographs", lambda one: str(one.micrographs)),
        ("mean of micrographs", number("mean_of_micrographs")),
        ("their sd", number("sd_of_micrographs")),
    ]
    return page.table(caption, columns, summaries)


def _failures(micrographs: Sequence[Named]) -> page.Table:
    failed = [named.analysis for named in micrographs if named.analysis.error]
    columns = [("file", lambda one: one.file), ("reason", lambda one: one.error)]
    return page.table(f"{len(failed)} of {len(micrographs)} files", columns, failed)
