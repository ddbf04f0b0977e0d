import pathlib

import numpy as np
import pytest

from srd_jax.imaging.micrographs.scales import ScaleOptions, decide, read_scales
from srd_jax.imaging.pixel_size import UNKNOWN, Scale
from srd_jax.support.errors import InputError

PATH = pathlib.Path("a.tif")


def picture(bar=0):
    grey = np.random.default_rng(0).normal(128, 20, (300, 400)).clip(40, 220).astype(np.uint8)
    grey[250:256, 200 : 200 + bar] = 255
    return grey


def scale(tag=UNKNOWN, bar=0, **options):
    return decide(PATH, ScaleOptions(**options), tag, picture(bar), [])


TAG = Scale(0.5, "ome")


def test_what_goes_before_what():
    everything = {"table": {PATH: 0.7}, "px_per_nm": 0.6, "bar_nm": 200.0, "table_name": "s.csv"}
    assert scale(bar=90, **everything)[:2] == (0.7, "s.csv")
    everything["table"] = {pathlib.Path("b.tif"): 0.7}
    assert scale(bar=90, **everything)[:2] == (0.6, "given")
    everything["px_per_nm"] = None
    found, source, _ = scale(TAG, bar=90, **everything)
    assert found == pytest.approx(0.45, abs=0.002)
    assert source == f"bar of 200 nm, {found * 200:.1f} px"
    assert scale(TAG) == (0.5, "ome", ())
    assert scale() == (None, "", ())


def test_contradictions_are_noted():
    assert scale(TAG, px_per_nm=0.504)[2] == ()
    assert scale(TAG, px_per_nm=0.506)[2] == ("the file states 0.5 px/nm (ome), given 0.506",)
    (note,) = scale(TAG, bar=90, bar_nm=200.0)[2]
    assert note.startswith("the file states 0.5 px/nm (ome), bar of 200 nm, 90.")
    refused = Scale(note="the pixels aren't square")
    assert scale(refused)[2] == ("the pixels aren't square",)
    assert scale(refused, px_per_nm=1.0)[2] == ()


def test_without_a_bar_the_tag_counts_or_the_file_is_refused():
    found, source, notes = scale(TAG, bar_nm=200.0)
    assert (found, source) == (0.5, "ome")
    assert notes[0].startswith("no scale bar is found")
    with pytest.raises(InputError, match="no scale bar is found; accepted are"):
        scale(bar_nm=200.0)


@pytest.fixture
def files(tmp_path):
    names = ["a.tif", "b.png", "sub/a.tif", "sub/c.mrc", "other.png"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return [tmp_path / name for name in names[:4]]


def table(files, text):
    path = files[0].parent / "scales.csv"
    path.write_text(text)
    return read_scales(path, files)


def test_tables_of_both_columns(files):
    found = table(files, "File,px_per_nm\na.tif,0.67\nsub/a.tif,1.5\nb,\n")
    assert found == {files[0]: 0.67, files[2]: 1.5}
    assert table(files, "nm per px;file\n0,5;C.MRC\n") == {files[3]: 2.0}
    both = "file,px_per_nm,nm_per_px\nb.png,2,0.5\nc,,4\n"
    assert table(files, both) == {files[1]: 2.0, files[3]: 0.25}


@pytest.mark.parametrize(
    "text, words",
    [
        ("file,scale\na,1\n", "has the columns file, scale; accepted is a CSV file with"),
        ("file,px_per_nm\n", "no row below its header"),
        ("file,px_per_nm,px_per_nm\na,1,2\n", "more than once"),
        ("file,px_per_nm\nnone.tif,1\n", r"row 2 \(none.tif\): is no file that is there"),
        ("file,px_per_nm\nb,1\nb.png,1\n", r"row 3 \(b.png\): means .*b.png, as row 2 does"),
        ("file,px_per_nm\nx/a.tif,1\n", "means .*a.tif and .*a.tif; accepted is a path"),
        ("file,px_per_nm\nb,0\n", "px_per_nm is '0'; accepted is a number above 0"),
        ("file,px_per_nm\nb,-2\n", "is '-2'"),
        ("file,px_per_nm\nb,0.7 px\n", "is '0.7 px'"),
        ("file,px_per_nm\nb,0,67\n", "has 3 cells; accepted are 2"),
        ("file,px_per_nm\n,0.67\n", "has no name"),
        ("file,px_per_nm,nm_per_px\nb,2,0.6\n", "px_per_nm is 2, but nm_per_px is 0.6"),
    ],
)
def test_bad_tables(files, text, words):
    with pytest.raises(InputError, match=words) as caught:
        table(files, text)
    assert "\n" not in str(caught.value)
    assert "accepted" in str(caught.value)


def test_rows_of_other_files_that_exist_are_passed_over(files):
    assert table(files, "file,px_per_nm\nother.png,3\nb.png,2\n") == {files[1]: 2.0}
    with pytest.raises(InputError, match="cannot be read"):
        read_scales(files[0].parent / "none.csv", files)


def test_links_and_relative_names(files, monkeypatch):
    monkeypatch.chdir(files[0].parent)
    pathlib.Path("link.png").symlink_to("b.png")
    assert table(files, "file,px_per_nm\nlink.png,2\n") == {files[1]: 2.0}
