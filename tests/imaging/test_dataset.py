import csv
import dataclasses
import shutil
import unicodedata

import imagecodecs
import numpy as np
import pytest
from helpers.crops import ellipse
from helpers.grana_folders import drawn_granum, lamellae, same, write_folder, write_lamellae
from scipy import ndimage

from srd_jax.imaging.crop import read_crop
from srd_jax.imaging.dataset import Granum, fingerprint, read_grana, split, write_grana
from srd_jax.support.errors import InputError


def annotate(folder, text):
    (folder / "annotations.csv").write_text(text)
    return folder


def off_horizontal(granum, period):
    """Distance of each pixel inside from the cosine of rows that fits best, 0 elsewhere."""
    rows = np.indices(granum.image.shape)[0]
    waves = np.stack(
        [f(2 * np.pi * rows / period) for f in (np.cos, np.sin)] + [np.ones_like(rows)]
    )
    basis = waves[:, granum.mask].T
    values = granum.image[granum.mask]
    fitted = basis @ np.linalg.lstsq(basis, values, rcond=None)[0]
    distance = np.zeros(granum.image.shape)
    distance[granum.mask] = np.abs(values - fitted)
    return distance


@pytest.mark.parametrize("angle", [90, 90.5, 60, 45, 110, 135, 180, 1e-3])
@pytest.mark.parametrize("whole", [False, True])
def test_lamellae_at_any_angle_become_horizontal_up_to_the_masks_border(tmp_path, angle, whole):
    mask = np.ones((120, 150), bool) if whole else ellipse((120, 150))
    write_lamellae(tmp_path / "a.png", angle, mask)
    text = f"granum_image,angle,period_nm,px_per_nm\na.png,{angle},10,1.5\n"
    (granum,) = read_grana(annotate(tmp_path, text))
    assert (granum.name, granum.period_px, granum.px_per_nm) == ("a.png", 15.0, 1.5)
    assert (granum.image.dtype, granum.mask.dtype) == (np.float32, bool)
    assert not granum.image[~granum.mask].any()
    for edge in (0, -1):
        assert granum.mask[edge].any()
        assert granum.mask[:, edge].any()
    distance = off_horizontal(granum, 15.0)
    # Two pixels beyond the border lie the values that the spline takes from outside.
    inner = ndimage.binary_erosion(granum.mask, iterations=6)
    assert distance[inner].max() < 1e-3
    # Grey value 0 outside would pull the border off by up to 0.4.
    assert distance.max() < 0.16
    assert abs(granum.mask.sum() / mask.sum() - 1) < 0.01


def test_lamellae_that_lie_otherwise_are_told_apart(tmp_path):
    write_lamellae(tmp_path / "a.png", 70)
    (granum,) = read_grana(annotate(tmp_path, "granum_image,angle,period_px\na.png,110,15\n"))
    assert off_horizontal(granum, 15.0).max() > 0.4


def test_horizontal_crops_keep_every_value_and_come_in_the_order_of_the_csv(tmp_path):
    mask = np.pad(ellipse((120, 150)), ((3, 5), (7, 2)))
    for name, period in (("b.png", 15.0), ("a.png", 20.0)):
        write_lamellae(tmp_path / name, 90, mask, (128, 159), period)
    annotate(tmp_path, "px_per_nm,period_px,granum_image\n1.2,15,b.png\n,20,a.png\n")
    found = read_grana(str(tmp_path))
    assert [(g.name, g.period_px, g.px_per_nm) for g in found] == [
        ("b.png", 15.0, 1.2),
        ("a.png", 20.0, None),
    ]
    for granum in found:
        crop = read_crop(tmp_path / granum.name)
        np.testing.assert_array_equal(granum.image, crop.image[3:-5, 7:-2])
        np.testing.assert_array_equal(granum.mask, ellipse((120, 150)))
        expected = lamellae((128, 159), granum.period_px, 90)[3:-5, 7:-2]
        np.testing.assert_allclose(granum.image, expected * granum.mask, atol=1e-5)


def test_another_csv(tmp_path):
    folder = write_folder(tmp_path / "grana")
    other = tmp_path / "other.csv"
    other.write_text("granum_image,period_px\ngranum_2.png,11\n")
    assert [(g.name, g.period_px) for g in read_grana(folder, other)] == [("granum_2.png", 11.0)]


@pytest.mark.parametrize("px_per_nm", [1.298, None])
def test_written_grana_are_read_again(tmp_path, px_per_nm):
    grana = [drawn_granum(seed, period=12.3, px_per_nm=px_per_nm) for seed in range(3)]
    write_grana(tmp_path / "set", grana)
    read = read_grana(tmp_path / "set")
    for granum, found in zip(grana, read, strict=True):
        np.testing.assert_allclose(found.period_px, 12.3, rtol=1e-14)
        assert same([dataclasses.replace(found, period_px=12.3)], [granum])
        rgb = imagecodecs.imread(tmp_path / "set" / granum.name)
        np.testing.assert_array_equal((rgb == (0, 0, 255)).all(axis=-1), ~granum.mask)
        assert (rgb[granum.mask] == rgb[granum.mask][:, :1]).all()
    with (tmp_path / "set" / "annotations.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    period = "period_nm" if px_per_nm else "period_px"
    assert header == ["granum_image", "angle", period, "px_per_nm"]
    assert [row[0] for row in rows] == [granum.name for granum in grana]
    assert {float(row[1]) for row in rows} == {90.0}
    write_grana(tmp_path / "again", read)
    for path in (tmp_path / "set").glob("*.png"):
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


def test_grana_written_at_angles_are_turned_back(tmp_path):
    angles, mask = [10.0, 90.0, 135.0, 180.0], ellipse((90, 140))
    waves = [lamellae(mask.shape, 14.0, 90, phase) * mask for phase in range(4)]
    write_grana(
        tmp_path,
        [Granum(f"{i}.png", wave, mask, 14.0, 1.3) for i, wave in enumerate(waves)],
        angles,
    )
    for i, granum in enumerate(read_grana(tmp_path)):
        assert np.abs(np.subtract(granum.mask.shape, mask.shape)).max() <= 2
        distance = off_horizontal(granum, 14.0)
        assert distance[ndimage.binary_erosion(granum.mask, iterations=6)].max() < 0.02
        if angles[i] == 180:
            # A quarter turn of the crop, seen counter-clockwise.
            image = read_crop(tmp_path / f"{i}.png").image
            np.testing.assert_allclose(image, np.rot90(waves[i]), atol=0.5 / 255 + 1e-6)


@pytest.mark.parametrize(
    ("names", "angles", "message"),
    [
        (["a.png", "a.png"], None, "granum name 'a.png'; accepted are names ending in .png, each"),
        (["../a.png"], None, "granum name '../a.png'"),
        (["a.tif"], None, "granum name 'a.tif'"),
        (["a.png", "b.png"], [90.0], "b.png: has no angle"),
        (["a.png"], [90.0, 80.0], "more angles than the 1 grana"),
    ],
)
def test_grana_that_cannot_be_written(tmp_path, names, angles, message):
    grana = [dataclasses.replace(drawn_granum(i), name=name) for i, name in enumerate(names)]
    with pytest.raises(InputError, match=message.replace("(", r"\(")):
        write_grana(tmp_path, grana, angles)
    assert not (tmp_path / "annotations.csv").exists()


def tiny(seed):
    image = np.random.default_rng(seed).random((6, 5), np.float32)
    return Granum(f"{seed}.png", image, np.ones((6, 5), bool), 3.0, None)


def names_of(grana, indices):
    return [grana[i].name for i in indices]


def test_split_is_exact_and_stable_under_order_and_names():
    grana = [tiny(seed) for seed in range(339)]
    train, validation = split(grana, 0.3)
    assert (len(train), len(validation)) == (237, 102)
    assert sorted([*train, *validation]) == list(range(339))
    order = np.random.default_rng(0).permutation(339)
    shuffled = [grana[i] for i in order]
    renamed = [dataclasses.replace(g, name=f"x{i}.tif") for i, g in enumerate(shuffled)]
    for others in (shuffled, renamed):
        # Not only the same sides, but also in the same order.
        for side, expected in zip(split(others, 0.3), (train, validation), strict=True):
            np.testing.assert_array_equal(order[side], expected)


def test_split_barely_changes_where_crops_are_added():
    grana = [tiny(seed) for seed in range(220)]
    before = set(names_of(grana[:200], split(grana[:200], 0.3)[1]))
    after = set(names_of(grana, split(grana, 0.3)[1]))
    assert len(before) == 60
    assert len(before - after) <= 8


@pytest.mark.parametrize(
    ("n", "share", "sizes"),
    [(2, 0.3, (1, 1)), (2, 0.99, (1, 1)), (3, 0.01, (2, 1)), (10, 0.3, (7, 3)), (1, 0, (1, 0))],
)
def test_both_sides_of_small_sets_hold_something(n, share, sizes):
    parts = split([tiny(seed) for seed in range(n)], share)
    assert tuple(len(part) for part in parts) == sizes


@pytest.mark.parametrize(
    ("n", "share"), [(1, 0.3), (0, 0), (0, 0.3), (5, 1), (5, -0.1), (5, np.nan)]
)
def test_impossible_splits(n, share):
    with pytest.raises(InputError, match="accepted"):
        split([tiny(seed) for seed in range(n)], share)


def test_fingerprint_is_of_the_content():
    granum = tiny(0)
    known = fingerprint(granum.image, granum.mask)
    last_bits = np.nextafter(granum.image, np.float32(0.5))
    assert fingerprint(last_bits, granum.mask) == known
    other_mask, other_image = granum.mask.copy(), granum.image.copy()
    other_mask[0, 0], other_image[0, 0] = False, other_image[0, 0] / 2 + 0.5
    turned = granum.image.reshape(5, 6), granum.mask.reshape(5, 6)
    others = [(granum.image, other_mask), (other_image, granum.mask), turned]
    assert len({known, *(fingerprint(*other) for other in others)}) == 4


def test_real_grana(reference_dir):
    folder = reference_dir / "real_grana"
    grana = read_grana(folder)
    with (folder / "annotations.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for granum, row in zip(grana, rows, strict=True):
        assert granum.name == row["granum_image"]
        assert granum.period_px == float(row["period_px"])
        assert granum.image.shape == (int(row["height"]), int(row["width"]))
    train, validation = split(grana, 0.3)
    assert (len(train), len(validation)) == (6, 2)


def test_images_are_found_by_the_names_that_people_write(tmp_path):
    write_grana(tmp_path, [drawn_granum(seed) for seed in range(4)])
    (tmp_path / "sub").mkdir()
    (tmp_path / "granum_2.png").rename(tmp_path / "sub" / "granum_2.png")
    (tmp_path / "granum_3.png").rename(tmp_path / unicodedata.normalize("NFD", "Blätt.png"))
    names = ["GRANUM_0.PNG", "C:\\data\\granum_1", ".\\sub\\granum_2.png", "Blätt.png"]
    text = "\n".join(["granum_image,period_px", *(f"{name},12" for name in names)])
    found = read_grana(annotate(tmp_path, text))
    assert [one.name for one in found] == names
    for one, drawn in zip(found, map(drawn_granum, range(4)), strict=True):
        assert one.mask.sum() == drawn.mask.sum()
        np.testing.assert_allclose(one.image[one.mask], drawn.image[drawn.mask], atol=0.003)
    shutil.copy(tmp_path / "granum_0.png", tmp_path / "sub" / "granum_1.tif")
    with pytest.raises(InputError, match=r"may be any of .*granum_1\.png, .*granum_1\.tif; acc"):
        read_grana(tmp_path)
