"""Grana that are to be measured anew."""

import dataclasses

from srd_jax.analysis.granum import Granum


@dataclasses.dataclass(frozen=True)
class Task:
    """A granum to be measured.

    Attributes:
      number: of the granum.
      outline: corners x and y, px.
      direction_deg: set by a person; None to find it.
      period_px: set by a person; None to measure it.
      before: the granum as it was, which tells about where to look; None for a new one.
      like: how far `before` tells: outline, its outline is the same; granum, it is another outline
        of this granum; period, it is a granum of such a period.
      threshold: least probability of a granum's pixels; None for the usual one.
    """

    number: int
    outline: tuple[tuple[float, float], ...]
    direction_deg: float | None = None
    period_px: float | None = None
    before: Granum | None = None
    like: str = "granum"
    threshold: float | None = None
