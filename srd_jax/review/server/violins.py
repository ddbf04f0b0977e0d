"""Draws a quantity of the grana that count: a violin and points, which a page links to its rows."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from typing import Any

from srd_jax.analysis.output.quantities import IN_PX, QUANTITIES
from srd_jax.analysis.report import plots
from srd_jax.support import page

_SVG = "http://www.w3.org/2000/svg"
# Most points that a page can link; more are drawn as pixels.
_LINKED = 3000
# matplotlib's ink, which becomes the page's own.
_INKS = ("#000000", "#404040")

NAMES = tuple(one.name for one in (*QUANTITIES, *IN_PX))


def draw(name: str, files: Mapping[str, tuple[str, Sequence[Mapping[str, Any]]]]) -> bytes:
    """Returns the plot of a quantity as SVG without styles, which a strict page would refuse.

    Args:
      name: of the quantity.
      files: group, and grana as the API has them, by name of the micrograph.
    """
    quantity = next(one for one in (*QUANTITIES, *IN_PX) if one.name == name)
    sets: dict[str, tuple[list[list[float]], list[str]]] = {}
    for file, (group, grana) in files.items():
        of_file, ids = sets.setdefault(group, ([], []))
        found = {
            granum["number"]: value["value"]
            for granum in grana
            if granum["counts"] and (value := granum["values"].get(name)) is not None
        }
        of_file.append(list(found.values()))
        ids += [f"point-{file}-{number}" for number in found]
    linked = sum(len(ids) for _, ids in sets.values()) <= _LINKED
    figure = plots.empty_figure(max(1.0, 0.6 * len(sets)), 1)
    axes = figure.subplots()
    for at, (values, ids) in enumerate(sets.values()):
        plots.violin(
            axes, at, values, plots.COLOURS[at % len(plots.COLOURS)], ids if linked else ()
        )
    labels = [group if len(group) <= 14 else f"{group[:13]}…" for group in sets]
    axes.set_xticks(range(len(sets)), [one.replace("$", r"\$") for one in labels])
    axes.set(ylabel=quantity.label, xlim=(-0.6, max(len(sets), 1) - 0.4))
    figure.patch.set_visible(False)
    axes.patch.set_visible(False)
    return _plain(page.svg(plots.styled(figure)), quantity.label)


def _plain(svg: bytes, title: str) -> bytes:
    """Returns a drawing whose styles are attributes, in the page's own ink, with a title."""
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    root = ElementTree.fromstring(svg)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{_SVG}}}style", f"{{{_SVG}}}metadata"):
                parent.remove(child)
    for one in root.iter():
        for part in one.attrib.pop("style", "").split(";"):
            name, _, value = part.partition(":")
            if value.strip():
                ink = value.strip() in _INKS
                one.set(name.strip(), "currentColor" if ink else value.strip())
    root.set("role", "img")
    words = ElementTree.Element(f"{{{_SVG}}}title")
    words.text = f"{title} of the grana that count"
    root.insert(0, words)
    return ElementTree.tostring(root)
