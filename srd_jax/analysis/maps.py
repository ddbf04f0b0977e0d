"""Maps of a micrograph, which a detector makes and from which grana are cut."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Maps:
    """Dense maps of one micrograph, on a coarser grid.

    Attributes:
      probability: (r, c) that a pixel belongs to a granum, 0..1.
      distance: (r, c) to the outline of the own granum over `REACH_NM`, at most 1; 0 outside. It
        falls to about 0 between grana that touch.
      cosine, sine: (r, c) of twice the direction of the lamellae, counter-clockwise from the
        horizontal as seen; their length is the confidence, 0..1.
      log_period: (r, c) natural logarithm of the period, px of the micrograph.
      scale: px of the maps per px of the micrograph. The centre of pixel (i, j) of the maps lies at
        ((i + 0.5) / scale, (j + 0.5) / scale) of the micrograph, whose first pixel covers 0 to 1.
      certain: least mean probability of a granum, as a share of the way from the threshold to 1.
    """

    probability: np.ndarray
    distance: np.ndarray
    cosine: np.ndarray
    sine: np.ndarray
    log_period: np.ndarray
    scale: float
    certain: float = 0.0
