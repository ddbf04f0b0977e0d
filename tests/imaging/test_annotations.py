import pathlib

import numpy as np
import pytest
import tifffile
from helpers.command import numbers, read, refused, run
from helpers.crops import stripes, write_crop, write_weights

from srd_jax.imaging.annotations import Annotation, read_annotations, read_known
from srd_jax.support.errors import InputError


def write_text(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def periods(path):
    """Known periods by name, px."""
    return {one.name: one.period_px for one in read_known(path)}


def test_annotations_in_nm(tmp_path):
    path = write_text(
        tmp_path / "a.csv",
        "granum_image,angle,period_nm,px_per_nm\r\na.png,90,20.5,1.298\r\n"
        '"b, c.png",12,"30",2\r\nunknown.png,90,,1.298\r\n,,,\r\n\r\n',
    )
    known = read_known(path)
    assert [one.name for one in known] == ["a.png", "b, c.png", "unknown.png"]
    assert [one.px_per_nm for one in known] == [1.298, 2, 1.298]
    np.testing.assert_allclose([one.period_px for one in known[:2]], [20.5 * 1.298, 60.0])
    assert known[2].period_px is None


def test_annotations_in_px_go_first_and_a_spreadsheet_may_have_written_them(tmp_path):
    text = "granum_image, period_px ,angle,period_nm,px_per_nm\n a.png ,25.15,90,x,\n"
    path = write_text(tmp_path / "a.csv", text, "utf-8-sig")
    assert periods(str(path)) == {"a.png": 25.15}


def test_whole_annotations_are_read_in_order(tmp_path):
    text = "angle,granum_image,period_nm,px_per_nm\n90,b.png,20,1.25\n\n0.5,a.png,30,2\n"
    assert read_annotations(write_text(tmp_path / "a.csv", text)) == [
        Annotation(line=2, name="b.png", angle=90.0, period_px=25.0, px_per_nm=1.25),
        Annotation(line=4, name="a.png", angle=0.5, period_px=60.0, px_per_nm=2.0),
    ]
    text = (
        "granum_image,period_px,period_nm,px_per_nm\n"
        "b.png,20,x,1.25\na.png,30,,\nc.png,,15,2\nd.png,20.0,15.4,1.3\n"
    )
    assert read_annotations(write_text(tmp_path / "a.csv", text)) == [
        Annotation(line=2, name="b.png", angle=90.0, period_px=20.0, px_per_nm=1.25),
        Annotation(line=3, name="a.png", angle=90.0, period_px=30.0, px_per_nm=None),
        Annotation(line=4, name="c.png", angle=90.0, period_px=30.0, px_per_nm=2.0),
        Annotation(line=5, name="d.png", angle=90.0, period_px=20.0, px_per_nm=1.3),
    ]


@pytest.mark.parametrize(
    ("given", "direction"),
    [(0, 180), (180, 180), (-180, 180), (360, 180), (-90, 90), (270, 90), (12.5, 12.5), (-30, 150)],
)
def test_a_direction_and_its_opposite_are_one(tmp_path, given, direction):
    text = f"granum_image,period_px,angle\na.png,20,{given}\n"
    (found,) = read_annotations(write_text(tmp_path / "a.csv", text))
    assert found.angle == direction


def test_a_period_may_be_unknown_to_one_reader_only(tmp_path):
    path = write_text(tmp_path / "a.csv", "granum_image,period_px\na.png,\nb.png,\nc.png,3\n")
    assert periods(path) == {"a.png": None, "b.png": None, "c.png": 3.0}
    with pytest.raises(
        InputError, match=r"row 2 \(a\.png\): period_px is ''.*\(1 more of 3 rows are bad"
    ):
        read_annotations(path)


PLAIN = "granum_image,period_px,px_per_nm\na.png,16.5,1.298\nb.png,22,\n"
COMMAS = "granum_image;period_px;px_per_nm\na.png;16,5;1,298\nb.png;22;\n"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("utf-16"),
        PLAIN.encode("utf-16-be"),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\r").encode(),
        PLAIN.replace("\n", "\n\n").encode(),
        (PLAIN + "\x1a").encode(),
        PLAIN.replace(",", ";").encode(),
        PLAIN.replace(",", "\t").encode(),
        COMMAS.encode(),
        COMMAS.replace(";", "\t").encode(),
        b'granum_image,period_px,px_per_nm\na.png,"16,5","1,298"\nb.png,22,\n',
        b"sep=,\n" + PLAIN.encode(),
        b"sep=;\r\n" + COMMAS.encode(),
        b"# measured by hand\n" + PLAIN.encode(),
        PLAIN.replace("granum_image,period_px", "Granum Image , PERIOD_PX").encode(),
        PLAIN.replace("granum_image", '"granum_image"').replace("a.png", '"a.png"').encode(),
        PLAIN.replace("22,", "22").encode(),
        PLAIN.replace("\n", ",,\n").encode() + b",,,,\n",
        PLAIN.replace("22,", "22,,,").encode(),
        b",granum_image,period_px,px_per_nm\n0,a.png,16.5,1.298\n1,b.png,22,\n",
        PLAIN.replace("a.png,16.5", "a.png\u200b,16.5\u00a0").encode(),
        PLAIN.replace("\n", ",seen by\n", 1).replace("22,", "22,,Müller").encode("cp1252"),
    ],
)
def test_the_same_table_as_programs_and_people_leave_it(tmp_path, content):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    found = [(one.name, one.period_px, one.px_per_nm) for one in read_known(path)]
    assert found == [("a.png", 16.5, 1.298), ("b.png", 22.0, None)]


HEADER = "granum_image,period_nm,px_per_nm\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has the columns none"),
        (HEADER, "has no row below its header"),
        ("granum_image,period_nm\na.png,20\n", "has the columns granum_image, period_nm;"),
        ("image,period_px\na.png,20\n", "has the columns image, period_px;"),
        ("granum_image period_px\na.png 20\n", "has the columns granum_image period_px;"),
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
        (HEADER + "a.png,20,1,298\n", "row 2: has 4 cells; accepted are 3"),
        (HEADER + "a.png,20\n", "row 2: has 2 cells"),
        (HEADER + ",20,1\n", "row 2: granum_image is empty"),
        (
            HEADER + "a.png,20,1\nb.png,20,1\na.png,20,1\n",
            "row 4 (a.png): granum_image is a.png, as",
        ),
        (HEADER + "a.png,20,1\n.\\a.png,20,1\n", "granum_image is .\\a.png, as in row 2"),
        (HEADER + 'a.png,20,1\n"b', "isn't such a file"),
        ("\x89PNG\r\n\0\0\xff", "isn't such a file (it isn't text)"),
        (HEADER + "a.png,2_2,1\n", "period_nm is '2_2'"),
        (HEADER + "a.png,22 nm,1\n", "period_nm is '22 nm'"),
        (HEADER + "a.png,NA,1\n", "period_nm is 'NA'"),
        (HEADER + "a.png,22. Jan,1\n", "period_nm is '22. Jan'"),
        (HEADER + 'a.png,"1,022.5",1\n', "period_nm is '1,022.5'"),
        (HEADER + 'a.png,"1,022",1\n', "period_nm is '1,022', which may be 1.022 or 1022"),
        ("granum_image,period_px,\na.png,16,5\n", "has '5' in a column without a name"),
        ("granum_image,period_px\na.png,16,5\n", "row 2: has 3 cells; accepted are 2"),
        (
            "granum_image;period_px\na.png;1.022\nb.png;16,5\n",
            "row 2 (a.png): period_px is '1.022', which may be 1.022 or 1022",
        ),
        (
            "granum_image,period_px,period_nm,px_per_nm\na.png,16,16,2\n",
            "period_px is '16', but period_nm times px_per_nm is 16 × 2 = 32 px",
        ),
    ],
)
def test_annotations_refused(tmp_path, text, message):
    path = write_text(tmp_path / "a.csv", text, "latin-1")
    with pytest.raises(InputError) as caught:
        read_known(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
    assert "accepted" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_annotations_that_cannot_be_read(tmp_path):
    for path, message in ((tmp_path / "none.csv", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(InputError, match=message):
            read_known(path)


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
    known.write_text("granum_image,period_px\n0.tif,20\n")
    assert "the period of none of the 4 images" in refused(capsys, *arguments, "--out", out)
    known.write_text("granum_image,period_px\n0.png,twenty\n")
    said = refused(capsys, *arguments, "--out", out)
    assert f"{known}: row 2 (0.png): period_px is 'twenty'" in said
    known.write_text("granum_image,period_px\n0.png,20\n")
    assert "would replace an input" in refused(capsys, *arguments, "--out", known)
    assert not out.exists()


def test_predict_takes_scales_and_names_from_annotations(tmp_path, capsys):
    folder = tmp_path / "grana"
    for name in ("0.png", "sub/0.png", "1.png", "2.png"):
        write_crop(folder / name, period=17.0)
    (folder / "annotations.csv").write_text(
        "granum_image;period_px;px_per_nm\n.\\0.png;20;1,25\nsub\\0.png;21;\n1;19,5;2,5\n9.png;3;\n"
    )
    given = ("predict", folder, "--method", "fft", "--annotations", folder)
    out = tmp_path / "r.csv"
    assert run(*given, "--out", out) == 0
    said = capsys.readouterr()
    assert said.err == (
        f"{folder / 'annotations.csv'}: 1 of 4 rows match no image, first row 5 (9.png)\n"
    )
    # Without the names, which have lines of their own where they are long.
    true = [word for word in said.out.split() if word in ("20.00", "21.00", "19.50")]
    assert [true.count(word) for word in ("20.00", "21.00", "19.50")] == [1, 1, 1]
    found = {pathlib.Path(row["file"]).relative_to(folder).as_posix(): row for row in read(out)}
    assert [found[name]["px_per_nm"] for name in ("0.png", "1.png")] == ["1.25", "2.5"]
    assert found["0.png"]["px_per_nm_source"] == "annotations"
    assert [found[name]["px_per_nm"] for name in ("2.png", "sub/0.png")] == ["", ""]
    assert run(*given, "--out", out, "--px-per-nm", 2) == 0
    assert {(row["px_per_nm"], row["px_per_nm_source"]) for row in read(out)} == {("2", "given")}


def test_a_scale_in_annotations_goes_before_that_of_the_file(tmp_path):
    grey = stripes(0)
    resolution = {"resolution": (2e7, 2e7), "resolutionunit": "CENTIMETER"}  # 2 px/nm
    for name in ("a.tif", "b.tif"):
        tifffile.imwrite(tmp_path / name, grey, **resolution)
    known = write_text(
        tmp_path / "k.csv", "granum_image,period_px,px_per_nm\na.tif,20,1.5\nb.tif,20,2.001\n"
    )
    out = tmp_path / "r.csv"
    run("predict", tmp_path, "--method", "fft", "--annotations", known, "--out", out)
    first, second = read(out)
    assert (first["px_per_nm"], first["px_per_nm_source"]) == ("1.5", "annotations")
    assert "annotated with 1.5 px/nm, but 2 px/nm by " in first["reason"]
    assert second["px_per_nm"] == "2.001"
    assert "annotated" not in second["reason"]


def test_limits_in_nm_without_a_scale_say_that_they_have_no_effect(tmp_path, capsys):
    given = ("predict", write_crop(tmp_path / "a.png"), "--method", "fft", "--period-nm", 10, 12)
    assert run(*given, "--out", tmp_path / "r.csv") == 0
    assert capsys.readouterr().err == (
        "--period-nm has no effect: the scale of no image is known; --px-per-nm gives it\n"
    )
    assert run(*given, "--out", tmp_path / "r.csv", "--px-per-nm", 1) == 0
    assert capsys.readouterr().err == ""
