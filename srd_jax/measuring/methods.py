"""Makes the methods by name."""

import os

from srd_jax.measuring import (
    AUTOCORRELATION,
    BATCH_SIZE,
    COMBINED,
    FFT,
    METHODS,
    NETWORK,
    WITH_NETWORK,
    estimator,
)
from srd_jax.measuring.autocorrelation import autocorrelation
from srd_jax.measuring.classical import Classical
from srd_jax.measuring.combination import Combined
from srd_jax.measuring.measurement import Method
from srd_jax.measuring.spectrum import fft
from srd_jax.measuring.tta import Augmented
from srd_jax.support.errors import InputError

_CLASSICAL = {FFT: fft, AUTOCORRELATION: autocorrelation}


def make(
    name: str | None = None,
    weights: str | os.PathLike[str] | None = None,
    batch_size: int = BATCH_SIZE,
    tta: bool = False,
) -> Method:
    """Makes a method.

    Args:
      name: one of METHODS; None for combined, the best one, or network if the weights give no sd.
      weights: weights file or workdir of a run, for a method with a network only; None for the
        weights of the package.
      batch_size: number of crops, or of their views, measured at once.
      tta: let the network measure several views, see `tta.Augmented`.

    Raises:
      InputError: there is no such method, its weights can't be loaded or lack a needed sd, weights
        or tta are given to a method without a network, or the batch size is below 1.
    """
    if name is not None and name not in METHODS:
        raise InputError(f"method is {name!r}; accepted are {', '.join(METHODS)}")
    if name in _CLASSICAL:
        if weights is not None or tta:
            found = "tta" if weights is None else f"the weights {weights}"
            raise InputError(
                f"method {name} with {found}; accepted with {' and '.join(WITH_NETWORK)} only"
            )
        return Classical(_CLASSICAL[name], batch_size)
    plain = estimator.load(weights, batch_size)
    network = Augmented(plain) if tta else plain
    if plain.weights.model.confidence and name != NETWORK:
        return Combined(network)
    if name == COMBINED:
        raise InputError(
            f"{weights}: gives no sd, which the method {COMBINED} needs; "
            f"accepted: weights that do, or the method {NETWORK}"
        )
    return network


def load(
    weights: str | os.PathLike[str] | None = None,
    batch_size: int = BATCH_SIZE,
    method: str | None = None,
    tta: bool = False,
) -> Method:
    """Loads what measures crops best; the same as `make`, with the weights first.

    Args:
      weights, batch_size, tta: see `make`.
      method: one of METHODS, such as network for the network alone; None as in `make`.

    Raises:
      InputError: see `make`.
    """
    return make(method, weights, batch_size, tta)
