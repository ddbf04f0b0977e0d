"""States an orientation in words: axis of view, angle in the plane of the picture, nearest zone."""

import dataclasses
import math

import jax.numpy as jnp
import numpy as np

from srd_jax.synthetic.surfaces import rotations
from srd_jax.synthetic.surfaces.orientations import symmetry

# A direction in the middle of the sector of axes that differ, one with y > 0: for cubic crystals of
# the triangle [001]-[101]-[111], for lonsdaleite of 30° about the hexagonal axis.
_CUBIC, _HEXAGONAL = np.array([0.42, 0.18, 0.89]), np.array([0.68, 0.18, 0.71])
_MIRROR = np.array([1.0, -1.0, 1.0])
_REFERENCE = np.array([-1.0, 0.0, 1.0])

# Named axes of view in the sector, by the names of their families that the field writes.
_ZONES = {
    "[001]": (0, 0, 1), "[110]": (1, 0, 1), "[111]": (1, 1, 1), "[112]": (1, 1, 2),
    "[113]": (1, 1, 3), "[120]": (1, 0, 2), "[130]": (1, 0, 3), "[122]": (2, 1, 2),
    "[123]": (2, 1, 3),
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class View:
    """How a crystal is seen.

    Attributes:
      axis: unit vector of the crystal along the beam: x ≥ |y|, z ≥ x; for lonsdaleite z ≥ 0 and
        within 30° of x. A mirrored picture has the other sign of y.
      in_plane_deg: angle of `rotations.from_hkl` with this axis, 0..180.
      direction_deg: where the crystal's [-101], projected, points, from right towards down, 0..180.
      zone: the nearest axis of low indices; for lonsdaleite "".
      off_zone_deg: angle to it; for lonsdaleite NaN.
    """

    axis: tuple[float, float, float]
    in_plane_deg: float
    direction_deg: float
    zone: str
    off_zone_deg: float


def view(rotation: np.ndarray, kind: str) -> View:
    """Returns how a crystal is seen.

    Args:
      rotation: (3, 3), see `synthetic.surfaces.rotations`; any of the equivalent ones.
      kind: of the surface.
    """
    inner = _HEXAGONAL if kind == "L" else _CUBIC
    turned = np.asarray(rotation, float) @ symmetry(kind).astype(float)
    # Both senses, as the view from the back has the same axis and half a turn of the picture.
    nearness = np.maximum(turned[:, 2] @ inner, turned[:, 2] @ (inner * _MIRROR))
    chosen = turned[int(np.argmax(nearness))]
    axis = np.where(np.abs(chosen[2]) < 1e-6, 0.0, chosen[2])
    right, down, _ = chosen @ _REFERENCE
    in_plane = math.degrees(float(rotations.in_plane(jnp.asarray(chosen, jnp.float32))))
    zone, off = "", math.nan
    if kind != "L":
        angles = {name: _between(np.abs(axis), np.array(one)) for name, one in _ZONES.items()}
        zone = min(angles, key=lambda name: angles[name])
        off = angles[zone]
    found = float(axis[0]), float(axis[1]), float(axis[2])
    return View(found, in_plane % 180, math.degrees(math.atan2(down, right)) % 180, zone, off)


def _between(one: np.ndarray, other: np.ndarray) -> float:
    cosine = one @ other / (np.linalg.norm(one) * np.linalg.norm(other))
    return math.degrees(math.acos(float(np.clip(cosine, -1.0, 1.0))))


def apart(one: np.ndarray, other: np.ndarray, kind: str) -> float:
    """Returns the angle between two orientations, minimal over the equivalent ones, radians."""
    back = np.array([[-1.0], [-1.0], [1.0]])
    traces = [np.einsum("ij,wjk,ik->w", seen, symmetry(kind), other) for seen in (one, back * one)]
    return float(np.arccos(np.clip((np.max(traces) - 1) / 2, -1.0, 1.0)))


def direction(of: View, sd_deg: float) -> str:
    """Returns the zone where the axis is as near as its sd allows, else the axis and its zone."""
    if of.zone and of.off_zone_deg <= max(2 * sd_deg, 3.0):
        return of.zone
    axis = f"[{' '.join(f'{one:.2f}' for one in of.axis)}]"
    return f"{axis}, {of.off_zone_deg:.0f}° off {of.zone}" if of.zone else axis
