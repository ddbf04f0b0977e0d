"""Asks a network for the structures in pictures."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from srd_jax.networks.modules import check_shapes, shapes_of
from srd_jax.support.compiling import jit
from srd_jax.synthetic.surfaces.batch import standardised
from srd_jax.tasks.surfaces import grid, model
from srd_jax.tasks.surfaces.calibration import calibrated, tempered
from srd_jax.tasks.surfaces.candidates import Candidates, candidates, kind_probability
from srd_jax.tasks.surfaces.weights import SurfacesWeights

# (grey values, masks) → (probability of each kind, candidates), see `make`.
Answer = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, Candidates]]


def make(of: SurfacesWeights, count: int) -> Answer:
    """Returns a function that finds the structures in pictures of one shape.

    It takes grey values, (B, R, C) in any unit, and masks, (B, R, C) bool, and returns the
    probability of each kind, (B, K), and the best candidates, (B, count), both calibrated, as NumPy
    arrays. Another shape of pictures is compiled anew.

    Args:
      of: the network's parameters.
      count: of candidates.

    Raises:
      InputError: the parameters aren't those of the network.
    """
    check_shapes(shapes_of(of.parameters), model.parameter_shapes(of.model), "weights")
    apply, cells = model.as_function(of.model), grid.make(of.model.grid)

    def ask(parameters, grey: jax.Array, mask: jax.Array) -> tuple[jax.Array, Candidates]:
        found = apply(parameters, standardised(grey, mask), mask)
        return kind_probability(found, cells), candidates(found, cells, count)

    compiled = jit(ask)

    def answer(grey: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, Candidates]:
        kinds, found = jax.device_get(
            compiled(of.parameters, jnp.asarray(grey, jnp.float32), jnp.asarray(mask, bool))
        )
        return tempered(kinds, of.calibration.temperature), calibrated(found, of.calibration)

    return answer
