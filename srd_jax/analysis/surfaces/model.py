"""The picture that a fit renders: its parameters, how they are stepped, what is known of them.

Lengths are in units of the cell, so that a fit needs no scale. Section thickness, membrane width,
blur, absorption, filling and strain are nuisances: a projection hardly tells them apart, and they
have priors, the ranges of prolamellar bodies.
"""

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from srd_jax.analysis.surfaces.shifts import Hypothesis
from srd_jax.synthetic.surfaces import rotations
from srd_jax.synthetic.surfaces.fractions import level_of_fraction
from srd_jax.synthetic.surfaces.projection import Surface, project

# Of a step, in order. Vectors: rotation about and shift along the axes x, y, z of the picture.
NAMES = (
    "log_cell", "logit_fraction", "turn_x", "turn_y", "turn_z", "shift_x", "shift_y", "shift_z",
    "log_thickness", "log_wall", "log_edge", "filling", "log_absorption", "strain", "strain_across",
)  # fmt: skip
# Mean and sd of what has a prior, by name.
PRIORS = {
    "logit_fraction": (-0.8, 1.3),
    "log_thickness": (np.log(0.9), 0.4),
    "log_wall": (np.log(0.095), 0.25),
    "log_edge": (np.log(0.035), 0.4),
    "filling": (0.03, 0.1),
    "log_absorption": (np.log(2.0), 1.0),
    "strain": (0.0, 0.015),
    "strain_across": (0.0, 0.015),
}
MEANS = np.array([PRIORS.get(name, (0.0, 0.0))[0] for name in NAMES], np.float32)
# 1 / variance, 0 for none.
PRECISIONS = np.array(
    [1 / PRIORS[name][1] ** 2 if name in PRIORS else 0.0 for name in NAMES], np.float32
)
# Places along the beam: enough for membranes of a tenth of a cell.
SAMPLES = 24


@struct.dataclass
class Parameters:
    """A slab in a frame; leading axes of batches come first.

    Attributes:
      numbers: (15,) values of NAMES, 0 for turns and shifts, which the next two hold.
      rotation: (3, 3).
      shift: (3,) cells, axes of the crystal.
    """

    numbers: jax.Array
    rotation: jax.Array
    shift: jax.Array

    @property
    def cell(self) -> jax.Array:
        """Edge a of the cell, px of the frame."""
        return jnp.exp(self.numbers[..., 0])

    @property
    def fraction(self) -> jax.Array:
        """Of the volume with f above c."""
        return jax.nn.sigmoid(self.numbers[..., 1])


def unusual(of: Parameters) -> float:
    """Returns how far a slab lies from the priors: the sum of its squared distances, in sds."""
    away = np.asarray(of.numbers, float) - MEANS
    return float(np.sum(PRECISIONS * away**2))


def start(hypothesis: Hypothesis) -> Parameters:
    """Returns the parameters of a hypothesis with a shift; nuisances are at their means."""
    numbers = MEANS.copy()
    numbers[0] = np.log(hypothesis.cell)
    numbers[1] = np.log(hypothesis.fraction / (1 - hypothesis.fraction))
    shift = np.zeros(3) if hypothesis.shift is None else hypothesis.shift
    return Parameters(
        jnp.asarray(numbers),
        jnp.asarray(hypothesis.rotation, jnp.float32),
        jnp.asarray(shift, jnp.float32),
    )


def stepped(parameters: Parameters, step: jax.Array) -> Parameters:
    """Returns parameters moved by a step, (15,) in the order of NAMES; no leading axes."""
    turn = rotations.from_vector(step[2:5])
    rotation = jnp.matmul(turn, parameters.rotation, precision="highest")
    moved = jnp.matmul(step[5:8], parameters.rotation, precision="highest")
    return Parameters(
        parameters.numbers + step.at[2:8].set(0.0), rotation, parameters.shift + moved
    )


def picture(kind: str, of: Parameters, shape: tuple[int, int], samples: int = SAMPLES) -> jax.Array:
    """Renders grey values, (R, C), by Beer and Lambert, dark where membranes are.

    Args:
      kind: of the surface, static.
      of: without leading axes.
      shape: static.
      samples: along the beam, static.
    """
    numbers, cell = of.numbers, of.cell
    slab = Surface(
        cell=cell,
        level=level_of_fraction(kind, of.fraction),
        rotation=of.rotation,
        shift=of.shift,
        membranes=jnp.stack([jnp.zeros(1), cell * jnp.exp(numbers[9:10])], axis=1),
        thickness=cell * jnp.exp(numbers[8]),
        edge=cell * jnp.exp(numbers[10]),
        filling=numbers[11],
    )
    rows, columns = (jnp.arange(n) - (n - 1) / 2 for n in shape)
    x, y = jnp.broadcast_to(columns[None, :], shape), jnp.broadcast_to(rows[:, None], shape)
    along, across = numbers[13], numbers[14]
    strained = jnp.stack([along * x + across * y, across * x - along * y])
    projected = project(kind, slab, jnp.float32(1.0), shape, samples, displacement=strained)
    return jnp.exp(-jnp.exp(numbers[12]) * projected / cell)
