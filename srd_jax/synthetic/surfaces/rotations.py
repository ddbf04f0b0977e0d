"""Rotations from the axes of a crystal to those of a picture; see `projection` for the axes.

A rotation is a matrix R, (3, 3) or with leading axes: column i is the axis i of the crystal in the
picture, row 2 the direction of the crystal along the beam. Angles are in radians.
"""

import jax
import jax.numpy as jnp


def from_hkl(hkl: jax.Array, in_plane: jax.Array | float = 0.0) -> jax.Array:
    """Returns the rotation that looks along a direction of the crystal, the normal of the slab.

    As in SPIRE, the axes of the slab are those of the crystal turned by the polar angle of the
    normal about the crystal's y, then by its azimuth about the crystal's z.

    Args:
      hkl: (3,) in Cartesian axes of the crystal, of any length above 0, whole or not.
      in_plane: angle by which the picture is turned then, counter-clockwise as seen.

    Returns:
      (3, 3).
    """
    x, y, z = jnp.asarray(hkl, jnp.float32)
    azimuth, polar = jnp.arctan2(y, x), jnp.arctan2(jnp.hypot(x, y), z)
    cosine, sine = jnp.cos(azimuth), jnp.sin(azimuth)
    flat, steep = jnp.cos(polar), jnp.sin(polar)
    rows = [
        jnp.stack([cosine * flat, sine * flat, -steep]),
        jnp.stack([-sine, cosine, jnp.zeros_like(sine)]),
        jnp.stack([cosine * steep, sine * steep, flat]),
    ]
    return turned(jnp.stack(rows), in_plane)


def turned(rotation: jax.Array, by: jax.Array | float) -> jax.Array:
    """Returns rotations whose pictures are turned counter-clockwise as seen.

    Args:
      rotation: (…, 3, 3).
      by: angle, () or of the leading axes.
    """
    cosine, sine = jnp.cos(jnp.asarray(by, jnp.float32)), jnp.sin(jnp.asarray(by, jnp.float32))
    zero, one = jnp.zeros_like(cosine), jnp.ones_like(cosine)
    # y points down.
    about_beam = [[cosine, sine, zero], [-sine, cosine, zero], [zero, zero, one]]
    return _product(_matrix(about_beam), rotation)


def from_vector(vector: jax.Array) -> jax.Array:
    """Returns the rotations about vectors, (…, 3), by their lengths: (…, 3, 3), smooth at 0.

    Source: Rodrigues' formula.
    """
    square = jnp.sum(vector**2, axis=-1)[..., None, None]
    small = square < 1e-6
    angle = jnp.sqrt(jnp.where(small, 1.0, square))
    first = jnp.where(small, 1 - square / 6, jnp.sin(angle) / angle)
    second = jnp.where(small, 0.5 - square / 24, (1 - jnp.cos(angle)) / angle**2)
    x, y, z = jnp.moveaxis(vector, -1, 0)
    zero = jnp.zeros_like(x)
    cross = _matrix([[zero, -z, y], [z, zero, -x], [-y, x, zero]])
    identity = jnp.broadcast_to(jnp.eye(3, dtype=cross.dtype), cross.shape)
    return identity + first * cross + second * _product(cross, cross)


def from_quaternion(quaternion: jax.Array) -> jax.Array:
    """Returns the rotations of quaternions (w, x, y, z), (…, 4), of any length above 0."""
    w, x, y, z = jnp.moveaxis(
        quaternion / jnp.linalg.norm(quaternion, axis=-1, keepdims=True), -1, 0
    )
    return _matrix(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def from_six(six: jax.Array) -> jax.Array:
    """Returns the rotations of two vectors each, (…, 6), by Gram–Schmidt; they are the first rows.

    Source: Zhou et al. 2019, arXiv:1812.07035: a representation without jumps.
    """
    first = six[..., :3] / jnp.linalg.norm(six[..., :3], axis=-1, keepdims=True)
    rest = six[..., 3:] - jnp.sum(first * six[..., 3:], axis=-1, keepdims=True) * first
    second = rest / jnp.linalg.norm(rest, axis=-1, keepdims=True)
    return jnp.stack([first, second, jnp.cross(first, second)], axis=-2)


def uniform(key: jax.Array, shape: tuple[int, ...] = ()) -> jax.Array:
    """Draws rotations uniform among all, (*shape, 3, 3).

    Source: quaternions of normal numbers are uniform on the sphere.
    """
    return from_quaternion(jax.random.normal(key, (*shape, 4)))


def angle_between(first: jax.Array, second: jax.Array) -> jax.Array:
    """Returns the angles of the rotations between rotations, (…, 3, 3) each: (…), 0..π.

    For scores; the gradient at 0 isn't finite.
    """
    # |R - S|² = 8 sin²(angle / 2) is exact for small angles, as the trace isn't.
    distance = jnp.sqrt(jnp.sum((first - second) ** 2, axis=(-2, -1)))
    return 2 * jnp.arcsin(jnp.clip(distance / jnp.sqrt(8.0), 0.0, 1.0))


def twist(rotation: jax.Array) -> jax.Array:
    """Returns the part of a rotation of the picture's axes about the beam, (…, 3, 3): (…), -π..π.

    Counter-clockwise as seen. Source: swing–twist decomposition of the quaternion.
    """
    sine = rotation[..., 0, 1] - rotation[..., 1, 0]
    return jnp.arctan2(sine, rotation[..., 0, 0] + rotation[..., 1, 1])


def in_plane(rotation: jax.Array) -> jax.Array:
    """Returns the angle of `from_hkl` that gives a rotation, (3, 3): (), -π..π."""
    plain = from_hkl(rotation[2])
    return twist(_product(rotation, plain.T))


def _matrix(rows: list[list[jax.Array]]) -> jax.Array:
    return jnp.stack([jnp.stack(row, axis=-1) for row in rows], axis=-2)


def _product(first: jax.Array, second: jax.Array) -> jax.Array:
    return jnp.matmul(first, second, precision="highest")
