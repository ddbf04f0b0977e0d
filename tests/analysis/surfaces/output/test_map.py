import io
import math

import numpy as np
from PIL import Image

from srd_jax.analysis.surfaces.answer import Answer
from srd_jax.analysis.surfaces.axes import View
from srd_jax.analysis.surfaces.domains import Domain
from srd_jax.analysis.surfaces.output import map as drawing

VIEW = View((0.0, 0.0, 1.0), 10.0, 30.0, "[001]", 0.0)
DOMAIN = Domain(1, (0,), "D", 40.0, 0.5, VIEW, 1.0)


def test_corners_of_the_triangle_are_pure_and_equivalent_axes_alike():
    for axis, rgb in (((0, 0, 1), (1, 0, 0)), ((0, 1, 1), (0, 1, 0)), ((1, 1, 1), (0, 0, 1))):
        np.testing.assert_allclose(drawing.colour(axis), rgb, atol=1e-6)
    np.testing.assert_allclose(drawing.colour((0.2, -0.5, 0.8)), drawing.colour((-0.8, 0.2, 0.5)))


def test_rows_have_a_value_a_column():
    (row,) = drawing.rows("=a.png", [DOMAIN], 2.0)
    values = dict(zip(drawing.COLUMNS, row, strict=True))
    assert values["file"] != "=a.png"  # no formula of a spreadsheet
    assert (values["a_nm"], values["a_px"], values["a_nm_sd"]) == (80.0, 40.0, 1.0)
    (bare,) = drawing.rows("a.png", [DOMAIN], None)
    assert dict(zip(drawing.COLUMNS, bare, strict=True))["a_nm"] is None


def test_the_picture_tints_the_window_of_a_domain():
    grey = np.full((200, 300), 128, np.uint8)
    grey[:, ::2] = 130
    windows = [
        Answer("window 1", (0, 0, 120, 120), "ok"),
        Answer("window 2", (150, 0, 270, 120), ""),
    ]
    picture = drawing.picture(grey, windows, [DOMAIN], 2.0)
    rgb = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(int)
    red = (rgb[..., 0] - rgb[..., 2] > 20) & (rgb[..., 0] - rgb[..., 1] > 20)
    # A half of 120 px in a drawing of 300 columns; the key, to the right, has red, too.
    columns = np.flatnonzero(red[:, : rgb.shape[1] * 5 // 6].sum(axis=0) > 20)
    assert math.isclose(columns.max() - columns.min(), 0.2 * rgb.shape[1] * 6 / 7, rel_tol=0.25)
