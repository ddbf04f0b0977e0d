import io

import numpy as np
import pytest
import tifffile
from helpers.crops import ellipse, stripes
from helpers.image_files import grey, silence, write_png
from PIL import Image
from scipy import ndimage

from srd_jax.imaging.crop import open_crops, read_crop
from srd_jax.imaging.folders import find_images
from srd_jax.imaging.mask_files import image_of
from srd_jax.support.errors import InputError

SHAPE = (120, 150)
INSIDE = ellipse(SHAPE)
LEFT, RIGHT = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
LEFT[10:110, 10:60], RIGHT[10:110, 80:140] = True, True


@pytest.fixture(autouse=True)
def _nothing_leaks(capfd, caplog):
    with silence(capfd, caplog):
        yield


def save(folder, name, array, **options):
    (folder / name).parent.mkdir(exist_ok=True, parents=True)
    Image.fromarray(np.asarray(array)).save(folder / name, **options)
    return folder / name


def to_bytes(mask, high=255, low=0):
    return np.where(mask, high, low).astype(np.uint8)


def found_mask(folder, mask, name="a_mask.png", **options):
    save(folder, "a.png", stripes(0))
    save(folder, name, mask, **options)
    return read_crop(folder / "a.png")


@pytest.mark.parametrize(
    "name",
    [
        "a_mask.png", "a_mask.PNG", "a_MASK.tif", "a_mask.tiff", "a_mask.jpg", "a_masks.png",
        "a-mask.png", "a.mask.png", "a mask.png", "a_cp_masks.png", "a_cp_masks.tif", "a_seg.png",
        "a_segmentation.png", "a_label.png", "a_labels.tif", "a.png_mask.png", "a.png.mask.png",
        "a_mask_1.png", "a_Simple Segmentation.png", "mask_a.png", "Mask of a.tif", "masks/a.png",
        "mask/A.tif", "Masks/a_mask.png", "labels/a_labels.tif", "segmentation/a.png",
    ],
)  # fmt: skip
def test_masks_of_common_names_are_taken_and_are_no_crops(tmp_path, name):
    crop = found_mask(tmp_path, to_bytes(INSIDE), name)
    np.testing.assert_array_equal(crop.mask, INSIDE)
    assert crop.mask_source == name
    assert image_of(tmp_path / name) == tmp_path / "a.png"
    found = find_images([tmp_path])
    assert [path.name for path in found.images] == ["a.png"]
    assert find_images([tmp_path / name, tmp_path / "a.png"]).images == [tmp_path / "a.png"]
    with pytest.raises(InputError, match="accepted are crops"):
        find_images([tmp_path / name])


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("images/b.png", "masks/b.tif"),
        ("raw/b.png", "masks/b_mask.png"),
        ("grana/b.png", "masks/b.png"),
        ("grana/b.png", "grana_masks/b.png"),
        ("data/images/leaf/b.png", "data/masks/leaf/b.png"),
        ("b_img.png", "b_mask.png"),
        ("img_7.tif", "mask_7.tif"),
    ],
)
def test_masks_in_folders_of_their_own_and_images_called_so(tmp_path, image, mask):
    save(tmp_path, image, stripes(0))
    save(tmp_path, mask, to_bytes(INSIDE))
    crop = read_crop(tmp_path / image)
    np.testing.assert_array_equal(crop.mask, INSIDE)
    assert (tmp_path / image).parent.joinpath(crop.mask_source).resolve() == tmp_path / mask
    assert find_images([tmp_path]).images == [tmp_path / image]


def test_crops_that_are_only_named_as_masks_stay_crops(tmp_path):
    names = [
        "a_mask.png", "c_mask/1.png", "masks/z.png", "pairs/masks/a.png", "pairs/masks/a_mask.png",
        "pairs/x/a.png",
    ]  # fmt: skip
    for name in names:
        save(tmp_path, name, stripes(0))
    save(tmp_path, "pairs/masks/a_mask.png", to_bytes(INSIDE))
    taken = [path.relative_to(tmp_path).as_posix() for path in find_images([tmp_path]).images]
    assert taken == [name for name in names if name != "pairs/masks/a_mask.png"]
    assert read_crop(tmp_path / "pairs/masks/a.png").mask_source == "a_mask.png"
    assert read_crop(tmp_path / "pairs/x/a.png").mask_source == ""


def test_a_mask_of_a_folder_beside_two_of_images_is_asked_about(tmp_path):
    for name in ("x/a.png", "y/a.png"):
        save(tmp_path, name, stripes(0))
    save(tmp_path, "masks/a.png", to_bytes(INSIDE))
    with pytest.raises(
        InputError, match=r"masks/a\.png could be its mask or that of \.\./y/a\.png"
    ):
        read_crop(tmp_path / "x" / "a.png")


def test_the_case_of_letters_tells_images_apart(tmp_path):
    for name, inside in (("a", LEFT), ("A", RIGHT)):
        save(tmp_path, f"{name}.png", stripes(0))
        save(tmp_path, f"{name}_mask.png", to_bytes(inside))
    np.testing.assert_array_equal(read_crop(tmp_path / "a.png").mask, LEFT)
    np.testing.assert_array_equal(read_crop(tmp_path / "A.png").mask, RIGHT)


def test_several_masks_must_be_the_same(tmp_path):
    crop = found_mask(tmp_path, to_bytes(LEFT), "a_mask.png")
    save(tmp_path, "a_masks.tif", to_bytes(LEFT, 1))
    np.testing.assert_array_equal(read_crop(tmp_path / "a.png").mask, crop.mask)
    save(tmp_path, "masks/a.png", to_bytes(RIGHT))
    with pytest.raises(InputError, match=r"masks a_mask\.png, a_masks\.tif, masks/a\.png, and"):
        read_crop(tmp_path / "a.png")


def test_a_mask_in_another_format_is_not_ignored(tmp_path):
    save(tmp_path, "a.png", stripes(0))
    save(tmp_path, "a_mask.bmp", to_bytes(INSIDE))
    with pytest.raises(InputError, match=r"a_mask\.bmp: is a BMP file; accepted"):
        read_crop(tmp_path / "a.png")
    # Cellpose writes its own file beside the mask.
    (tmp_path / "a_mask.bmp").rename(tmp_path / "a_seg.npy")
    save(tmp_path, "a_cp_masks.png", to_bytes(INSIDE))
    assert read_crop(tmp_path / "a.png").mask_source == "a_cp_masks.png"


@pytest.mark.parametrize(
    "values",
    [
        INSIDE, INSIDE.astype(np.uint8), INSIDE * np.uint16(65535), INSIDE * np.uint16(4095),
        INSIDE.astype(np.float32), INSIDE * np.float32(255), np.where(INSIDE, 1, np.nan),
        INSIDE.astype(np.int32),
    ],
    ids=lambda values: str(values.dtype),
)  # fmt: skip
def test_two_valued_masks_of_every_type(tmp_path, values):
    save(tmp_path, "a.png", stripes(0))
    tifffile.imwrite(tmp_path / "a_mask.tif", values)
    crop = read_crop(tmp_path / "a.png")
    np.testing.assert_array_equal(crop.mask, INSIDE)
    assert crop.notes == ()


def through_jpeg(array, quality):
    file = io.BytesIO()
    Image.fromarray(array).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


@pytest.mark.parametrize(
    "values",
    [
        through_jpeg(to_bytes(INSIDE), 60),
        through_jpeg(to_bytes(INSIDE, 252, 3), 75),
        ndimage.gaussian_filter(to_bytes(INSIDE).astype(float), 1).astype(np.uint8),
    ],
    ids=["jpeg", "jpeg of 3 and 252", "smooth border"],
)
def test_a_soft_mask_is_divided_at_half(tmp_path, values):
    crop = found_mask(tmp_path, values)
    assert np.count_nonzero(crop.mask != INSIDE) < 0.01 * INSIDE.sum()
    assert crop.notes == ("the mask is soft and is divided at half of its full value",)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (to_bytes(INSIDE, 252, 3), "the values 3 and 252 and nowhere 0"),
        (to_bytes(INSIDE, 2, 1), "the values 1 and 2 and nowhere 0"),
        (grey(shape=SHAPE, low=20), "nowhere 0"),
        (grey(shape=SHAPE), r"the values 0 to 255 \(256 values\)"),
        (
            np.where(ndimage.binary_erosion(INSIDE, iterations=8), 255, INSIDE * 128).astype("u1"),
            "the values 0, 128 and 255",
        ),
        (ndimage.gaussian_filter(INSIDE * 255.0, 15).astype(np.uint8), r"\d+ values"),
        (to_bytes(~INSIDE), "as if it were inverted"),
    ],
)
def test_a_mask_that_is_unclear_is_asked_about(tmp_path, values, message):
    if message.endswith("inverted"):
        values = np.pad(values[2:-2, 2:-2], 2, constant_values=255)
    with pytest.raises(InputError, match=f"a_mask.png: the mask .*{message}.*accepted are masks"):
        found_mask(tmp_path, values)


def test_a_constant_mask_holds_all_or_nothing(tmp_path):
    assert found_mask(tmp_path, np.full(SHAPE, 255, np.uint8)).mask.all()
    assert not found_mask(tmp_path, np.zeros(SHAPE, np.uint8)).mask.any()


def coloured(*parts):
    rgb = np.zeros((*SHAPE, 3), np.uint8)
    for inside, colour in parts:
        rgb[inside] = colour
    return rgb


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        ((LEFT * 1 + RIGHT * 2).astype(np.uint8), [1, 2]),
        ((LEFT * 17 + RIGHT * 300).astype(np.uint16), [17, 300]),
        ((LEFT * 127 + RIGHT * 255).astype(np.uint8), [127, 255]),
        (coloured((LEFT, (200, 0, 0)), (RIGHT, (0, 0, 255))), [1, 2]),
    ],
)
def test_a_mask_of_several_numbers_or_colours_gives_a_crop_for_each(tmp_path, values, numbers):
    path = save(tmp_path, "a.png", stripes(0))
    write_png(tmp_path / "a_mask.png", values)
    crops = {number: read() for number, read in open_crops(path).items()}
    assert list(crops) == numbers
    for crop, inside in zip(crops.values(), (LEFT, RIGHT), strict=True):
        assert crop.mask.all()
        np.testing.assert_allclose(crop.image.ravel() * 255, stripes(0)[inside], atol=1e-4)
    with pytest.raises(InputError, match="tells 2 grana apart; accepted is one"):
        read_crop(path)


def test_a_stray_blot_far_away_is_left_out_and_told(tmp_path):
    mask = np.zeros(SHAPE, bool)
    mask[5:80, 5:100] = True
    mask[20:30, 20:30] = False  # a hole stays
    blot = mask.copy()
    blot[110:113, 140:145] = True
    crop = found_mask(tmp_path, to_bytes(blot))
    np.testing.assert_array_equal(crop.mask, mask)
    assert crop.notes == ("the largest of 2 parts of the mask is measured, 99.79% of it",)
    assert crop.doubts == ()


def with_alpha(alpha):
    return np.dstack([stripes(0)] * 3 + [alpha.astype(np.uint8)])


def test_alpha_below_half_is_outside(tmp_path):
    for soft in (to_bytes(INSIDE, 255, 2), ndimage.gaussian_filter(INSIDE * 255.0, 1)):
        crop = read_crop(save(tmp_path, "a.png", with_alpha(soft)))
        assert np.count_nonzero(crop.mask != INSIDE) < 0.01 * INSIDE.sum()
        assert (crop.mask_source, crop.notes) == ("alpha", ("alpha below half of full is outside",))
    for whole in (128, 255):
        assert read_crop(save(tmp_path, "a.png", with_alpha(np.full(SHAPE, whole)))).mask.all()
    for unclear in (to_bytes(LEFT, 255, 100), ndimage.gaussian_filter(LEFT * 255.0, 30)):
        with pytest.raises(InputError, match="alpha between opaque and transparent; accepted"):
            read_crop(save(tmp_path, "a.png", with_alpha(unclear)))
