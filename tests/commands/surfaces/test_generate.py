import functools

import jax.numpy as jnp
import numpy as np
import pytest
from helpers.command import numbers, read, refused, run
from PIL import Image

from srd_jax.synthetic.surfaces import projection, rotations

pytestmark = pytest.mark.hurry
generate = functools.partial(run, "surfaces", "generate", "--size", 20, 28)


def test_an_ordered_set_holds_the_pictures_of_its_table(tmp_path, capsys):
    out = tmp_path / "grid"
    options = ("--vary", "a", 60, 80, 3, "--vary", "phi", 0.2, 0.4, 2, "--hkl", 1, 1, 0)
    given = ("--thickness", 60, "--in-plane", 20, "--nm-per-px", 2, 2.4)
    assert generate("--type", "D", *options, *given, "--clean", "--out", out) == 0
    assert "6 pictures, parameters in" in capsys.readouterr().out
    rows = read(out / "surfaces.csv")
    expected = [[a, phi] for a in (60, 70, 80) for phi in (0.2, 0.4)]
    np.testing.assert_allclose(numbers(rows, "a_nm", "phi"), expected, rtol=1e-5)
    np.testing.assert_allclose(
        numbers(rows, "thickness_nm", "in_plane_deg", "axis_x", "axis_z"),
        [[60, 20, np.sqrt(0.5), 0]] * 6,
        atol=1e-3,
    )
    scales = numbers(rows, "nm_per_px")
    assert (scales >= 2).all() and (scales <= 2.4).all() and len(set(scales.ravel())) == 6
    row = rows[3]
    axis, shift = numbers([row], "axis_x", "axis_y", "axis_z", "shift_x", "shift_y", "shift_z")[
        0
    ].reshape(2, 3)
    value = {name: float(text) for name, text in row.items() if name not in ("file", "type")}
    one = projection.surface(
        value["a_nm"],
        rotations.from_hkl(jnp.array(axis), np.radians(value["in_plane_deg"])),
        value["level"],
        tuple(shift),
        ((0.0, value["wall_nm"]),),
        value["thickness_nm"],
        value["edge_nm"],
        value["filling"],
    )
    projected = projection.project("D", one, value["nm_per_px"], (20, 28))
    expected = 255 * (projected.max() - projected) / np.ptp(projected)
    found = np.asarray(Image.open(out / row["file"]), np.float32)
    assert np.abs(found - expected).max() <= 1.5


def test_pictures_at_random_are_the_same_for_the_same_seed(tmp_path):
    files = {}
    for name, seed in (("first", 5), ("again", 5), ("other", 6)):
        options = ("--n", 3, "--type", "D", "--a", 60, 65, "--seed", seed)
        assert generate(*options, "--out", tmp_path / name) == 0
        files[name] = {file.name: file.read_bytes() for file in (tmp_path / name).iterdir()}
    assert files["first"] == files["again"] and len(files["first"]) == 4
    assert all(files["first"][name] != files["other"][name] for name in files["first"])
    rows = read(tmp_path / "first" / "surfaces.csv")
    assert [row["type"] for row in rows] == ["D"] * 3
    cells = numbers(rows, "a_nm")
    assert (cells >= 60).all() and (cells <= 65).all() and len(set(cells.ravel())) == 3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "--n, --vary: found both or none; accepted is one of them"),
        (("--n", "2", "--vary", "a", "60", "80", "3"), "--n, --vary: found both or none"),
        (("--n", "0"), "found '0'; accepted is a whole number from 1 on"),
        (("--n", "2", "--a", "80", "60"), "--a 80 60: accepted is a value, or the least"),
        (("--vary", "b", "60", "80", "3"), "--vary b: accepted is one of a, phi"),
        (("--vary", "a", "60", "80", "x"), "--vary a: found 'x'; accepted is a whole number"),
        (("--vary", "phi", "0", "0.4", "3"), "--vary phi: found '0'; accepted is a number between"),
        (("--a", "70", "--vary", "a", "60", "80", "3"), "--vary a: is given twice"),
        (("--vary", "a", "60", "80", "9999999"), "gives 9999999 pictures; accepted are at most"),
    ],
)
def test_mistakes_are_told_in_one_line(options, words, tmp_path, capsys):
    options = ("--type", "D", *options, "--out", tmp_path / "new")
    assert words in refused(capsys, "surfaces", "generate", *options)
    assert not (tmp_path / "new").exists()
