import numpy as np
import pytest
from skimage.measure import perimeter_crofton

from srd_jax.analysis.granum import Value
from srd_jax.analysis.morphometry import measure, with_uncertainty


def rectangle(width, height, degrees, at=(300.0, 200.0)):
    turn = np.deg2rad(degrees)
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (width / 2, height / 2)
    x = corners @ (np.cos(turn), np.sin(turn))
    y = corners @ (-np.sin(turn), np.cos(turn))
    return np.stack([x, y], 1) + at


def ellipse(long, short, degrees):
    around = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    along, across = long * np.cos(around), short * np.sin(around)
    turn = np.deg2rad(degrees)
    x = along * np.cos(turn) + across * np.sin(turn)
    return np.stack([x, across * np.cos(turn) - along * np.sin(turn)], 1)


@pytest.mark.parametrize("degrees", [0.0, 30.0, 90.0, 145.0])
@pytest.mark.parametrize("height", [60.0, 260.0])
def test_a_rectangle_has_its_sides_and_no_irregularity(degrees, height):
    found = measure(rectangle(150.0, height, degrees), degrees)
    assert found.area == pytest.approx(150 * height, rel=1e-6)
    assert found.perimeter == pytest.approx(2 * (150 + height), rel=1e-6)
    assert found.height == pytest.approx(height, rel=0.01)
    assert found.diameter == pytest.approx(150, rel=0.01)
    assert found.gsi == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("degrees", [0.0, 70.0])
def test_an_ellipse(degrees):
    long, short = 120.0, 50.0
    found = measure(ellipse(long, short, degrees), degrees)
    assert found.area == pytest.approx(np.pi * long * short, rel=1e-3)
    # Ramanujan's first formula.
    around = np.pi * (3 * (long + short) - np.sqrt((3 * long + short) * (long + 3 * short)))
    assert found.perimeter == pytest.approx(around, rel=1e-3)
    # Columns from the middle out to u have spans of at least 2 b sqrt(1 - u²): 80 % are shorter
    # than the one at u = 0.2.
    assert found.height == pytest.approx(2 * short * np.sqrt(1 - 0.2**2), rel=0.01)
    # The mean of 2 a sqrt(1 - v²) over v from -1/2 to 1/2.
    mean = 2 * long * (np.sqrt(3) / 4 + np.pi / 6)
    assert found.diameter == pytest.approx(mean, rel=0.01)
    half = found.perimeter / 2 - found.height
    assert found.gsi == pytest.approx(1 - found.area / (half * found.height))


def test_a_bent_stack():
    # A sector of a ring, bent downwards, 60 px high.
    inner, outer, half = 300.0, 360.0, 0.4
    angle = np.linspace(-half, half, 200)
    arc = np.stack([np.sin(angle), -np.cos(angle)], 1)
    found = measure(np.concatenate([outer * arc, inner * arc[::-1]]), 0.0)
    assert found.area == pytest.approx(half * (outer**2 - inner**2), rel=1e-3)
    sides = 2 * half * (outer + inner) + 2 * (outer - inner)
    assert found.perimeter == pytest.approx(sides, rel=1e-3)
    # Columns between the arcs' ends have the longer spans the farther out, and the others shorter
    # ones. So 20 % of all columns lie between x and the end of the inner arc.
    x = inner * np.sin(half) - 0.2 * outer * np.sin(half)
    at = np.sqrt(outer**2 - x**2) - np.sqrt(inner**2 - x**2)
    assert found.height == pytest.approx(at, rel=0.01)


def test_a_long_thin_granum_has_its_height():
    for degrees in (0.0, 33.0):
        found = measure(rectangle(2000.0, 30.0, degrees), degrees)
        assert found.height == pytest.approx(30, rel=1e-3)
        assert found.diameter == pytest.approx(2000, rel=1e-3)


def test_a_polygon_of_no_extent_has_no_irregularity():
    found = measure(np.array([[3.0, 2.0], [8.0, 2.0], [5.0, 2.0]]), 0.0)
    assert found.area == 0 and found.height == 0 and np.isnan(found.gsi)
    assert "gsi" not in with_uncertainty(
        np.array([[3.0, 2.0], [8.0, 2.0], [5.0, 2.0]]), [], Value(0.0, 1.0)
    )


def test_where_an_outline_is_missing_the_other_one_tells_the_sd():
    outline, outer, inner = (rectangle(150.0 + 2 * by, 60.0 + 2 * by, 0.0) for by in (0, 3, -3))
    both = with_uncertainty(outline, [outer, inner], Value(0.0, 0.0))
    one = with_uncertainty(outline, [outer, None], Value(0.0, 0.0))
    assert one["height_px"].sd == pytest.approx(both["height_px"].sd)
    assert one["area_px2"].sd == pytest.approx(both["area_px2"].sd, rel=0.1)


def test_a_filled_grid_agrees_with_the_perimeter_by_pixels():
    y, x = np.mgrid[:400, :400] - 200
    inside = (x / 120) ** 2 + (y / 50) ** 2 <= 1
    assert measure(ellipse(120.0, 50.0, 0.0), 0.0).perimeter == pytest.approx(
        perimeter_crofton(inside), rel=0.02
    )


def test_the_sd_follows_from_the_outlines_and_the_direction():
    outline, inner, outer = (rectangle(150.0 + 2 * by, 60.0 + 2 * by, 0.0) for by in (0, -3, 3))
    found = with_uncertainty(outline, [outer, inner], Value(0.0, 0.0))
    assert found["height_px"].sd == pytest.approx(12 / 1.05, rel=0.05)
    assert found["diameter_px"].sd == pytest.approx(12 / 1.05, rel=0.05)
    turned = with_uncertainty(outline, [], Value(0.0, 5.0))
    # Turned by 5 degrees, its columns are longer by 1 / cos.
    assert turned["height_px"].sd == pytest.approx(60 / np.cos(np.deg2rad(5)) - 60, abs=0.2)
    assert set(with_uncertainty(outline, [], None)) == {"area_px2", "perimeter_px"}
