"""The methods of measuring the period, by name."""

import os
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from srd_jax.imaging.crop import Crop
from srd_jax.imaging.masks import tight_box
from srd_jax.measuring import autocorrelation, classical
from srd_jax.measuring.combination import Combined
from srd_jax.measuring.estimator import BATCH_SIZE, load
from srd_jax.measuring.measurement import Measurement, Method, check_batch_size, grey_and_mask
from srd_jax.measuring.tta import Augmented
from srd_jax.support.errors import InputError

_BASELINES = {"fft": classical.fft, "autocorrelation": autocorrelation.autocorrelation}

# The methods that take weights: a network and autocorrelation combined, and a network alone.
COMBINED, NETWORK = WITH_NETWORK = ("combined", "network")
METHODS = (*WITH_NETWORK, *_BASELINES)


class Classical(Method[Measurement]):
    """A measurement of each crop by itself, on the host."""

    def __init__(
        self,
        period: Callable[[ArrayLike, ArrayLike], classical.Period],
        batch_size: int = BATCH_SIZE,
    ):
        """Takes a function of `baselines` or `autocorrelation`.

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
    name: str | None = None,
    weights: str | os.PathLike[str] | None = None,
    batch_size: int = BATCH_SIZE,
    tta: bool = False,
) -> Method:
    """Returns a method.

    Args:
      name: one of METHODS; None for combined, or for network where the weights give no sd.
      weights: weights file or workdir of a run, for a network and only for it; None for those that
        come with the package.
      batch_size: crops, or views of crops, measured at once.
      tta: measure by the network in several views, see `tta.Augmented`.

    Raises:
      InputError: there is no such method, its weights can't be loaded or give no sd where one is
        needed, weights or test-time augmentation are asked of one without a network, or the batch
        size is below 1.
    """
    if name is not None and name not in METHODS:
        raise InputError(f"method is {name!r}; accepted are {', '.join(METHODS)}")
    if name in _BASELINES:
        if weights is not None or tta:
            found = "tta" if weights is None else f"the weights {weights}"
            raise InputError(
                f"method {name} with {found}; accepted with {' and '.join(WITH_NETWORK)} only"
            )
        return Classical(_BASELINES[name], batch_size)
    estimator = load(weights, batch_size)
    network = Augmented(estimator) if tta else estimator
    if estimator.weights.model.confidence and name != NETWORK:
        return Combined(network)
    if name == COMBINED:
        raise InputError(
            f"{weights}: gives no sd, which the method {COMBINED} needs; "
            f"accepted: weights that do, or the method {NETWORK}"
        )
    return network
