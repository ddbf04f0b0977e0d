import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage

from srd_jax.synthetic.surfaces import levels, orientations, projection, rotations

SHAPE, PX = (20, 24), 3.0
SOME = ((0, 0, 1), (1, 1, 0), (0.3, -0.7, 0.5))


@functools.cache
def renderer(kind, shape=SHAPE, samples=24):
    one = functools.partial(projection.project, kind, shape=shape, samples=samples)
    return jax.jit(jax.vmap(one, (0, None)))


def rendered(kind, slabs, px=PX, **static):
    """The projections of slabs, padded to few batch sizes, of which each is compiled once."""
    size = 24 if len(slabs) > 4 else 4
    filled = [*slabs, *[slabs[0]] * (size - len(slabs))]
    batch = jax.tree.map(lambda *parts: jnp.stack(parts), *filled)
    return np.asarray(renderer(kind, **static)(batch, jnp.float32(px)))[: len(slabs)]


def slab(rotation=None, shift=(0.11, 0.23, 0.37), **numbers):
    if rotation is None:
        rotation = rotations.from_hkl(jnp.array([0.3, -0.7, 0.5]), 0.4)
    known = {"cell": 61.0, "level": 0.3, "thickness": 47.0, "edge": 2.0} | numbers
    return projection.surface(rotation=rotation, shift=shift, **known)


def same(first, second):
    """Whether pictures are the same to 1e-5 of the thickness, and neither is flat."""
    assert np.std(first) > 0.3
    np.testing.assert_allclose(first, second, atol=1e-5 * 47 * 4)


def translation(kind, matrix, sign=1, step=4):
    """A translation t with f(W r + t) = sign f(r), in cells; Cartesian."""
    at = np.random.default_rng(0).uniform(-1, 1, (40, 3))
    parts = np.stack(np.meshgrid(*[np.arange(step) / step] * 3, indexing="ij"), -1).reshape(-1, 3)
    if kind == "L":
        parts = np.array([[0, 0, 0], [0, 0, np.sqrt(2 / 3)]])
    moved = levels.values(kind, at @ np.asarray(matrix, np.float64).T + parts[:, None])
    apart = np.abs(moved - sign * levels.values(kind, at)).max(axis=1)
    assert apart.min() < 1e-5
    return parts[apart.argmin()]


@pytest.mark.parametrize("kind", ["G", "D", "L"])
def test_a_crystal_turned_by_a_symmetry_of_its_own_looks_the_same(kind):
    one = slab(level=0.2, filling=0.2, membranes=((1.0, 7.0),))
    turned = []
    for matrix in orientations.symmetry(kind):
        shift = matrix @ np.asarray(one.shift) + translation(kind, matrix)
        turned.append(one.replace(rotation=one.rotation @ matrix.T, shift=jnp.float32(shift)))
    found = rendered(kind, turned)
    for other in found[1:]:
        same(found[0], other)


@pytest.mark.parametrize(
    ("kind", "by"), [("G", (0.5, 0.5, -0.5)), ("D", (0.5, -0.5, 0)), ("P", (1, -1, 0))]
)
def test_lattice_translations_leave_the_picture_as_it_is(kind, by):
    one = slab()
    first, second = rendered(kind, [one, one.replace(shift=one.shift + jnp.array(by))])
    same(first, second)


@pytest.mark.parametrize("kind", ["G", "D", "P"])
def test_views_from_the_back_mirrored_ones_and_those_of_the_other_sign(kind):
    one = slab()
    # The gyroid's inversion takes f to -f.
    sign = -1 if kind == "G" else 1
    inverted = translation(kind, -np.eye(3), sign) - one.shift
    back = one.replace(
        rotation=orientations.BACK @ one.rotation, shift=inverted, level=sign * one.level
    )
    mirrored = back.replace(rotation=orientations.MIRROR @ one.rotation)
    by = {"G": -one.shift, "D": one.shift + jnp.array([0.5, 0, 0]), "P": one.shift + 0.5}[kind]
    other = one.replace(level=-one.level, shift=by)
    if kind == "G":
        other = other.replace(rotation=orientations.BACK @ one.rotation)
    first, behind, flipped, negative = rendered(kind, [one, back, mirrored, other])
    same(first, behind)
    same(first[:, ::-1], flipped)
    same(first, negative)


@pytest.mark.parametrize(
    ("kind", "area", "euler"), [("G", 3.09, -8), ("D", 3.84, -16), ("P", 2.35, -4)]
)
def test_membranes_have_the_area_and_the_volume_of_the_literature(kind, area, euler):
    cell, wall, soft = 72.0, 4.0, 2.0
    one = projection.surface(
        cell=cell, rotation=jnp.eye(3), membranes=((0.0, wall),), thickness=cell, edge=soft
    )
    whole = rendered(kind, [one], cell / 24, shape=(24, 24))[0]
    # Steiner's formula for parallel surfaces of a minimal one, in the mean over the soft edge.
    expected = area * cell**2 * wall + 2 * np.pi * euler * (wall**3 / 12 + wall * soft**2)
    assert whole.mean() * cell**2 == pytest.approx(expected, rel=0.004)


def test_a_picture_is_that_of_counted_voxels():
    """As SPIRE renders: a distance transform, binary voxels, counted along the normal."""
    hkl, voxel, cell, wall, level = (1, 2, 3), 1.5, 70.0, 9.0, 0.25
    normal = np.array(hkl) / np.linalg.norm(hkl)
    polar, azimuth = np.arccos(normal[2]), np.arctan2(2, 1)
    about_y = [[np.cos(polar), 0, np.sin(polar)], [0, 1, 0], [-np.sin(polar), 0, np.cos(polar)]]
    about_z = [[np.cos(azimuth), -np.sin(azimuth), 0], [np.sin(azimuth), np.cos(azimuth), 0]]
    axes = np.array([*about_z, [0, 0, 1]]) @ np.array(about_y)
    # A border, so that surfaces beyond the picture count.
    place = (np.arange(64) - 31.5) * voxel
    x, y, z = np.meshgrid(place, place, place, indexing="ij")
    at = np.stack([x, y, z], -1) @ axes.T / cell
    above = levels.values("D", at) > level
    distance = ndimage.distance_transform_edt(above) + ndimage.distance_transform_edt(~above)
    membrane = (distance - 0.5) * voxel < wall / 2
    counted = membrane[20:44, 22:42, 8:56].sum(axis=2).T * voxel
    rotation = rotations.from_hkl(jnp.array(hkl))
    one = projection.surface(cell, rotation, level, membranes=((0.0, wall),), thickness=72.0)
    found = rendered("D", [one], voxel)[0]
    assert np.corrcoef(found.ravel(), counted.ravel())[0, 1] > 0.985
    assert found.mean() == pytest.approx(counted.mean(), rel=0.1)


def test_diamond_along_110_repeats_after_half_a_cell_by_half_a_diagonal():
    cell = 72.0
    rotation = rotations.from_hkl(jnp.array([1, 1, 0]))
    one = slab(rotation, cell=cell, thickness=cell / np.sqrt(2))
    # x is along [00-1], y along [-110]. Where the channels differ, both steps belong together.
    right, down = np.array([0, 0, -0.5]), np.array([-0.25, 0.25, 0.0])
    moved = [one.replace(shift=one.shift + by) for by in (right + down, right, down)]
    first, both, *alone = rendered("D", [one, *moved])
    same(first, both)
    assert all(np.abs(first - picture).max() > 3 for picture in alone)
    moved = [one.replace(level=0.0, shift=one.shift + by) for by in (0 * right, right, down)]
    first, *alone = rendered("D", moved)
    for picture in alone:
        same(first, picture)


def test_a_shift_moves_the_picture():
    one = slab()
    # The place of the crystal that lay 3 px to the right and 2 px down comes to the middle.
    by = one.rotation.T @ jnp.array([3 * PX, 2 * PX, 0.0]) / one.cell
    first, moved = rendered("I-WP", [one, one.replace(shift=one.shift + by)])
    same(first[2:, 3:], moved[:-2, :-3])


def test_more_samples_and_steps_change_little():
    slabs = [
        slab(rotations.from_hkl(jnp.array(hkl)), membranes=((0.0, 6.0),), thickness=100.0, edge=1.0)
        for hkl in SOME
    ]
    fine = rendered("D", slabs, samples=192)
    usual = rendered("D", slabs, samples=projection.SAMPLES)
    assert np.sqrt(np.mean((usual - fine) ** 2)) < 0.02 * fine.std()


@pytest.mark.parametrize(
    "name", ["cell", "level", "turn", "shift", "membranes", "thickness", "edge", "filling", "px"]
)
def test_gradients_are_finite_differences(name):
    value, gradient = loss()
    known = parameters()
    found = gradient(known)[name]
    rng = np.random.default_rng(5)
    direction = rng.normal(size=np.shape(known[name])).astype(np.float32)
    size = {"cell": 0.1, "thickness": 0.5, "membranes": 0.05, "edge": 0.05, "px": 0.005}
    step = direction / np.abs(direction).max() * size.get(name, 0.0015)
    ahead, behind = (float(value(known | {name: known[name] + s * step})) for s in (1, -1))
    expected = (ahead - behind) / 2
    assert abs(expected) > 1e-4
    assert float(np.sum(found * step)) == pytest.approx(expected, rel=0.04)


@functools.cache
def loss():
    """The mean of a picture's products with random weights, and its gradient.

    The gradient takes the distance for exact, so it is as exact as the distance near the walls.
    """
    weights = np.random.default_rng(4).normal(size=(12, 12)).astype(np.float32)

    def value(known):
        rest = {k: v for k, v in known.items() if k not in ("turn", "px")}
        rotation = slab().rotation @ rotations.from_vector(known["turn"])
        one = projection.Surface(rotation=rotation, **rest)
        return jnp.mean(weights * projection.project("D", one, known["px"], (12, 12), 24))

    return jax.jit(value), jax.jit(jax.grad(value))


def parameters():
    one = slab(filling=0.3, membranes=((0.0, 5.0), (2.5, 3.0)))
    names = ("cell", "level", "shift", "membranes", "thickness", "edge", "filling")
    known = {name: getattr(one, name) for name in names}
    return known | {"turn": jnp.zeros(3), "px": jnp.float32(PX)}


def test_modes():
    projected = jnp.array([0.0, 3.0, 20.0])
    np.testing.assert_allclose(projection.grey(projected), [0, -3, -20])
    logarithmic = projection.grey(projected, "logarithmic")
    np.testing.assert_allclose(logarithmic, -np.log([1, 4, 21]), rtol=1e-6)
    passed = projection.grey(projected, "beer-lambert", 0.1)
    np.testing.assert_allclose(passed, np.exp([0, -0.3, -2]), rtol=1e-6)


def test_overlapping_membranes_count_once():
    one = slab(membranes=((0.0, 6.0), (2.0, 6.0)), edge=0.2)
    first, second = rendered("P", [one, one.replace(membranes=jnp.array([[1.0, 8.0], [1.0, 0.0]]))])
    np.testing.assert_allclose(first, second, atol=0.4)
