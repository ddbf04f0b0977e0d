import numpy as np
import pytest

from srd_jax.evaluation.surfaces import truth
from srd_jax.support.errors import InputError

HEADER = "file,type,a_nm,phi,level,axis_x,axis_y,axis_z,in_plane_deg,nm_per_px\n"
ROW = "one.png,D,78,0.3,0.2,0,0,1,90,2.5\n"


def test_a_row_is_a_picture(tmp_path):
    (tmp_path / "surfaces.csv").write_text(HEADER + ROW)
    (one,) = truth.read(tmp_path)
    assert (one.path, one.kind, one.cell_nm) == (tmp_path / "one.png", "D", 78.0)
    assert (one.fraction, one.nm_per_px) == (0.3, 2.5)
    # Seen along z: turned by 90 degrees, the section's x lies along one of the crystal's y.
    np.testing.assert_allclose(one.rotation[2], [0, 0, 1], atol=1e-6)
    assert abs(one.rotation[0, 1]) == pytest.approx(1, abs=1e-6)
    assert np.linalg.det(one.rotation) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "holds no surfaces.csv; accepted is a folder of srd surfaces generate"),
        ("file,type\none.png,D\n", "accepted is the table of srd surfaces generate"),
        (HEADER, "holds no picture"),
        (HEADER + ROW.replace("78", "0"), "line 2: a_nm is '0'; accepted is a number above 0"),
        (HEADER + ROW.replace("78", ""), "line 2: a_nm is ''"),
        (HEADER + ROW.replace(",D,", ",Q,"), "line 2: type is 'Q'; accepted are G, D"),
        (HEADER + ROW.replace("0.3", "1.3"), "line 2: phi is '1.3'; accepted is a number between"),
        (HEADER + ROW.replace("0,0,1,90", "0,0,0,90"), "line 2: the axis is 0 0 0"),
        (HEADER + "one.png,D\n", "line 2: a_nm is ''"),
    ],
)
def test_other_tables_are_one_line(tmp_path, content, words):
    if content is not None:
        (tmp_path / "surfaces.csv").write_text(content)
    with pytest.raises(InputError, match=r"surfaces\.csv") as caught:
        truth.read(tmp_path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
