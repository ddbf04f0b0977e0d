"""States an orientation in words: axis of view, direction in the plane of the picture.

All of an orientation that a projection shows, but its handedness: the axis in one fundamental
sector of the crystal's symmetry with mirrors, for cubic crystals the triangle [001]-[101]-[111],
and where the crystal's direction [-101] of the same sector lies in the picture.
"""

import dataclasses
import math

import numpy as np

from srd_jax.synthetic.surfaces.orientations import symmetry

# A direction in the middle of the sector, by which it is chosen.
_INNER = {
    True: np.array([0.42, 0.18, 0.89]),
    False: np.array([0.68, 0.18, 0.71]),
}
_REFERENCE = np.array([-1.0, 0.0, 1.0])

# Named axes of view in the sector, each with the name of the direction [-101] projected. Names are
# those of the family members that the field writes.
ZONES = {
    "[001]": ((0, 0, 1), "[100]"),
    "[110]": ((1, 0, 1), "[1-10]"),
    "[111]": ((1, 1, 1), "[1-10]"),
    "[112]": ((1, 1, 2), None),
    "[113]": ((1, 1, 3), None),
    "[120]": ((1, 0, 2), None),
    "[130]": ((1, 0, 3), None),
    "[122]": ((2, 1, 2), None),
    "[123]": ((2, 1, 3), None),
}


@dataclasses.dataclass(frozen=True)
class View:
    """How a crystal is seen.

    Attributes:
      axis: unit vector along the beam in the sector, x ≥ y ≥ 0, for cubic crystals z ≥ x.
      in_plane_deg: direction of [-101], projected, from x (right) towards y (down), 0..180.
      zone: the nearest axis of low indices; for lonsdaleite "".
      off_zone_deg: angle to it; for lonsdaleite NaN.
    """

    axis: tuple[float, float, float]
    in_plane_deg: float
    zone: str
    off_zone_deg: float


def view(rotation: np.ndarray, kind: str) -> View:
    """Returns how a crystal is seen.

    Args:
      rotation: (3, 3), see `synthetic.surfaces.rotations`.
      kind: of the surface.
    """
    rotation = np.asarray(rotation, float)
    axis, onto = _folded(rotation[2], kind)
    right, down, _ = rotation @ onto @ _REFERENCE
    angle = math.degrees(math.atan2(down, right)) % 180.0
    if kind == "L":
        return View((axis[0], axis[1], axis[2]), angle, "", math.nan)
    angles = {name: _between(axis, np.array(one)) for name, (one, _) in ZONES.items()}
    zone = min(angles, key=lambda name: angles[name])
    return View((axis[0], axis[1], axis[2]), angle, zone, angles[zone])


def _folded(axis: np.ndarray, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns an axis in the sector, and the operation that takes the sector's axes there."""
    operations = np.concatenate([symmetry(kind), -symmetry(kind)]).astype(float)
    turned = axis @ operations
    best = int(np.argmax(turned @ _INNER[kind != "L"]))
    found = turned[best]
    return np.clip(np.where(np.abs(found) < 1e-6, 0.0, found), -1, 1), operations[best]


def _between(one: np.ndarray, other: np.ndarray) -> float:
    cosine = one @ other / (np.linalg.norm(one) * np.linalg.norm(other))
    return math.degrees(math.acos(float(np.clip(cosine, -1.0, 1.0))))


def words(axis: tuple[float, float, float]) -> str:
    """Returns an axis as text, such as [0.71 0.00 0.71]."""
    return f"[{' '.join(f'{one:.2f}' for one in axis)}]"
