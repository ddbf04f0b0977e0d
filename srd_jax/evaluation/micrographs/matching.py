"""Matches found grana with true ones, each with one at most."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from scipy import ndimage, optimize

from srd_jax.evaluation.micrographs.areas import Region, iou, overlap, union

# Grana touch if the gap between them is no wider than this share of the smaller one's mean
# diameter, the root of its area; annotations are no more exact.
_GAP = 0.1
# A granum lies in another area if this share of it does.
_MOSTLY = 0.5


@dataclasses.dataclass(frozen=True)
class Matching:
    """Which found grana are which true ones, by their places in the given sequences.

    Attributes:
      pairs: true, found and their IoU, of sure and of possible grana.
      merged: true ones that were found as one with grana that they touch, and the found one.
      wrong: found ones that are no granum.
      ignored: found ones that count neither as right nor as wrong, as they lie in possible grana.
    """

    pairs: tuple[tuple[int, int, float], ...]
    merged: tuple[tuple[int, int], ...]
    wrong: tuple[int, ...]
    ignored: tuple[int, ...]


def match(
    true: Sequence[Region], sure: Sequence[bool], found: Sequence[Region], least: float = 0.5
) -> Matching:
    """Matches regions of one grid.

    Sure grana are matched one to one, as many as can be with an IoU of at least `least`, and the
    best of these ways (Kuhn 1955, "The Hungarian method"); then possible ones with what is left.
    A found granum that covers several true ones which touch finds all of them if its IoU with their
    union is at least `least`.

    Args:
      true: regions of true grana.
      sure: whether each is sure; others are possible.
      found: regions of found grana.
      least: IoU of a match, above 0.
    """
    ious = np.array([[iou(one, other) for other in found] for one in true])
    ious = ious.reshape(len(true), len(found))
    certain = np.array(sure, bool).reshape(len(true))
    pairs = _one_to_one(ious * certain[:, None], least)
    taken = {other for _, other in pairs}
    left = np.array([i not in taken for i in range(len(found))], bool)
    pairs += _one_to_one(ious * ~certain[:, None] * left, least)
    alone = {one for one, _ in pairs}
    merged = [
        (one, place)
        for place, region in enumerate(found)
        for one in _covered(true, region, least)
        if one not in alone
    ]
    rest = set(range(len(found))) - {other for _, other in (*pairs, *merged)}
    doubtful = union(one for one, is_sure in zip(true, sure, strict=True) if not is_sure)
    ignored = {i for i in rest if overlap(found[i], doubtful) >= _MOSTLY * max(found[i].size, 1)}
    return Matching(
        tuple((one, other, float(ious[one, other])) for one, other in sorted(pairs)),
        tuple(sorted(dict(merged).items())),
        tuple(sorted(rest - ignored)),
        tuple(sorted(ignored)),
    )


def _one_to_one(ious: np.ndarray, least: float) -> list[tuple[int, int]]:
    """Returns the largest set of pairs with an IoU of at least `least`; among equals the best."""
    # One more pair outweighs all that IoUs can add.
    weights = np.where(ious >= least, min(ious.shape, default=0) + 1 + ious, 0.0)
    rows, columns = optimize.linear_sum_assignment(weights, maximize=True)
    chosen = zip(rows.tolist(), columns.tolist(), strict=True)
    return [(one, other) for one, other in chosen if ious[one, other] >= least]


def _covered(true: Sequence[Region], region: Region, least: float) -> list[int]:
    """Returns the true grana that a region finds as one; none for less than two that touch."""
    inside = [i for i, one in enumerate(true) if overlap(one, region) > _MOSTLY * one.size]
    best: list[int] = []
    for group in _touching([true[i] for i in inside]):
        together = union(true[inside[i]] for i in group)
        if len(group) > 1 and iou(together, region) >= least:
            best = [inside[i] for i in group]
    return best


def _touching(regions: Sequence[Region]) -> list[list[int]]:
    """Groups regions that touch, directly or through others."""
    groups: list[set[int]] = []
    for i, one in enumerate(regions):
        near = {j for j in range(i) if _touch(one, regions[j])}
        joined = {i}.union(*(group for group in groups if group & near))
        groups = [group for group in groups if not group & near] + [joined]
    return [sorted(group) for group in groups]


def _touch(first: Region, second: Region) -> bool:
    """Tells whether the gap between two regions is small beside them."""
    both = union([first, second])
    outside = np.ones(both.mask.shape, bool)
    top, left = first.top - both.top, first.left - both.left
    outside[top:, left:][: len(first.mask), : first.mask.shape[1]] = ~first.mask
    distance = np.asarray(ndimage.distance_transform_edt(outside))
    top, left = second.top - both.top, second.left - both.left
    there = distance[top:, left:][: len(second.mask), : second.mask.shape[1]]
    gap = 1 + _GAP * min(first.size, second.size) ** 0.5
    return bool(there[second.mask].min() <= gap)
