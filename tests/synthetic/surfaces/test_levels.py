import numpy as np
import pytest

from srd_jax.synthetic.surfaces import levels, names


def by_hand(kind, at):
    """The formulas of the literature, term by term."""
    x, y, z = 2 * np.pi * np.moveaxis(at, -1, 0)
    sin, cos = np.sin, np.cos
    if kind == "G":
        return sin(x) * cos(y) + sin(y) * cos(z) + sin(z) * cos(x)
    if kind == "D":
        return cos(x) * cos(y) * cos(z) - sin(x) * sin(y) * sin(z)
    if kind == "P":
        return cos(x) + cos(y) + cos(z)
    if kind == "I-WP":
        pairs = cos(x) * cos(y) + cos(y) * cos(z) + cos(z) * cos(x)
        return 2 * pairs - (cos(2 * x) + cos(2 * y) + cos(2 * z))
    u, v, w = x + y / np.sqrt(3), 2 * y / np.sqrt(3), z * np.sqrt(3 / 8)
    odd = -sin(u) + sin(v) + sin(u - v)
    return -cos(2 * w) + cos(u) + cos(v) + cos(u - v) + sin(w) * odd


@pytest.mark.parametrize("kind", names.KINDS)
def test_values_are_the_formulas(kind):
    at = np.random.default_rng(0).uniform(-1, 1, (200, 3))
    np.testing.assert_allclose(levels.values(kind, at), by_hand(kind, at), atol=1e-12)


@pytest.mark.parametrize("kind", names.KINDS)
def test_derivatives_are_those_of_the_value(kind):
    level = levels.level_of(kind)
    phases = np.random.default_rng(1).uniform(0, 6, (3, 50))
    _, found = level.evaluate(np.sin(phases), np.cos(phases))
    for i in range(3):
        step = np.zeros((3, 1))
        step[i] = 1e-5
        ahead = level.evaluate(np.sin(phases + step), np.cos(phases + step))[0]
        behind = level.evaluate(np.sin(phases - step), np.cos(phases - step))[0]
        np.testing.assert_allclose(found[i], (ahead - behind) / 2e-5, atol=1e-8)


@pytest.mark.parametrize(
    ("kind", "by", "sign"),
    [
        ("G", (0.5, 0.5, 0.5), 1),
        ("D", (0.5, 0.5, 0), 1),
        ("D", (0.5, 0, 0), -1),
        ("P", (0.5, 0.5, 0.5), -1),
        ("I-WP", (0.5, 0.5, 0.5), 1),
        ("L", (-0.5, np.sqrt(0.75), 0), 1),
        ("L", (0, 0, np.sqrt(8 / 3)), 1),
    ],
)
def test_lattice_translations(kind, by, sign):
    at = np.random.default_rng(2).uniform(-1, 1, (100, 3))
    moved = levels.values(kind, at + np.array(by))
    np.testing.assert_allclose(moved, sign * levels.values(kind, at), atol=1e-12)
