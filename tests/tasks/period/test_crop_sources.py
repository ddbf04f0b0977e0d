import dataclasses

import jax
import numpy as np
import pytest
from helpers.crop_runs import crops_config
from helpers.crops import ellipse
from helpers.grana_folders import drawn_granum, write_folder
from helpers.training_runs import tiny

from srd_jax.imaging.dataset import read_grana, split, write_grana
from srd_jax.support.errors import InputError
from srd_jax.synthetic import drawn_set
from srd_jax.tasks.period import sources
from srd_jax.tasks.period.config import CropsConfig, DataConfig, MaskedStripesConfig

pytestmark = pytest.mark.hurry


def without_validation(folder, source):
    return crops_config(folder, source=source, data=DataConfig(dir=str(folder), validation_share=0))


@pytest.mark.parametrize("source", [CropsConfig(), MaskedStripesConfig()])
def test_without_a_share_all_crops_train_and_a_few_are_shown(tmp_path, source):
    folder = write_folder(tmp_path, n=10)
    made = sources.make(without_validation(folder, source))
    assert not made.held_out
    assert made.arrays["train"].size.shape[0] == 10
    assert made.validation_size == 2
    made = sources.make(crops_config(folder, source=source))
    assert made.held_out
    assert made.arrays["train"].size.shape[0] == 7
    assert made.validation_size == 3


def test_shown_crops_without_a_share_are_those_of_the_set(tmp_path):
    made = sources.make(without_validation(write_folder(tmp_path, n=10), CropsConfig()))
    targets = [made.validation(made.arrays, index).target for index in range(2)]
    np.testing.assert_allclose(np.concatenate(targets), 12 * 476 / 60, rtol=1e-6)


@pytest.mark.parametrize("source", [CropsConfig(), MaskedStripesConfig()])
def test_the_scale_of_a_validation_crop_is_that_of_the_rows_shown(tmp_path, source):
    write_folder(tmp_path / "low", n=2, shape=(60, 80))
    write_folder(tmp_path / "high", n=2, shape=(401, 50))
    for name, rows in (("low", 60), ("high", 300)):
        made = sources.make(crops_config(tmp_path / name, source=source))
        np.testing.assert_allclose(made.validation_scale, [476 / rows], rtol=1e-6)
    assert sources.make(tiny()).validation_scale is None


def masks_folder(folder):
    """A folder of five grana with different masks, and the share of its box that each one fills."""
    grana = []
    for i in range(5):
        granum = drawn_granum(i)
        mask = ellipse((60, 80)) | (np.arange(80) < 15 * i)
        grana.append(
            dataclasses.replace(granum, image=np.where(mask, granum.image, 0.0), mask=mask)
        )
    write_grana(folder, grana)
    return folder, [granum.mask.mean() for granum in grana]


def test_masks_of_training_and_of_validation_are_of_different_crops(tmp_path):
    folder, filled = masks_folder(tmp_path / "set")
    config = crops_config(folder, source=MaskedStripesConfig())
    made = sources.make(config)
    training, validation = split(read_grana(folder), 0.3)
    for masks, index in (
        (made.arrays["train"].mask, training),
        (made.arrays["validation"], validation),
    ):
        share = np.asarray(masks).mean(axis=(1, 2))
        np.testing.assert_allclose(share, [filled[i] for i in index], atol=0.005)
    shown = jax.device_get(jax.jit(made.validation)(made.arrays, 0))
    np.testing.assert_array_equal(shown.mask[0], made.arrays["validation"][0])
    assert not shown.image[~shown.mask].any()
    low, high = MaskedStripesConfig().stripes.period
    assert ((low <= shown.target) & (shown.target <= high)).all()


@pytest.fixture
def drawing(monkeypatch):
    """Replaces the generator, which takes long to compile, by a fast one."""

    def draw(seed, n, config):
        for number in range(n):
            granum = drawn_granum(100 * seed + number)
            yield granum.image, granum.mask, granum.period_px, granum.px_per_nm

    monkeypatch.setattr(drawn_set, "draw_grana", draw)


def test_a_set_is_drawn_beside_the_workdir_once(tmp_path, drawing, capsys):
    config = crops_config("", data=DataConfig(images=5, seed=2))
    dataset = tmp_path / "runs" / "dataset"
    made = [sources.make(config, tmp_path / "runs" / name) for name in "ab"]
    assert capsys.readouterr().out.splitlines() == [
        f"{dataset}: 5 grana drawn of seed 2",
        f"{dataset}: 5 grana found there, drawn of seed 2",
    ]
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["dataset"]
    made += [sources.make(config), sources.make(crops_config(dataset))]
    assert capsys.readouterr().out == ""
    assert len({one.digest for one in made}) == 1
    for one in made[1:]:
        jax.tree.map(np.testing.assert_array_equal, one.arrays, made[0].arrays)
    other = crops_config("", data=DataConfig(images=5, seed=3))
    with pytest.raises(InputError, match=r"config\.data\.seed: 3 against 2 there") as caught:
        sources.make(other, tmp_path / "runs" / "c")
    assert str(caught.value).startswith(f"{dataset}: ")
