import dataclasses

import jax
import numpy as np
import pytest
from helpers.training_runs import tiny

from srd_jax.synthetic.batch import Batch
from srd_jax.tasks.period import figures
from srd_jax.tasks.period.calibration import Calibration
from srd_jax.tasks.period.figures import write_figures
from srd_jax.tasks.period.model import as_function, random_parameters
from srd_jax.tasks.period.sources import PeriodSource

pytestmark = pytest.mark.hurry

ROWS = [{"step": 2, "epoch": 1.0, "images": 8, "train_mae": 3.0, "val_mae": 2.0}]
IMAGES = np.random.default_rng(0).random((8, 50, 24)).astype(np.float32)
PERIODS = np.linspace(5, 12, 8).astype(np.float32)


def validation(arrays, index):
    image, target = (jax.lax.dynamic_slice_in_dim(array, 2 * index, 2) for array in arrays)
    return Batch(image=image, mask=image > -1, target=target)


def source(**changes):
    def train(arrays, step, key):
        raise AssertionError("training images aren't asked for")

    return PeriodSource((IMAGES, PERIODS), train, validation, 6, **changes)


@pytest.fixture
def titles(monkeypatch):
    """Title and image of each figure."""
    seen = []
    draw = figures.attention_figure

    def attention_figure(image, attention, geometry, text):
        seen.append((text, image))
        return draw(image, attention, geometry, text)

    monkeypatch.setattr(figures, "attention_figure", attention_figure)
    return seen


def config(confidence):
    one = tiny()
    one.model.confidence = confidence
    return dataclasses.replace(
        one, validation=dataclasses.replace(one.validation, batch_size=2, pictures=3)
    )


def test_pictures_show_validation_images_with_their_periods(tmp_path, titles):
    parameters = random_parameters(config(True).model, jax.random.key(0))
    scales = np.arange(1.0, 7.0)
    write_figures(
        config(True),
        tmp_path,
        source(held_out=False, validation_scale=scales),
        parameters,
        ROWS,
        Calibration(2.0, 0.5),
    )
    names = [f"training_{number:03d}.attention" for number in range(3)]
    files = [path.name for path in sorted((tmp_path / "attention").iterdir())]
    assert files == [f"{name}.{kind}" for name in names for kind in ("pdf", "png")]
    assert (tmp_path / "curves.png").exists()
    found = jax.jit(as_function(config(True).model))(parameters, IMAGES)
    for number, (text, image) in enumerate(titles):
        np.testing.assert_array_equal(image, IMAGES[number])
        name, frame, crop = text.split("\n")
        assert name == f"tiny: training image {number}"
        sd = 2 * np.sqrt(found.sd[number])
        for line, scale in ((frame, 1.0), (crop, scales[number])):
            words = [word for word in line.split() if word[0].isdigit()]
            expected = np.array([PERIODS[number], found.period[number], sd]) / scale
            np.testing.assert_allclose([float(word) for word in words], expected, atol=0.006)


def test_drawn_images_have_no_crop_and_a_plain_network_no_sd(tmp_path, titles):
    one = dataclasses.replace(config(False), reference_mae=3.58)
    one.validation.pictures = 1
    parameters = random_parameters(one.model, jax.random.key(0))
    write_figures(one, tmp_path, source(), parameters, ROWS)
    ((text, _),) = titles
    assert text.startswith("tiny: validation image 0\ntrue period 5.00 px, predicted ")
    assert "sd" not in text
    assert "crop" not in text
