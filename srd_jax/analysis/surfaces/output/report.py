"""Draws fits and writes the report of `srd surfaces fit` as one HTML page."""

import dataclasses
import io
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from srd_jax.analysis.surfaces.answer import Alternative, Answer
from srd_jax.analysis.surfaces.axes import direction
from srd_jax.analysis.surfaces.fit import Fit, sentence
from srd_jax.analysis.surfaces.output import table
from srd_jax.imaging.picture import to_bytes
from srd_jax.support import drawing, page
from srd_jax.support.terminal import printable

# Of a panel: px of the picture per px of the frame, and sds at which it is white or black.
_ZOOM, _SDS = 3, 3.0
_CAPTIONS = ("region", "in the band", "simulation", "residual")
# Characters of pictures within the page; of further fits only the numbers are shown.
BUDGET = 30_000_000


@dataclasses.dataclass(frozen=True)
class Shown:
    """A fit for the page.

    Attributes:
      file: path of the micrograph.
      answer: numbers.
      picture: PNG of the panels; empty where nothing was fitted.
    """

    file: str
    answer: Answer
    picture: bytes = b""


def picture(fit: Fit) -> bytes:
    """Returns a PNG of region, band-passed region, simulation and residual, side by side."""
    frame = fit.frame
    best = fit.answer.best
    gain = max(0.0, best.ncc) if best is not None else 0.0
    level = _SDS / np.sqrt(max(frame.mask.sum(), 1))
    residual = np.where(frame.mask, frame.data - gain * fit.model, 0.0)
    panels = [_of_grey(frame.grey, frame.mask)]
    panels += [_scaled(one, level, frame.mask) for one in (frame.data, fit.model, residual)]
    columns = [
        drawing.join([_enlarged(panel), drawing.text(words)], 0, gap=3)
        for panel, words in zip(panels, _CAPTIONS, strict=True)
    ]
    stream = io.BytesIO()
    Image.fromarray(drawing.join(columns, 1)).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _of_grey(grey: np.ndarray, mask: np.ndarray) -> np.ndarray:
    low, high = np.percentile(grey[mask], (1, 99)) if mask.any() else (0.0, 1.0)
    return _inside((grey - low) / max(high - low, 1e-9), mask)


def _scaled(values: np.ndarray, level: float, mask: np.ndarray) -> np.ndarray:
    return _inside(0.5 + 0.5 * values / level, mask)


def _inside(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Returns a picture of the rows and columns of a mask, white outside of it."""
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    shown = np.where(mask, np.clip(values, 0, 1), 1.0)
    if not rows.size:
        return to_bytes(shown)
    return to_bytes(shown[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def _enlarged(panel: np.ndarray) -> np.ndarray:
    large = Image.fromarray(panel).resize(
        (panel.shape[1] * _ZOOM, panel.shape[0] * _ZOOM), Image.Resampling.BICUBIC
    )
    return np.repeat(np.asarray(large)[..., None], 3, axis=2)


def report(shown: Sequence[Shown], origin: Mapping[str, str], budget: int = BUDGET) -> str:
    """Renders the page.

    Args:
      shown: fits in order.
      origin: versions and options, in words.
      budget: characters of pictures within the page.
    """
    counted = {
        status: sum(one.answer.status == status for one in shown)
        for status in ("ok", "low_confidence", "error")
    }
    fits = []
    for one in shown:
        source = page.data_uri("png", one.picture) if one.picture else ""
        source, budget = (source, budget - len(source)) if len(source) <= budget else ("", budget)
        fits.append(_entry(one, source))
    rendered = page.render(
        "analysis/surfaces/output/report.html.jinja",
        counted={status: number for status, number in counted.items() if number},
        fits=fits,
        origin=origin,
        terms=table.COLUMNS,
    )
    return printable(rendered)  # names of files needn't be Unicode


def _entry(one: Shown, source: str) -> dict[str, object]:
    found = one.answer
    others = [found.best, *found.alternatives] if found.best is not None else []
    return {
        "name": f"{one.file}, {found.region}",
        "status": found.status.replace("_", " "),
        "sentence": sentence(found) if found.best is not None else "",
        "reasons": "; ".join(found.reasons),
        "notes": "; ".join(found.notes),
        "picture": source,
        "table": _alternatives(found, others) if others else None,
    }


def _alternatives(found: Answer, others: Sequence[Alternative]) -> page.Table:
    scale, unit = (found.nm_per_px, "nm") if found.nm_per_px is not None else (1.0, "px")
    columns: list[page.Column] = [
        ("type", lambda one: one.kind),
        (f"a ({unit})", lambda one: page.text(one.cell_px * scale, 1)),
        ("axis", lambda one: direction(one.view, found.axis_sd_deg)),
        ("off zone (°)", lambda one: page.text(one.view.off_zone_deg, 1)),
        ("direction of [-101] (°)", lambda one: page.text(one.view.direction_deg, 1)),
        ("volume fraction", lambda one: page.text(one.fraction, 2)),
        ("NCC", lambda one: page.text(one.ncc, 3)),
        ("probability", lambda one: page.percent(one.share)),
    ]
    return page.table("The best fit, and what else was fitted", columns, others)
