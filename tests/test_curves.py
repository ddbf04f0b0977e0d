import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from srd_jax.curves import curves_figure, curves_picture
from srd_jax.errors import InputError


def _rows(text=False):
    rows = []
    for epoch in range(1, 41):
        row = {"step": 6 * epoch, "epoch": epoch, "train_mae": 80 / epoch, "train_loss": 9 - epoch}
        row |= {"learning_rate": 1e-3 / epoch, "seconds": 2.0 * epoch, "val_mae": "", "note": "x"}
        if epoch % 5 == 0:
            row |= {"val_mae": 100 / epoch + abs(epoch - 30), "val_mae_raw": 90 / epoch}
        rows.append({key: str(value) for key, value in row.items()} if text else row)
    return rows


def _lines(axes):
    return {str(line.get_label()): line for line in axes.lines}


@pytest.mark.parametrize("text", [False, True])
def test_curves_draw_each_series_over_epochs(text):
    figure = curves_figure(_rows(text), reference_mae=4.13)
    errors, losses, rate = figure.axes
    lines = _lines(errors)
    np.testing.assert_allclose(
        lines["training"].get_xydata(), [(epoch, 80 / epoch) for epoch in range(1, 41)]
    )
    validation = lines["validation, averaged parameters"]
    raw = lines["validation, raw parameters"]
    np.testing.assert_array_equal(validation.get_xdata(), np.arange(5, 41, 5))
    np.testing.assert_allclose(raw.get_ydata(), 90 / np.arange(5, 41, 5))
    assert raw.get_linewidth() < validation.get_linewidth()
    assert lines["reference, 4.13 px"].get_linestyle() == "--"
    np.testing.assert_allclose(lines["reference, 4.13 px"].get_ydata(), 4.13)
    np.testing.assert_allclose(lines["best, 3.33 px at epoch 30"].get_xydata(), [(30, 100 / 30)])
    np.testing.assert_allclose(_lines(losses)["training loss"].get_ydata(), 9 - np.arange(1, 41))
    np.testing.assert_allclose(rate.lines[0].get_ydata(), 1e-3 / np.arange(1, 41))
    scales = [axes.get_yscale() for axes in (errors, losses, rate)]
    assert scales == ["log", "linear", "log"]  # the loss is negative in places
    assert losses.get_xlabel() == "epoch"


def test_curves_without_epochs_are_drawn_over_steps_and_a_lone_point_is_marked():
    figure = curves_figure([{"step": 6, "train_mae": 3.0}])
    errors = figure.axes[0]
    assert figure.axes[1].get_xlabel() == "step"
    np.testing.assert_array_equal(errors.lines[0].get_xydata(), [(6, 3.0)])
    assert errors.lines[0].get_marker() == "o"
    assert len(errors.lines) == 1
    assert len(figure.axes) == 2  # no learning rate, no axis for it


def test_a_diverged_epoch_leaves_a_gap():
    rows = _rows()
    rows[9]["val_mae"] = float("nan")
    errors = curves_figure(rows).axes[0]
    validation = _lines(errors)["validation, averaged parameters"]
    assert np.isnan(validation.get_ydata()).tolist() == [False, True] + [False] * 6
    assert errors.get_yscale() == "log"
    assert "best, 3.33 px at epoch 30" in _lines(errors)


def test_curves_picture_is_a_png_with_the_colours_of_its_curves(tmp_path):
    path = tmp_path / "run" / "curves.png"
    curves_picture(path, _rows(), 4.13)
    picture = np.asarray(Image.open(path))
    assert picture.shape[:2] == (960, 1120)
    for colour in ((0, 0x72, 0xB2), (0xE6, 0x9F, 0), (0, 0x9E, 0x73), (0x66, 0x66, 0x66)):
        assert (picture[..., :3] == colour).all(axis=2).sum() > 100
    assert [entry.name for entry in path.parent.iterdir()] == ["curves.png"]


@pytest.mark.parametrize("rows", [[], [{"epoch": 1, "seconds": 3.0}], [{"train_mae": 2.0}]])
def test_metrics_with_nothing_to_draw_are_refused(tmp_path, rows):
    with pytest.raises(InputError, match=f"^metrics: no row of {len(rows)} has a"):
        curves_picture(tmp_path / "c.png", rows)
    assert not list(tmp_path.iterdir())


def test_a_value_that_is_no_number_is_named():
    rows = [{"epoch": 1, "val_mae": 3.0}, {"epoch": 2, "val_mae": "low"}]
    with pytest.raises(InputError, match=r"^metrics row 2: epoch and val_mae are 2 and 'low'"):
        curves_figure(rows)


def test_neither_module_loads_pyplot():
    code = (
        "import sys, srd_jax.curves as c, srd_jax.visualize\n"
        "c.curves_figure([{'epoch': 1, 'val_mae': 2.0}])\n"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
