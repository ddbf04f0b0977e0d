import numpy as np
import pytest
from helpers.image_files import grey, silence, some_mask, with_blue, write_png
from PIL import Image
from skimage.measure import regionprops

from srd_jax.imaging.crop import read_crop
from srd_jax.imaging.masks import check_lamellae, check_shapes, extend, slices, tight_box
from srd_jax.support.errors import InputError

BLUE = (0, 0, 255)


@pytest.fixture(autouse=True)
def _nothing_leaks(capfd, caplog):
    with silence(capfd, caplog):
        yield


def test_blue_alpha_and_mask_file_add_up(tmp_path):
    array, (blue, alpha, file) = grey(), np.random.default_rng(3).random((3, 24, 36)) < 0.8
    rgba = np.dstack([with_blue(array, blue), np.where(alpha, 255, 0).astype(np.uint8)])
    write_png(tmp_path / "crop.png", rgba)
    write_png(tmp_path / "crop_mask.png", np.where(file, 7, 0).astype(np.uint8))
    crop = read_crop(tmp_path / "crop.png")
    np.testing.assert_array_equal(crop.mask, blue & alpha & file)
    expected = np.where(blue & alpha & file, array / 255, 0)
    np.testing.assert_allclose(crop.image, expected, rtol=0, atol=1e-7)


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_blue_survives_lossy_compression(tmp_path, suffix):
    mask = np.zeros((96, 128), bool)
    mask[24:72, 32:96] = True
    rgb = with_blue(np.where(mask, 130, 0).astype(np.uint8), mask)
    path = tmp_path / f"crop.{suffix}"
    options = {"compression": "jpeg"} if suffix == "tif" else {}
    Image.fromarray(rgb).save(path, quality=90, **options)
    found = read_crop(path).mask
    rows, columns = np.nonzero(found != mask)
    # Only within the one or two pixels that chroma subsampling mixes.
    edge = np.minimum(np.abs(rows - 23.5), np.abs(rows - 71.5))
    edge = np.minimum(edge, np.minimum(np.abs(columns - 31.5), np.abs(columns - 95.5)))
    assert (edge < 2).all()


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "P", "RGBA"])
def test_mask_files_of_every_mode(tmp_path, mode):
    mask = some_mask()
    write_png(tmp_path / "crop.png", grey())
    image = Image.fromarray(np.where(mask, 255, 0).astype(np.uint8))
    image.convert(mode).save(tmp_path / "crop_mask.png")
    np.testing.assert_array_equal(read_crop(tmp_path / "crop.png").mask, mask)


def test_all_masked_is_read_and_left_to_the_preparation(tmp_path):
    rgb = np.full((6, 7, 3), BLUE, np.uint8)
    crop = read_crop(write_png(tmp_path / "crop.png", rgb))
    assert not crop.mask.any()
    assert not crop.image.any()


def test_bad_mask_files_are_named(tmp_path):
    path = write_png(tmp_path / "crop.png", grey())
    mask = write_png(tmp_path / "crop_mask.png", grey(shape=(24, 35)))
    with pytest.raises(InputError, match=r"24 x 35 px.*accepted is .* 24 x 36") as caught:
        read_crop(path)
    assert str(caught.value).startswith(f"{mask}: ")
    mask.write_bytes(b"")
    with pytest.raises(InputError, match="is empty") as caught:
        read_crop(path)
    assert str(caught.value).startswith(f"{mask}: ")
    mask.unlink()
    mask.symlink_to("missing.png")
    with pytest.raises(InputError, match="No such file") as caught:
        read_crop(path)
    assert str(caught.value).startswith(f"{mask}: ")


def test_the_tight_box_is_that_of_scikit_image():
    for seed in range(20):
        mask = np.random.default_rng(seed).random((9, 8)) < 0.03
        if mask.any():
            row0, column0, row1, column1 = regionprops(mask.astype(int))[0].bbox
            assert tight_box(mask) == (row0, row1, column0, column1)
        else:
            with pytest.raises(InputError, match="nothing is inside of the mask; accepted"):
                tight_box(mask)


def test_the_slices_of_a_box_cut_it_out():
    image = np.arange(30).reshape(5, 6)
    np.testing.assert_array_equal(image[slices((1, 3, 2, 6))], image[1:3, 2:6])


@pytest.mark.parametrize(
    ("image", "mask"), [((4, 5), (4, 6)), ((4,), (4,)), ((4, 5, 3), (4, 5, 3))]
)
def test_image_and_mask_of_other_shapes_are_refused(image, mask):
    check_shapes(np.zeros((4, 5)), np.zeros((4, 5), bool))
    with pytest.raises(InputError) as caught:
        check_shapes(np.zeros(image), np.zeros(mask, bool))
    assert str(caught.value) == (
        f"image of shape {image} with a mask of shape {mask}; "
        "accepted are two arrays of the same (rows, columns)"
    )


def test_a_blank_granum_is_refused():
    image, mask = np.full((4, 5), 0.25), np.ones((4, 5), bool)
    image[0, 0] = 0.5
    check_lamellae(image, mask)
    mask[0, 0] = False
    with pytest.raises(
        InputError, match=r"every pixel of the granum has the grey value 0\.25; acc"
    ):
        check_lamellae(image, mask)


def test_pixels_outside_take_the_nearest_grey_value_inside():
    image = np.array([[1.0, 2.0, 9.0, 9.0], [3.0, 4.0, 9.0, 9.0], [9.0, 9.0, 9.0, 9.0]])
    mask = np.zeros((3, 4), bool)
    mask[:2, :2] = True
    expected = [[1, 2, 2, 2], [3, 4, 4, 4], [3, 4, 4, 4]]
    np.testing.assert_array_equal(extend(image, mask), expected)
