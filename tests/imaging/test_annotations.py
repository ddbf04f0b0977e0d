import numpy as np
import pytest
from helpers.command import numbers, read, refused, run
from helpers.crops import write_crop, write_weights

from srd_jax.imaging.annotations import Annotation, read_annotations, read_periods
from srd_jax.support.errors import InputError


def write_text(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def test_annotations_in_nm(tmp_path):
    path = write_text(
        tmp_path / "a.csv",
        "granum_image,angle,period_nm,px_per_nm\r\na.png,90,20.5,1.298\r\n"
        '"b, c.png",12,"30",2\r\nunknown.png,90,,1.298\r\n,,,\r\n\r\n',
    )
    periods = read_periods(path)
    assert list(periods) == ["a.png", "b, c.png"]
    np.testing.assert_allclose(list(periods.values()), [20.5 * 1.298, 60.0])


def test_annotations_in_px_go_first_and_a_spreadsheet_may_have_written_them(tmp_path):
    text = "granum_image, period_px ,angle,period_nm,px_per_nm\n a.png ,25.15,90,x,\n"
    path = write_text(tmp_path / "a.csv", text, "utf-8-sig")
    assert read_periods(str(path)) == {"a.png": 25.15}


def test_whole_annotations_are_read_in_order(tmp_path):
    text = "angle,granum_image,period_nm,px_per_nm\n90,b.png,20,1.25\n\n0.5,a.png,30,2\n"
    assert read_annotations(write_text(tmp_path / "a.csv", text)) == [
        Annotation(line=2, name="b.png", angle=90.0, period_px=25.0, px_per_nm=1.25),
        Annotation(line=4, name="a.png", angle=0.5, period_px=60.0, px_per_nm=2.0),
    ]
    text = "granum_image,period_px,period_nm,px_per_nm\nb.png,20,x,1.25\na.png,30,,\n"
    assert read_annotations(write_text(tmp_path / "a.csv", text)) == [
        Annotation(line=2, name="b.png", angle=90.0, period_px=20.0, px_per_nm=1.25),
        Annotation(line=3, name="a.png", angle=90.0, period_px=30.0, px_per_nm=None),
    ]


def test_a_period_may_be_unknown_to_one_reader_only(tmp_path):
    path = write_text(tmp_path / "a.csv", "granum_image,period_px\na.png,\nb.png,\nc.png,3\n")
    assert read_periods(path) == {"c.png": 3.0}
    with pytest.raises(
        InputError, match=r"row 2 \(a\.png\): period_px is ''.*\(1 more of 3 rows are bad"
    ):
        read_annotations(path)


HEADER = "granum_image,period_nm,px_per_nm\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has the columns none"),
        (HEADER, "has no row below its header"),
        ("granum_image,period_nm\na.png,20\n", "has the columns granum_image, period_nm;"),
        ("image,period_px\na.png,20\n", "has the columns image, period_px;"),
        ("granum_image;period_px\na.png;20\n", "has the columns granum_image;period_px;"),
        (
            "granum_image,period_px,period_px\na.png,20,25\n",
            "has period_px in its header more than",
        ),
        (HEADER + "a.png,20,1.3\nb.png,x,1.3\n", "row 3 (b.png): period_nm is 'x'"),
        (HEADER + "a.png,20,\n", "row 2 (a.png): px_per_nm is ''"),
        (HEADER + "\na.png,20,0\n", "row 3 (a.png): px_per_nm is '0'"),
        (HEADER + "a.png,-3,1\n", "row 2 (a.png): period_nm is '-3'"),
        (HEADER + "a.png,nan,1\n", "row 2 (a.png): period_nm is 'nan'"),
        (HEADER + "a.png,inf,1\n", "row 2 (a.png): period_nm is 'inf'"),
        (HEADER + "a.png,20,1,298\n", "row 2 has 4 cells; accepted are 3"),
        (HEADER + "a.png,20\n", "row 2 has 2 cells"),
        (HEADER + ",20,1\n", "row 2: granum_image is empty"),
        (HEADER + "a.png,20,1\nb.png,20,1\na.png,20,1\n", "row 4: granum_image is a.png, as in"),
        (HEADER + 'a.png,20,1\n"b', "isn't such a file"),
        (HEADER.encode("utf-16").decode("latin-1"), "isn't such a file"),
    ],
)
def test_annotations_refused(tmp_path, text, message):
    path = write_text(tmp_path / "a.csv", text, "latin-1")
    with pytest.raises(InputError) as caught:
        read_periods(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
    assert "accepted" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_annotations_that_cannot_be_read(tmp_path):
    for path, message in ((tmp_path / "none.csv", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(InputError, match=message):
            read_periods(path)


def test_predict_shows_known_periods_and_its_error(tmp_path, capsys):
    weights = write_weights(tmp_path / "weights.safetensors")
    paths = [write_crop(tmp_path / "grana" / f"{i}.png", i) for i in range(3)]
    paths.append(tmp_path / "grana" / "9.png")
    paths[-1].touch()
    known = tmp_path / "known.csv"
    known.write_text(
        "granum_image,angle,period_nm,px_per_nm\n"
        "0.png,90,15,1.3\n2.png,90,20,1.1\n9.png,90,20,1.1\nother.png,90,20,1\n"
    )
    arguments = ("predict", tmp_path / "grana", "--weights", weights, "--annotations", known)
    out = tmp_path / "r.csv"
    assert run(*arguments, "--out", out) == 1
    shown = capsys.readouterr().out.splitlines()
    periods = numbers(read(out)[:3], "period_px")[:, 0]
    errors = np.abs(periods[[0, 2]] - [15 * 1.3, 20 * 1.1])
    assert f"mean absolute error {errors.mean():.2f} px over 2 of 4 crops" in shown[-2]
    assert [line.split()[:2] for line in shown[2:5]] == [
        ["0.png", "19.50"],
        ["1.png", f"{periods[1]:.2f}"],
        ["2.png", "22.00"],
    ]
    out.unlink()
    copy = write_crop(tmp_path / "more" / "2.png")
    said = refused(capsys, "predict", copy, *arguments[1:], "--out", out)
    assert said.startswith(f"{known}: tells images by their names, but 2 of yours are named 2.png")
    said = refused(capsys, *arguments[:-1], known.with_name("none.csv"), "--out", out)
    assert "none.csv: cannot be read (No such file" in said
    known.write_text("granum_image,period_px\n0.PNG,20\n")
    assert "the period of none of the 4 images" in refused(capsys, *arguments, "--out", out)
    known.write_text("granum_image,period_px\n0.png,twenty\n")
    said = refused(capsys, *arguments, "--out", out)
    assert f"{known}: row 2 (0.png): period_px is 'twenty'" in said
    known.write_text("granum_image,period_px\n0.png,20\n")
    assert "would replace an input" in refused(capsys, *arguments, "--out", known)
    assert not out.exists()
