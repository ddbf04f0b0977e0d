"""Analyses micrographs one after the other, and compares each with its truth."""

import dataclasses
import heapq
from collections.abc import Callable, Iterable

from srd_jax.analysis.granum import Analysis
from srd_jax.evaluation.micrographs.cases import MISSING, WRONG, Compared
from srd_jax.evaluation.micrographs.comparison import compare, in_picture
from srd_jax.evaluation.micrographs.pictures import picture
from srd_jax.evaluation.micrographs.truth import Annotated
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.support.errors import InputError, one_line

Analyse = Callable[[Micrograph], Analysis]
# A micrograph, or a function that reads it.
Item = tuple[Micrograph | Callable[[], Micrograph], Annotated]


@dataclasses.dataclass(frozen=True)
class Shown:
    """A micrograph of the report.

    Attributes:
      compared: its comparison.
      jpeg: the micrograph with true and found outlines.
    """

    compared: Compared
    jpeg: bytes


def evaluate(
    items: Iterable[Item], analyse: Analyse, least: float = 0.5, worst: int = 12
) -> tuple[list[Compared], list[Shown]]:
    """Analyses and compares micrographs; one that fails misses all of its grana.

    Only one micrograph at a time, and the pictures of the worst ones, are kept in memory.

    Args:
      items: micrographs and their truth.
      analyse: finds and measures the grana of a micrograph.
      least: IoU from which on a found granum is a true one.
      worst: number of pictures.

    Returns:
      The comparisons in the order of the items; and pictures of those with most missing and wrong
      grana, the worst first.
    """
    compared: list[Compared] = []
    shown: list[tuple[int, int, Shown]] = []
    for place, (given, truth) in enumerate(items):
        try:
            micrograph = given if isinstance(given, Micrograph) else given()
            analysis = analyse(micrograph)
            truth = in_picture(truth, analysis)
            one = compare(truth, analysis, least)
        except InputError as error:
            failed = Analysis(truth.name, error=one_line(error))
            compared.append(compare(truth, failed, least))
            continue
        compared.append(one)
        bad = sum(case.outcome in (MISSING, WRONG) for case in one.cases)
        # Earlier ones first among equals.
        if len(shown) < worst or (bad, -place) > shown[0][:2]:
            drawn = Shown(one, picture(micrograph, truth, analysis, one))
            push = heapq.heappush if len(shown) < worst else heapq.heapreplace
            push(shown, (bad, -place, drawn))
    return compared, [one for *_, one in sorted(shown, key=lambda one: one[:2], reverse=True)]
