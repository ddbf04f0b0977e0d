import functools

import jax.numpy as jnp
import numpy as np
import pytest
from helpers.command import refused, run
from PIL import Image

from srd_jax.synthetic.surfaces import fractions, projection, rotations

pytestmark = pytest.mark.hurry
render = functools.partial(run, "surfaces", "render")


def test_a_picture_is_the_projection_of_its_parameters(tmp_path, capsys):
    out = tmp_path / "x.png"
    done = render(
        "--type", "d", "--a", 79, "--hkl", 1, -1, 0, "--phi", 0.2, "--in-plane", -30,
        "--thickness", 50, "--wall", 8, "--edge", 1.5, "--nm-per-px", 2.5, "--size", 24, 40,
        "--shift", 0.1, 0.2, 0.3, "--mode", "beer-lambert", "--absorption", 0.03, "--out", out,
    )  # fmt: skip
    assert done == 0
    assert "D, a = 79 nm, along [1 -1 0], volume fraction 0.200" in capsys.readouterr().out
    one = projection.surface(
        79.0,
        rotations.from_hkl(jnp.array([1.0, -1.0, 0.0]), np.radians(-30)),
        fractions.level_of_fraction("D", 0.2),
        (0.1, 0.2, 0.3),
        ((0.0, 8.0),),
        50.0,
        1.5,
    )
    passed = np.exp(-0.03 * projection.project("D", one, 2.5, (24, 40), steps=2))
    expected = 255 * (passed - passed.min()) / np.ptp(passed)
    found = np.asarray(Image.open(out), np.float32)
    assert np.abs(found - expected).max() <= 1


def test_several_directions_give_a_contact_sheet(tmp_path, capsys):
    out = tmp_path / "sheet.png"
    options = ("--type", "I-WP", "--a", 90, "--size", 16, 16, "--nm-per-px", 5, "--level", 1)
    assert render(*options, "--hkl", 1, 1, 0, "--hkl", 1, 1, 1, "--out", out) == 0
    assert "along [1 1 0], [1 1 1]" in capsys.readouterr().out
    assert Image.open(out).size[0] > 32


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--type", "Q"), "found 'Q'; accepted are G (gyroid)"),
        (("--a", "-3"), "found '-3'; accepted is a number above 0"),
        (("--hkl", "0", "0", "0"), "found 0 0 0; accepted is a direction"),
        (("--hkl", "1", "x", "0"), "found 'x'; accepted is a number"),
        (("--phi", "1.2"), "found '1.2'; accepted is a number between 0 and 1"),
        (("--level", "1.7"), "--level 1.7: of type D, accepted is a number between -1 and 1"),
        (("--membrane", "0", "-2"), "--membrane: found a width of -2"),
        (("--size", "5", "99999"), "found '5'; accepted is a whole number from 8 to 4096"),
        (("--out", "x.jpg"), "x.jpg: has another suffix; accepted is a path ending in .png"),
    ],
)
def test_mistakes_are_told_in_one_line(options, words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    known = ("--type", "D", "--a", "79", "--out", "x.png")
    assert words in refused(capsys, "surfaces", "render", *known, *options)
    assert not any(tmp_path.iterdir())
