"""The type of a network's parameters."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # files of weights are read without JAX
    import jax

Parameters = Mapping[str, "jax.Array | np.ndarray"]
