import pytest
from helpers import analyses

from srd_jax.analysis.output import corrections, labels, outlines
from srd_jax.support.errors import InputError


@pytest.fixture
def found():
    return analyses.analysis(
        "a.png", [analyses.granum(1, 120.3, 90.8, 25.0), analyses.granum(4, 300, 230, 70.0)]
    )


def test_the_file_of_a_micrograph(tmp_path, found):
    labels.write(tmp_path / "wt_1.tif", found)
    outlines.write_rois(tmp_path / "2.zip", found)
    assert corrections.corrected_file(tmp_path, ["wt_1", "1"]) == tmp_path / "wt_1.tif"
    assert corrections.corrected_file(tmp_path, ["b_2", "2"]) == tmp_path / "2.zip"
    assert corrections.corrected_file(tmp_path, ["3"]) is None
    labels.write(tmp_path / "2.tif", found)
    with pytest.raises(InputError, match=r"has 2\.tif and 2\.zip; accepted is one of them"):
        corrections.corrected_file(tmp_path, ["2"])
    assert corrections.check(str(tmp_path)) == tmp_path
    (tmp_path / "empty").mkdir()
    for name, words in (("empty", "holds no masks"), ("none", "isn't a folder")):
        with pytest.raises(InputError, match=words):
            corrections.check(str(tmp_path / name))
