import pathlib
import unicodedata

import pytest

from srd_jax.support.names import Files

FILES = [
    "set/g0.png",
    "set/sub/g0.png",
    "set/sub/g1.PNG",
    "set/Stra\u00dfe.tif",
    unicodedata.normalize("NFD", "set/Bl\u00e4tt.png"),
    "set/two.png",
    "set/two.tif",
    "set/a.b.png",
]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("g0.png", [0, 1]),
        ("sub/g0.png", [1]),
        ("./sub//g0.png", [1]),
        ("set\\sub\\g0.png", [1]),
        ("C:\\data\\g1.png", [2]),
        ("G1.png", [2]),
        ("g1", [2]),
        ("STRASSE.TIF", [3]),
        ("Bl\u00e4tt.png", [4]),
        ("bl\u00e4tt", [4]),
        ("two", [5, 6]),
        ("two.png", [5]),
        ("two.jpg", []),
        ("a.b", [7]),
        ("a", []),
        ("", []),
        (".", []),
    ],
)
def test_names_as_people_write_them(name, found):
    paths = [pathlib.Path(path) for path in FILES]
    assert list(Files(paths).named(name)) == [paths[i] for i in found]
