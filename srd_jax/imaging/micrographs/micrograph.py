"""A micrograph in memory."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Micrograph:
    """One micrograph.

    Attributes:
      name: path as given.
      grey: (rows, columns) grey values in the file's own type, light is high; no information strip.
      px_per_nm: scale; None if it isn't known.
      source: who states the scale, for the table; empty if it isn't known.
      notes: facts about the file, each a phrase, such as a strip that was cut off.
      strips: rows of the file that were cut off above and below.
    """

    name: str
    grey: np.ndarray
    px_per_nm: float | None = None
    source: str = ""
    notes: tuple[str, ...] = ()
    strips: tuple[int, int] = (0, 0)
