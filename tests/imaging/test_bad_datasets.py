import shutil

import numpy as np
import pytest
from helpers.crops import ellipse, stripes
from helpers.grana_folders import drawn_granum, write_folder
from helpers.image_files import with_blue, write_png

from srd_jax.imaging.dataset import read_grana, write_grana
from srd_jax.support.errors import InputError

HEADER = "granum_image,angle,period_nm,px_per_nm\n"


def refusal(folder, annotations=None):
    with pytest.raises(InputError) as caught:
        read_grana(folder, annotations)
    message = str(caught.value)
    assert message.startswith(f"{folder / 'annotations.csv'}: ")
    assert "accepted" in message
    assert "\n" not in message
    return message


def write_csv(folder, text):
    (folder / "annotations.csv").write_text(HEADER + text)
    return folder


GOOD = "granum_0.png,90,10,1.2\n"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("granum_1.png,90,x,1.2", "period_nm is 'x'; accepted is a number above 0"),
        ("granum_1.png,90,,1.2", "period_nm is ''"),
        ("granum_1.png,90,0,1.2", "period_nm is '0'"),
        ("granum_1.png,90,-20,1.2", "period_nm is '-20'"),
        ("granum_1.png,90,nan,1.2", "period_nm is 'nan'"),
        ("granum_1.png,90,inf,1.2", "period_nm is 'inf'"),
        ("granum_1.png,90,10,0", "px_per_nm is '0'"),
        ("granum_1.png,90,10,", "px_per_nm is ''"),
        ("granum_1.png,90,10,wide", "px_per_nm is 'wide'"),
        ("granum_1.png,,10,1.2", "angle is ''; accepted is a number of degrees from -360 to 360"),
        ("granum_1.png,360.5,10,1.2", "angle is '360.5'"),
        ("granum_1.png,-400,10,1.2", "angle is '-400'"),
        ("granum_1.png,nan,10,1.2", "angle is 'nan'"),
        ("granum_1.png,90,25.5,1.2", "the period is 30.6 px of the crop; accepted are 2 px to 30"),
        ("granum_1.png,90,1,1.9", "the period is 1.9 px of the crop; accepted are 2 px"),
        ("granum_1.png,90,1e200,1e200", "the period is inf px"),
    ],
)
def test_a_bad_number_is_told_with_its_row_and_file(tmp_path, row, message):
    said = refusal(write_csv(write_folder(tmp_path), GOOD + row + "\n"))
    assert f"annotations.csv: row 3 (granum_1.png): {message}" in said
    assert "more" not in said


def test_half_of_the_height_is_that_of_the_turned_granum(tmp_path):
    folder = write_csv(write_folder(tmp_path, shape=(60, 100)), "granum_0.png,90,40,1\n")
    assert "2 px to 30 px, half of the granum's height at the angle 90" in refusal(folder)
    write_csv(folder, "granum_0.png,180,40,1\n")
    assert read_grana(folder)[0].image.shape == (100, 60)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("granum_1.png,90,10\n", "row 3: has 3 cells; accepted are 4"),
        ("granum_1.png,90,10,1,2\n", "row 3: has 5 cells; accepted are 4"),
        (",90,10,1.2\n", "row 3: granum_image is empty"),
        (
            "granum_0.png,90,10,1.2\n",
            "row 3 (granum_0.png): granum_image is granum_0.png, as in row 2",
        ),
    ],
)
def test_a_bad_row_is_told(tmp_path, row, message):
    assert message in refusal(write_csv(write_folder(tmp_path), GOOD + row))


def _missing(path):
    path.unlink()


def _not_an_image(path):
    path.write_text("hello")


def _truncated(path):
    path.write_bytes(path.read_bytes()[:500])


def _blank(path):
    write_png(path, with_blue(np.full((60, 80), 128, np.uint8), ellipse((60, 80))))


def _all_masked(path):
    write_png(path, with_blue(stripes(0, (60, 80)), np.zeros((60, 80), bool)))


def _one_column(path):
    write_png(path, with_blue(stripes(0, (60, 80)), np.arange(80) + np.zeros((60, 1)) == 7))


def _copy_of_the_first(path):
    # The same granum, farther inside of its image.
    granum = drawn_granum(0)
    grey, mask = np.rint(granum.image * 255).astype(np.uint8), granum.mask
    write_png(path, with_blue(np.pad(grey, 4), np.pad(mask, 4)))


BAD = {
    _missing: "cannot be read (No such file or directory)",
    _not_an_image: "isn't an image",
    _truncated: "damaged or truncated",
    _blank: "every pixel of the granum has the grey value 0.502",
    _all_masked: "nothing is inside of the mask",
    _one_column: "a granum of 60 x 1 px (rows x columns); accepted are at least 2 x 2 px",
    _copy_of_the_first: "shows the same pixels as granum_0.png",
}


@pytest.mark.parametrize("spoil", BAD, ids=lambda spoil: spoil.__name__.strip("_"))
def test_a_bad_image_is_told_with_its_row_and_file(tmp_path, spoil):
    folder = write_folder(tmp_path)
    spoil(folder / "granum_1.png")
    said = refusal(folder)
    assert "annotations.csv: row 3 (granum_1.png): " in said
    assert BAD[spoil] in said


def test_copies_are_refused_whatever_their_rows_say(tmp_path):
    folder = write_folder(tmp_path)
    shutil.copy(folder / "granum_0.png", folder / "copy.png")
    write_csv(folder, GOOD + "granum_1.png,90,10,1.2\ncopy.png,88,11,1.3\n")
    assert "row 4 (copy.png): shows the same pixels as granum_0.png" in refusal(folder)


def test_all_rows_are_looked_at_and_the_first_bad_one_is_told(tmp_path):
    folder = write_folder(tmp_path)
    (folder / "granum_1.png").unlink()
    more = "granum_1.png,90,10,1.2\ngranum_2.png,90,x,1.2\nlost.png,90\n"
    said = refusal(write_csv(folder, GOOD + more))
    assert "row 3 (granum_1.png): " in said
    assert said.endswith("(2 more of 4 rows are bad)")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER, "has no row below its header"),
        ("", "has the columns none"),
        ("granum_image,angle,period_nm\na.png,90,20\n", "has the columns granum_image, angle, per"),
        ("image,angle,period_px\na.png,90,20\n", "has the columns image, angle, period_px"),
        ("granum_image angle period_px\na.png 90 20\n", "has the columns granum_image angle"),
    ],
)
def test_a_bad_csv_is_told(tmp_path, text, message):
    folder = write_folder(tmp_path)
    (folder / "annotations.csv").write_text(text)
    assert message in refusal(folder)


def test_no_csv_and_no_folder(tmp_path):
    write_grana(tmp_path, [drawn_granum(0)])
    (tmp_path / "annotations.csv").unlink()
    assert "cannot be read (No such file" in refusal(tmp_path)
    assert "cannot be read (No such file" in refusal(tmp_path / "nowhere")
