import collections
import dataclasses
import functools
import re
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers.crop_runs import NARROW, crops_config
from helpers.grana_folders import write_folder
from helpers.training_runs import read_checkpoint, same_bits, tiny

from srd_jax.imaging.dataset import Granum, read_grana, split, write_grana
from srd_jax.imaging.preparation import FRAME, normalised, prepare
from srd_jax.imaging.tfds import prepare as prepare_tfds
from srd_jax.support.errors import InputError
from srd_jax.synthetic.config import GranaConfig
from srd_jax.tasks.make import make_task
from srd_jax.tasks.period import sources
from srd_jax.tasks.period.config import AugmentConfig, CropsConfig, DataConfig
from srd_jax.training import steps, train
from srd_jax.training.config import ValidationConfig

pytestmark = pytest.mark.hurry


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A folder of ten grana, and the data_dir of the TensorFlow dataset made of it."""
    root = tmp_path_factory.mktemp("sources")
    write_folder(root / "folder", n=10)
    prepare_tfds(root / "folder", root / "data")
    return root / "folder", root / "data"


def batches(config, count=3):
    source = sources.make(config)
    draw = jax.jit(source.train)
    return [draw(source.arrays, step, jax.random.key(step)) for step in range(count)]


def test_folder_and_tfds_give_the_same_bits(folders):
    folder, data_dir = folders
    config = crops_config(folder)
    other = crops_config("", data=DataConfig("tfds", str(data_dir)))
    for first, second in zip(batches(config), batches(other), strict=True):
        jax.tree.map(np.testing.assert_array_equal, first, second)
    first, second = (sources.make(c) for c in (config, other))
    jax.tree.map(np.testing.assert_array_equal, first.arrays, second.arrays)


def test_the_validation_set_is_what_prediction_sees(folders):
    folder, _ = folders
    config = crops_config(folder)
    source = sources.make(config)
    grana = read_grana(folder)
    kept = [grana[i] for i in split(grana, 0.3)[1]]
    assert source.validation_size == len(kept) == 3
    shown = [source.validation(source.arrays, index) for index in range(2)]
    images = np.concatenate([batch.image for batch in shown])
    targets = np.concatenate([batch.target for batch in shown])
    # The last batch of two is filled up with the first crop.
    for image, target, one in zip(images, targets, [*kept, kept[0]], strict=True):
        expected = prepare(one.image, one.mask, FRAME)
        np.testing.assert_array_equal(image, expected.image)
        assert target == pytest.approx(one.period_px * expected.scale, rel=1e-6)


def test_a_robust_network_sees_normalised_grey_values(folders):
    fixed = crops_config(folders[0])
    robust = dataclasses.replace(fixed, model=dataclasses.replace(fixed.model, grey="robust"))
    given, seen = (sources.make(config) for config in (fixed, robust))
    pairs = [
        (batches(fixed, 1)[0], batches(robust, 1)[0]),
        (given.validation(given.arrays, 0), seen.validation(seen.arrays, 0)),
    ]
    for plain, found in pairs:
        np.testing.assert_array_equal(found.mask, plain.mask)
        np.testing.assert_array_equal(found.target, plain.target)
        for image, mask, expected in zip(plain.image, plain.mask, found.image, strict=True):
            image, mask = np.asarray(image), np.asarray(mask)
            np.testing.assert_allclose(normalised(image, mask), expected, rtol=0, atol=1e-5)
            assert np.abs(image - expected)[mask].max() > 0.05
    # Prediction normalises the crop, and training its frame.
    grana = read_grana(folders[0])
    one = grana[split(grana, 0.3)[1][0]]
    shown = prepare(normalised(one.image, one.mask), one.mask, FRAME).image
    inside = np.asarray(pairs[1][1].mask[0])
    assert np.median(np.abs(shown - pairs[1][1].image[0])[inside]) < 0.01


def test_training_shows_training_crops_only(folders):
    folder, _ = folders
    grana = read_grana(folder)
    assert len({one.period_px for one in grana}) == 1
    plain = AugmentConfig(
        tilt=0.0, rows=(1.0, 1.0), columns=(1.0, 1.0), flip=False, black=(0, 0), white=(255, 255),
        noise=(0, 0),
    )  # fmt: skip
    config = crops_config(folder, frame=FRAME, source=CropsConfig(augment=plain))
    seen = [np.asarray(image) for batch in batches(config, 4) for image in batch.image]
    train_index, validation_index = split(grana, 0.3)
    frames = [prepare(one.image, one.mask).image for one in grana]
    found = [int(np.argmin([np.abs(image - frame).max() for frame in frames])) for image in seen]
    assert set(found) == set(train_index)
    assert not set(found) & set(validation_index)


@pytest.mark.parametrize(("number", "batch_size"), [(7, 3), (5, 5), (3, 8), (1, 4), (10, 4)])
def test_every_crop_is_seen_as_often_as_any(number, batch_size):
    order = jax.jit(functools.partial(sources.epoch_order, batch_size=batch_size, number=number))
    key = jax.random.key(0)
    seen = np.concatenate([order(key, jnp.int32(step)) for step in range(4 * number)])
    counts = collections.Counter(seen.tolist())
    assert set(counts) == set(range(number))
    assert set(counts.values()) == {4 * batch_size}
    epochs = seen.reshape(-1, number)
    assert all(sorted(epoch) == list(range(number)) for epoch in epochs.tolist())
    if number > 4:
        assert len({tuple(epoch) for epoch in epochs.tolist()}) > len(epochs) / 2


def test_the_order_of_late_steps_is_defined():
    late = sources.epoch_order(jax.random.key(0), jnp.int32(2**31 - 5), 64, 339)
    assert sorted(set(np.asarray(late).tolist()))[0] >= 0
    assert np.max(late) < 339


def test_equal_losses_from_folder_and_tfds(folders, tmp_path):
    folder, data_dir = folders
    rows = []
    for name, place in (("folder", folder), ("tfds", data_dir)):
        data = DataConfig(name, str(place))
        train.run(crops_config("", data=data), tmp_path / name, make_task)
        rows.append((tmp_path / name / "metrics.csv").read_text())
    assert rows[0] == rows[1]


def test_a_run_goes_on_with_its_own_crops_only(tmp_path):
    folder = write_folder(tmp_path / "folder", n=10)
    config = crops_config(folder)
    train.run(config, tmp_path / "run", make_task)
    (tmp_path / "run" / "summary.json").unlink()
    table = folder / "annotations.csv"
    text = table.read_text()
    period = text.splitlines()[1].split(",")[2]
    table.write_text(text.replace(period, "9.9", 1))
    with pytest.raises(InputError, match="other examples than there are now") as caught:
        train.run(config, tmp_path / "run", make_task)
    assert "\n" not in str(caught.value)
    table.write_text(text)
    assert train.run(config, tmp_path / "run", make_task)["steps"] == 4


def test_generated_grana_train(tmp_path):
    config = crops_config(
        "", source=GranaConfig(), validation=ValidationConfig(2, NARROW, batch_size=2, pictures=0)
    )
    summary = train.run(config, tmp_path, make_task)
    assert summary["steps"] == 4
    assert np.isfinite(summary["val_mae"])


def test_a_stopped_run_on_crops_goes_on_to_the_same_bits(folders, tmp_path):
    config = crops_config(folders[0])
    train.run(config, tmp_path / "whole", make_task)
    shutil.copytree(tmp_path / "whole", tmp_path / "again")
    for name in ("summary.json", "metrics.csv"):
        (tmp_path / "again" / name).unlink()
    shutil.rmtree(tmp_path / "again" / "checkpoints" / "4")
    train.run(config, tmp_path / "again", make_task)
    first, second = (tmp_path / name for name in ("whole", "again"))
    assert same_bits(read_checkpoint(first, 4), read_checkpoint(second, 4))
    assert (first / "metrics.csv").read_bytes() == (second / "metrics.csv").read_bytes()


def test_a_set_that_training_cannot_use_is_told_by_its_folder_and_crop(tmp_path):
    write_folder(tmp_path / "one", n=1)
    with pytest.raises(InputError) as caught:
        sources.make(crops_config(tmp_path / "one"))
    assert str(caught.value).startswith(f"{tmp_path / 'one'}: 1 grana for a validation_share")
    # In the middle rows, which prediction would show, there is nothing.
    image = np.zeros((2, 400, 9), np.float32)
    mask = np.zeros((400, 9), bool)
    mask[:40] = mask[-40:] = True
    image[:, mask] = np.random.default_rng(0).random((2, 720))
    grana = [Granum(f"{i}.png", one, mask, 10.0, None) for i, one in enumerate(image)]
    write_grana(tmp_path / "two", grana)
    with pytest.raises(InputError) as caught:
        sources.make(crops_config(tmp_path / "two"))
    assert re.match(rf"{tmp_path / 'two'}: [01]\.png: nothing is inside", str(caught.value))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (DataConfig(dir="nowhere"), "nowhere"),
        (DataConfig("tfds", "nowhere"), "nowhere"),
        (DataConfig("tfds"), "config.data.format is 'tfds', but config.data.dir is ''; accepted: "),
    ],
)
def test_a_source_without_files_is_refused(tmp_path, data, found):
    with pytest.raises(InputError, match=found) as caught:
        sources.make(crops_config("", data=data), tmp_path / "run")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"frame": (220, 46)}, "config.frame is 220x46"),
        (
            {"validation": ValidationConfig(frame=NARROW)},
            "config.validation.frame is 476x46; accepted with a source of kind crops: 476x476",
        ),
        ({"data": DataConfig("folders")}, "did you mean folder"),
        ({"source": CropsConfig(kind="grana")}, "config.source.kind is 'grana'"),
        ({"source": GranaConfig(frame_period=(15.0, 200.0))}, "config.source.frame_period"),
        ({"source": GranaConfig(period=(40.0, 20.0))}, "config.source.period"),
    ],
)
def test_a_source_that_cannot_work_is_refused(changes, found):
    with pytest.raises(InputError, match=found) as caught:
        crops_config("x", **changes)
    assert "\n" not in str(caught.value)


def test_stripes_need_no_arrays():
    source = sources.make(tiny())
    assert jax.tree.leaves(source.arrays) == []
    assert source.validation_size == tiny().validation.images


def test_each_stage_of_one_seed_draws_images_of_its_own():
    keys = [
        jax.random.key_data(steps.root_key(tiny(name=name, seed=seed))).tolist()
        for name in ("stage1", "stage2")
        for seed in (0, 1)
    ]
    assert len({tuple(key) for key in keys}) == 4
    again = jax.random.key_data(steps.root_key(tiny(name="stage2", seed=1))).tolist()
    assert again == keys[-1]
