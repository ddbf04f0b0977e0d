"""Divides an image into tiles of one size that overlap."""

from typing import NamedTuple


class Span(NamedTuple):
    """The part of an axis that a tile covers, and the part that is kept of it.

    Attributes:
      first: where the tile begins.
      keep: where the kept part begins.
      end: where the kept part ends, exclusive.
    """

    first: int
    keep: int
    end: int


def spans(length: int, tile: int, margin: int, grid: int) -> list[Span]:
    """Returns the tiles of an axis, whose kept parts follow one another.

    A kept part ends at least `margin` before the end of its tile, except at the ends of the axis.

    Args:
      length: of the axis; the last tile may reach beyond it.
      tile: length of a tile, a multiple of `grid`, more than twice the margin.
      margin: that isn't kept at an end of a tile, a multiple of `grid`.
      grid: tiles begin at multiples of this.
    """
    padded = max(tile, -(-length // grid) * grid)
    firsts = [*range(0, padded - tile, tile - 2 * margin), padded - tile]
    ends = [first + tile - margin for first in firsts[:-1]] + [length]
    return [
        Span(first, keep, end)
        for first, keep, end in zip(firsts, [0, *ends[:-1]], ends, strict=True)
    ]
