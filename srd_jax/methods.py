"""The methods of measuring the period, by name."""

import os
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from srd_jax import baselines, predict
from srd_jax.errors import InputError
from srd_jax.images import Crop
from srd_jax.masks import tight_box
from srd_jax.measurement import Measurement, Method, check_batch_size, grey_and_mask
from srd_jax.tta import Augmented

_BASELINES = {"fft": baselines.fft, "autocorrelation": baselines.autocorrelation}

NETWORK = "network"
METHODS = (NETWORK, *_BASELINES)


class Classical(Method[Measurement]):
    """A measurement of each crop by itself, on the host."""

    def __init__(
        self,
        period: Callable[[ArrayLike, ArrayLike], baselines.Period],
        batch_size: int = predict.BATCH_SIZE,
    ):
        """Takes a function of `baselines`.

        Raises:
          InputError: the batch size is below 1.
        """
        check_batch_size(batch_size)
        self.batch_size = batch_size
        self._period = period

    def prepare(self, image: np.ndarray | Crop) -> Measurement:
        """Measures one crop, since a crop that isn't measurable must not stop its batch.

        Raises:
          InputError: the crop cannot be measured.
        """
        grey, mask = grey_and_mask(image)
        found = self._period(grey, mask)
        return Measurement(
            period_px=found.period_px,
            sd_px=None,
            attention=None,
            scale=1.0,
            box=tight_box(mask),
            quality=found.quality,
        )

    def measure(
        self, prepared: Sequence[Measurement], with_attention: bool = False
    ) -> list[Measurement]:
        """Returns what `prepare` has measured; it has no attention."""
        return list(prepared)


def make(
    name: str,
    weights: str | os.PathLike[str] | None = None,
    batch_size: int = predict.BATCH_SIZE,
    tta: bool = False,
) -> Method:
    """Returns a method.

    Args:
      name: one of METHODS.
      weights: weights file or workdir of a run, for the network and only for it; None for those
        that come with the package.
      batch_size: crops, or views of crops, measured at once.
      tta: measure by the network in several views, see `tta.Augmented`.

    Raises:
      InputError: there is no such method, its weights can't be loaded, weights or test-time
        augmentation are asked of one without a network, or the batch size is below 1.
    """
    if name not in METHODS:
        raise InputError(f"method is {name!r}; accepted are {', '.join(METHODS)}")
    if name == NETWORK:
        estimator = predict.load(weights, batch_size)
        return Augmented(estimator) if tta else estimator
    if weights is not None:
        raise InputError(
            f"method {name} with the weights {weights}; accepted are weights with {NETWORK} only"
        )
    if tta:
        raise InputError(f"method {name} with tta; accepted with {NETWORK} only")
    return Classical(_BASELINES[name], batch_size)
