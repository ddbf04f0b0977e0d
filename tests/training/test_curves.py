import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from srd_jax.support.errors import InputError
from srd_jax.tasks.period.scores import MAE
from srd_jax.training.curves import StageRows, curves_figure, stages_figure, write_curves

BESIDE = {"val_sd": "mean of the predicted sd, validation"}


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
    figure = curves_figure(_rows(text), MAE, 4.13)
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
    assert lines["reference, 4.13 px of the frame"].get_linestyle() == "--"
    np.testing.assert_allclose(lines["reference, 4.13 px of the frame"].get_ydata(), 4.13)
    best = lines["best, 3.33 px of the frame at epoch 30"]
    np.testing.assert_allclose(best.get_xydata(), [(30, 100 / 30)])
    np.testing.assert_allclose(_lines(losses)["training loss"].get_ydata(), 9 - np.arange(1, 41))
    np.testing.assert_allclose(rate.lines[0].get_ydata(), 1e-3 / np.arange(1, 41))
    scales = [axes.get_yscale() for axes in (errors, losses, rate)]
    assert scales == ["log", "linear", "log"]  # the loss is negative in places
    assert losses.get_xlabel() == "epoch"


def test_curves_without_epochs_are_drawn_over_steps_and_a_lone_point_is_marked():
    figure = curves_figure([{"step": 6, "train_mae": 3.0}], MAE)
    errors = figure.axes[0]
    assert figure.axes[1].get_xlabel() == "step"
    np.testing.assert_array_equal(errors.lines[0].get_xydata(), [(6, 3.0)])
    assert errors.lines[0].get_marker() == "o"
    assert len(errors.lines) == 1
    assert len(figure.axes) == 2  # no learning rate, no axis for it


def test_a_diverged_epoch_leaves_a_gap():
    rows = _rows()
    rows[9]["val_mae"] = float("nan")
    errors = curves_figure(rows, MAE).axes[0]
    validation = _lines(errors)["validation, averaged parameters"]
    assert np.isnan(validation.get_ydata()).tolist() == [False, True] + [False] * 6
    assert errors.get_yscale() == "log"
    assert "best, 3.33 px of the frame at epoch 30" in _lines(errors)


def test_the_written_curves_are_a_png_with_the_colours_of_its_curves(tmp_path):
    path = tmp_path / "run" / "curves.png"
    write_curves(path, _rows(), MAE, 4.13)
    picture = np.asarray(Image.open(path))
    assert picture.shape[:2] == (960, 1120)
    for colour in ((0, 0x72, 0xB2), (0xE6, 0x9F, 0), (0, 0x9E, 0x73), (0x33, 0x33, 0x33)):
        assert (picture[..., :3] == colour).all(axis=2).sum() > 100
    assert [entry.name for entry in path.parent.iterdir()] == ["curves.png"]


@pytest.mark.parametrize("rows", [[], [{"epoch": 1, "seconds": 3.0}], [{"train_mae": 2.0}]])
def test_metrics_with_nothing_to_draw_are_refused(tmp_path, rows):
    with pytest.raises(InputError, match=f"^metrics: no row of {len(rows)} has a"):
        write_curves(tmp_path / "c.png", rows, MAE)
    assert not list(tmp_path.iterdir())


def test_a_value_that_is_no_number_is_named():
    rows = [{"epoch": 1, "val_mae": 3.0}, {"epoch": 2, "val_mae": "low"}]
    with pytest.raises(InputError, match=r"^metrics row 2: epoch and val_mae are 2 and 'low'"):
        curves_figure(rows, MAE)


def _ticks(axes):
    axes.figure.canvas.draw()
    low, high = axes.get_ylim()
    labels = axes.get_yticklabels(which="both")
    return [
        one.get_text() for one in labels if one.get_text() and low <= one.get_position()[1] <= high
    ]


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ((0.62, 0.95), ["0.65", "0.7", "0.75", "0.8", "0.85", "0.9", "0.95"]),
        ((0.3, 1.4), ["0.3", "0.4", "0.6", "0.8", "1"]),
        ((0.5, 60.0), ["0.5", "1", "2", "5", "10", "20", "50"]),
        ((0.01, 60.0), ["0.01", "0.1", "1", "10"]),
    ],
)
def test_ticks_of_a_logarithmic_axis_are_plain_numbers(errors, expected):
    rows = [{"epoch": i, "val_mae": error} for i, error in enumerate(errors)]
    assert set(_ticks(curves_figure(rows, MAE).axes[0])) <= {*expected, "1.5"}
    assert 3 <= len(_ticks(curves_figure(rows, MAE).axes[0])) <= 8


def test_the_predicted_sd_is_drawn_beside_the_error():
    rows = [{"epoch": i, "val_mae": 4.0 / i, "val_sd": 5.0 / i} for i in (1, 2, 3)]
    lines = _lines(curves_figure(rows, MAE, beside=BESIDE).axes[0])
    line = lines["mean of the predicted sd, validation"]
    np.testing.assert_allclose(line.get_xydata(), [(i, 5.0 / i) for i in (1, 2, 3)])


def _stage(images, *errors):
    return [
        {"images": str(images * (i + 1)), "train_mae": str(2 * error), "val_mae": str(error)}
        for i, error in enumerate(errors)
    ]


def test_stages_are_drawn_one_after_the_other():
    stages = [
        StageRows("first", _stage(100, 9.0, 3.0), 3.58),
        StageRows("empty", [], 1.0),
        StageRows("second", _stage(300, 0.6), 4.13),
        StageRows("third", [{"images": 50, "train_mae": 2.0, "val_mae": ""}]),
    ]
    axes = stages_figure(stages, MAE).axes[0]
    drawn = {}
    for line in axes.lines:
        drawn.setdefault(str(line.get_label()), []).append(line.get_xydata().tolist())
    assert [points for points in drawn["training"] if points] == [
        [[100, 18], [200, 6]],
        [[500, 1.2]],
        [[550, 2]],
    ]
    assert [points for points in drawn["validation, averaged parameters"] if points] == [
        [[100, 9], [200, 3]],
        [[500, 0.6]],
    ]
    assert drawn["reference"] == [[[0, 3.58], [200, 3.58]], [[200, 4.13], [500, 4.13]]]
    assert axes.get_xlim() == (0, 550)
    assert axes.get_yscale() == "log"
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["training", "validation, averaged parameters", "reference"]
    (top,) = axes.child_axes
    assert [label.get_text() for label in top.get_xticklabels()] == ["first", "second", "third"]
    np.testing.assert_allclose(top.get_xticks(), [100, 350, 525])


def test_stages_with_nothing_to_draw_are_refused():
    with pytest.raises(InputError, match=r"^metrics: none of 2 stages has images and their errors"):
        stages_figure([StageRows("a", []), StageRows("b", [{"images": 3, "train_mae": ""}])], MAE)


def test_no_module_of_figures_loads_pyplot(tmp_path):
    code = (
        "import sys, srd_jax.training.curves as c, srd_jax.tasks.period.attention as a\n"
        "import srd_jax.support.page as p, srd_jax.tasks.period.scores as s\n"
        "figure = c.curves_figure([{'epoch': 1, 'val_mae': 2.0}], s.MAE)\n"
        f"p.svg(figure)\na.write_figure({str(tmp_path / 'a.png')!r}, figure)\n"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
