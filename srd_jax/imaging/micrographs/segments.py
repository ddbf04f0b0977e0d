"""Finds rows of segments that are black and white in turn, of which some scale bars are made."""

from collections.abc import Collection

import numpy as np

from srd_jax.imaging.micrographs.flat_runs import Range, Rectangle

# Px around a row of segments that its outline may take, and between segments.
OUTLINE, BETWEEN = 8, 4
# Px by which segments of one colour differ; of their length: by which those of the other colour do,
# as an outline takes some.
_ALIKE, _DIFFERENT = 3, 0.25
# A row of fewer segments may be a bar and the blank paper beside it.
_SEGMENTS = 3


def chains(
    grey: np.ndarray, found: list[Rectangle], bounded: Collection[Rectangle], limits: Range
) -> list[list[Rectangle]]:
    """Returns rows of segments that are dark and light in turn.

    Args:
      grey: (rows, columns), of the picture.
      found: rectangles.
      bounded: those of them whose surroundings differ, as some of each colour must.
      limits: of grey values.
    """
    rows: list[list[Rectangle]] = []
    by_end: dict[int, list[list[Rectangle]]] = {}
    for one in sorted(found, key=lambda one: one.column0):
        near = (
            chain
            for gap in range(BETWEEN + 1)
            for chain in by_end.get(one.column0 - gap, ())
            if _continues(chain, one, limits)
        )
        chain = next(near, None)
        if chain is None:
            chain = []
            rows.append(chain)
        else:
            by_end[chain[-1].column1].remove(chain)
        chain.append(one)
        by_end.setdefault(one.column1, []).append(chain)
    # Else the last ones of a colour may be lost in the picture.
    return [
        chain
        for chain in rows
        if len(chain) >= _SEGMENTS
        and any(one in bounded for one in chain[::2])
        and any(one in bounded for one in chain[1::2])
        and not any(_goes_on(grey, end, limits) for end in (chain, chain[::-1]))
    ]


def _continues(chain: list[Rectangle], one: Rectangle, limits: Range) -> bool:
    """Tells whether a rectangle is the next segment of a row of them."""
    last = chain[-1]
    rows = min(one.row1, last.row1) - max(one.row0, last.row0)
    alike = abs(one.length - chain[-2].length) <= _ALIKE if chain[1:] else True
    return (
        alike
        and rows >= 0.6 * min(one.height, last.height)
        and abs(one.height - last.height) <= OUTLINE
        and abs(one.length - last.length) <= max(_ALIKE, _DIFFERENT * last.length)
        and abs(one.value - last.value) >= 2 * limits.contrast
    )


def _goes_on(grey: np.ndarray, chain: list[Rectangle], limits: Range) -> bool:
    """Tells whether a segment seems to follow the last one that was too blurred to be found.

    Args:
      grey: (rows, columns), of the picture.
      chain: segments, in the order towards the end that is looked at.
      limits: of grey values.
    """
    before, last = chain[-2:]
    outwards = 1 if last.column0 > before.column0 else -1
    start = last.column1 if outwards > 0 else last.column0 - 1
    columns = start + outwards * np.arange(last.length + 2 * OUTLINE)
    columns = columns[(columns >= 0) & (columns < grey.shape[1])]
    line = np.median(limits.of(grey[last.row0 : last.row1][:, columns]), axis=0)
    like = np.abs(line - before.value) < 2 * limits.contrast
    inside, beyond = like[_ALIKE : last.length - _ALIKE], like[last.length + _ALIKE :]
    return bool(inside.size and beyond.size and inside.mean() > 0.8 and beyond.mean() < 0.5)


def joined(chain: list[Rectangle]) -> Rectangle:
    """Returns the rectangle of a row of segments."""
    row0, row1 = min(one.row0 for one in chain), max(one.row1 for one in chain)
    return Rectangle(row0, row1, chain[0].column0, chain[-1].column1, chain[0].value)
