"""Refines hypotheses through the renderer, by Levenberg–Marquardt steps that raise the NCC.

Between pictures d and y of norm 1, |d - y|² = 2 - 2 NCC, so least squares is the NCC's ascent. Its
Jacobian goes through the projection (`jax.linearize`) and serves the uncertainty, too.
"""

import functools
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from srd_jax.analysis.surfaces.framing import SIZE, Frame
from srd_jax.analysis.surfaces.matching import Band, filtered, ncc
from srd_jax.analysis.surfaces.model import (
    MEANS,
    NAMES,
    PRECISIONS,
    Parameters,
    picture,
    start,
    stepped,
)
from srd_jax.analysis.surfaces.shifts import Hypothesis
from srd_jax.support.compiling import jit

# Of hypotheses that are refined together.
BATCH = 6
# Weight of the priors beside the mean squared misfit, 1 / pixels that tell something new.
_PRIOR = 1.0 / 600
# Damping, in units of the normal equations' diagonal: at first, after a good and a bad step.
_DAMPING, _LESS, _MORE = 3e-2, 0.3, 6.0
# Largest turn of a step, radians.
_LARGEST_TURN = 0.15


@struct.dataclass
class Refined:
    """Refined hypotheses, with a leading axis of the batch.

    Attributes:
      parameters: their slabs.
      ncc: (B,).
      model: (B, R, C) filtered pictures of norm 1.
      jacobian: (B, 15, R, C) their derivatives by steps.
    """

    parameters: Parameters
    ncc: jax.Array
    model: jax.Array
    jacobian: jax.Array


def refine(frame: Frame, hypotheses: Sequence[Hypothesis], steps: Sequence[int]) -> list[Refined]:
    """Returns hypotheses of one kind refined, in order, without the axis of the batch.

    Args:
      frame: with the region.
      hypotheses: with shifts.
      steps: of each.
    """
    return continued(frame, hypotheses[0].kind, [start(one) for one in hypotheses], steps)


def continued(
    frame: Frame, kind: str, parameters: Sequence[Parameters], steps: Sequence[int]
) -> list[Refined]:
    """Returns slabs of one kind refined, as `refine` does hypotheses."""
    found: list[Refined] = []
    for first in range(0, len(parameters), BATCH):
        part = parameters[first : first + BATCH]
        missing = BATCH - len(part)
        batch = jax.tree.map(lambda *one: np.stack(one), *part, *[part[0]] * missing)
        counts = np.array([*steps[first : first + BATCH], *[0] * missing], np.int32)
        refined = jax.device_get(_refine(kind)(batch, counts, frame.data, frame.band))
        found += [jax.tree.map(lambda x, i=i: x[i], refined) for i in range(len(part))]
    return found


@functools.cache
def _refine(kind: str) -> Callable[..., Refined]:
    """Compiles the refinement of a batch of one kind."""

    def all_of(batch: Parameters, steps: jax.Array, data: jax.Array, by: Band) -> Refined:
        def one(given: tuple[Parameters, jax.Array]) -> Refined:
            return _ascend(kind, *given, data, by)

        # One by one on a CPU, where each takes its own number of steps.
        apply = jax.lax.map if jax.default_backend() == "cpu" else lambda f, x: jax.vmap(f)(x)
        return apply(one, (batch, steps))

    return jit(all_of)


def _ascend(
    kind: str, parameters: Parameters, steps: jax.Array, data: jax.Array, by: Band
) -> Refined:
    """Refines one slab."""

    def linearised(at: Parameters) -> Refined:
        def model(step: jax.Array) -> jax.Array:
            return filtered(picture(kind, stepped(at, step), (SIZE, SIZE)), by)

        value, tangent = jax.linearize(model, jnp.zeros(len(NAMES)))
        return Refined(at, ncc(value, data), value, jax.vmap(tangent)(jnp.eye(len(NAMES))))

    def cost(of: Refined) -> jax.Array:
        away = of.parameters.numbers - MEANS
        return 1 - of.ncc + _PRIOR / 2 * jnp.sum(PRECISIONS * away**2)

    def take(number: jax.Array, carry: tuple[Refined, jax.Array]) -> tuple[Refined, jax.Array]:
        now, damping = carry
        step = jnp.where(number > 0, _step(now, data, damping), 0.0)
        trial = linearised(stepped(now.parameters, step))
        better = (cost(trial) < cost(now)) | (number == 0)
        kept = jax.tree.map(lambda new, old: jnp.where(better, new, old), trial, now)
        return kept, damping * jnp.where(better, _LESS, _MORE)

    # The first turn stays where it is, so that the model is compiled once.
    size, blank = len(NAMES), jnp.zeros_like(data)
    unknown = Refined(parameters, jnp.float32(-1), blank, jnp.zeros((size, *blank.shape)))
    return jax.lax.fori_loop(0, steps + 1, take, (unknown, jnp.float32(_DAMPING)))[0]


def _step(now: Refined, data: jax.Array, damping: jax.Array) -> jax.Array:
    """Returns the step of Levenberg and Marquardt, (15,)."""
    flat = now.jacobian.reshape(len(NAMES), -1)
    normal = jnp.matmul(flat, flat.T, precision="highest")
    slope = jnp.matmul(flat, (data - now.model).ravel(), precision="highest")
    slope = slope - _PRIOR * PRECISIONS * (now.parameters.numbers - MEANS)
    normal = normal + jnp.diag(_PRIOR * PRECISIONS)
    diagonal = jnp.diagonal(normal)
    damped = normal + jnp.diag(damping * diagonal + 1e-7 * jnp.max(diagonal))
    step = jnp.linalg.solve(damped, slope)
    turn = jnp.linalg.norm(step[2:5])
    return step * jnp.minimum(1.0, _LARGEST_TURN / jnp.maximum(turn, 1e-9))
