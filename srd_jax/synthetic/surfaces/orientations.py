"""Orientations of crystals in pictures, up to the rotations that leave the picture the same.

A slab shows the same with R and R W, where W is a rotation of the crystal's symmetry, and with
C2z R: that is the view from the back, as the surfaces have centres of inversion (the gyroid's
take f to -f).
"""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np

from srd_jax.synthetic.surfaces import rotations

# The view from the back, and the mirrored picture (x to -x).
BACK = np.diag([-1.0, -1.0, 1.0]).astype(np.float32)
MIRROR = np.diag([1.0, -1.0, -1.0]).astype(np.float32)
# Which of the nine numbers of `harmonics` change sign when seen from the back.
BACK_SIGNS = np.array([1, -1, 1, -1, 1, -1, 1, -1, 1], np.float32)


@functools.cache
def symmetry(kind: str) -> np.ndarray:
    """Returns the proper rotations of a kind's crystal, (24, 3, 3), for lonsdaleite (12, 3, 3)."""
    return _hexagonal() if kind == "L" else _cubic()


def _cubic() -> np.ndarray:
    """Returns the rotations of the cube: signed permutations of determinant 1."""
    found = []
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1.0, -1.0), repeat=3):
            matrix = np.diag(signs)[list(order)]
            if np.linalg.det(matrix) > 0:
                found.append(matrix)
    return np.stack(found).astype(np.float32)


def _hexagonal() -> np.ndarray:
    """Returns the rotations of the hexagonal prism along z."""
    found = []
    for sixth in range(6):
        cosine, sine = np.cos(sixth * np.pi / 3), np.sin(sixth * np.pi / 3)
        for side in (1.0, -1.0):
            found.append([[cosine, -sine * side, 0], [sine, cosine * side, 0], [0, 0, side]])
    return np.array(found, np.float32)


def equivalents(rotation: jax.Array, kind: str = "D") -> jax.Array:
    """Returns all rotations of the same picture, (…, 48, 3, 3); for lonsdaleite 24.

    Args:
      rotation: (…, 3, 3); comes first among them.
      kind: of the surface, static.
    """
    turned = jnp.einsum("...ij,wjk->...wik", rotation, symmetry(kind), precision="highest")
    back = jnp.einsum("ij,...jk->...ik", BACK, turned, precision="highest")
    return jnp.concatenate([turned, back], axis=-3)


def nearest(rotation: jax.Array, to: jax.Array, kind: str = "D") -> jax.Array:
    """Returns the equivalent of a rotation nearest to another one, (…, 3, 3) each."""
    all_of_it = equivalents(rotation, kind)
    angles = rotations.angle_between(all_of_it, to[..., None, :, :])
    chosen = jnp.argmin(angles, axis=-1)[..., None, None, None]
    return jnp.take_along_axis(all_of_it, chosen, axis=-3)[..., 0, :, :]


def errors(
    found: jax.Array, true: jax.Array, kind: str = "D"
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Returns how far orientations are apart, (…) radians each.

    Args:
      found: (…, 3, 3).
      true: likewise.
      kind: of the surface, static.

    Returns:
      The angle between them, minimal over the equivalents; the angle between the axes of view,
      minimal over the crystal's symmetry; the angle in the plane of the picture, 0..π.
    """
    one = nearest(found, true, kind)
    between = jnp.matmul(one, jnp.swapaxes(true, -1, -2), precision="highest")
    axes = jnp.einsum("...k,wjk->...wj", found[..., 2, :], symmetry(kind), precision="highest")
    # Both senses: the mirrored picture shows the other one.
    apart = jnp.minimum(
        jnp.linalg.norm(axes - true[..., None, 2, :], axis=-1),
        jnp.linalg.norm(axes + true[..., None, 2, :], axis=-1),
    )
    tilt = 2 * jnp.arcsin(jnp.clip(jnp.min(apart, axis=-1) / 2, 0.0, 1.0))
    return rotations.angle_between(one, true), tilt, jnp.abs(rotations.twist(between))


def zone(rotation: jax.Array) -> jax.Array:
    """Returns the axis of view in the triangle [001]-[101]-[111], (…, 3) unit vectors.

    Args:
      rotation: (…, 3, 3) of a cubic crystal; its components x ≥ y ≥ 0 and z ≥ x are returned.
    """
    low, middle, high = jnp.moveaxis(jnp.sort(jnp.abs(rotation[..., 2, :]), axis=-1), -1, 0)
    return jnp.stack([middle, low, high], axis=-1)


def harmonics(rotation: jax.Array) -> jax.Array:
    """Returns nine numbers of an orientation, the same for all 24 rotations of a cube, (…, 9).

    They are the real spherical harmonics of degree 4 and order -4..4 about the beam, summed over
    the axes of the crystal in the picture, as a unit vector: the part of the tensor Σ (R eᵢ)^⊗4
    that turns. They change smoothly with the orientation and tell it up to the cube's symmetry. The
    view from the back changes the signs of the odd orders, `BACK_SIGNS`.

    Args:
      rotation: (…, 3, 3) of a cubic crystal.
    """
    x, y, z = jnp.moveaxis(rotation, -2, 0)
    x2, y2, z2 = x * x, y * y, z * z
    numbers = [
        2 * jnp.sqrt(35.0) * x * y * (x2 - y2),
        jnp.sqrt(70.0) * y * z * (3 * x2 - y2),
        2 * jnp.sqrt(5.0) * x * y * (7 * z2 - 1),
        jnp.sqrt(10.0) * y * z * (7 * z2 - 3),
        (35 * z2 * z2 - 30 * z2 + 3) / 2,
        jnp.sqrt(10.0) * x * z * (7 * z2 - 3),
        jnp.sqrt(5.0) * (x2 - y2) * (7 * z2 - 1),
        jnp.sqrt(70.0) * x * z * (x2 - 3 * y2),
        jnp.sqrt(35.0) / 2 * (x2 * x2 - 6 * x2 * y2 + y2 * y2),
    ]
    # Over 3/8 √(1/π): the sum of the squares of one direction is 16, of three at right angles
    # 16 (3 + 6 P₄(0)) = 84, by the addition theorem.
    return jnp.stack([jnp.sum(one, axis=-1) for one in numbers], axis=-1) / jnp.sqrt(84.0)
