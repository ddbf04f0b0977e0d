"""Where a network looks in a crop, as a figure."""

import numpy as np
from matplotlib.figure import Figure

from srd_jax.imaging.crop import Crop
from srd_jax.measuring.estimator import Estimator
from srd_jax.tasks.period.attention import attention_figure, title


def crop_attention(
    estimator: Estimator, crop: np.ndarray | Crop, name: str, true_px: float | None = None
) -> Figure:
    """Measures a crop, and draws where the network looks in the frame that it is shown.

    Args:
      estimator: from `predict.load`.
      crop: as `images.read_crop` gives it, or (rows, columns) grey values, see `Method.__call__`.
      name: of the crop, for the title.
      true_px: known period, px of the crop; None without.

    Returns:
      See `attention_figure.attention_figure`; `attention_figure.write_figure` writes it.

    Raises:
      InputError: the crop cannot be measured.
    """
    prepared = estimator.prepare(crop)
    (found,) = estimator.measure([prepared], with_attention=True)
    assert found.attention is not None
    scale = found.scale
    text = title(
        name,
        period=found.period_px * scale,
        sd=None if found.sd_px is None else found.sd_px * scale,
        true=None if true_px is None else true_px * scale,
        scale=scale,
    )
    geometry = estimator.weights.model.geometry
    return attention_figure(prepared.image, found.attention, geometry, text)
