import json
import pathlib

import pytest
from helpers import review_app

from srd_jax.analysis.output.names import output_names
from srd_jax.review.server import settings
from srd_jax.review.server.settings import Entry, Settings
from srd_jax.support.errors import InputError


def test_settings_are_read_as_written(tmp_path):
    given = Settings((Entry("a", "uploads/a.png", 0.5, None, "wt"), Entry("b", "/x/b.tif")))
    settings.write(tmp_path, given)
    assert settings.read(tmp_path) == given
    assert given.files[0].file(tmp_path) == tmp_path / "uploads" / "a.png"
    assert given.files[1].file(tmp_path) == pathlib.Path("/x/b.tif")


def test_a_folder_of_analyse_tells_its_micrographs_and_scales(tmp_path):
    paths = review_app.analysed(tmp_path / "w")
    found = settings.read(tmp_path / "w").files
    assert [(one.name, one.path, one.px_per_nm) for one in found] == [
        (path.stem, str(path), 0.6) for path in paths
    ]


@pytest.mark.parametrize("name", ["../x", "a/b", "a\\b", "..", ""])
def test_settings_with_a_name_that_is_a_path_are_refused(tmp_path, name):
    content = {
        "files": [{"name": name, "path": "x", "px_per_nm": None, "bar_nm": None, "group": ""}]
    }
    settings.place(tmp_path).parent.mkdir()
    settings.place(tmp_path).write_text(json.dumps(content))
    with pytest.raises(InputError, match="no name of outputs"):
        settings.read(tmp_path)


@pytest.mark.parametrize(
    "path", ["../x.png", "uploads/../x.png", "uploads", "uploads/", "x.png", "/x\0.png", ""]
)
def test_settings_with_a_path_to_elsewhere_are_refused(tmp_path, path):
    settings.write(tmp_path, Settings((Entry("x", path),)))
    with pytest.raises(InputError, match="nor that of an upload"):
        settings.read(tmp_path)


def test_names_are_those_of_analyse(tmp_path):
    paths = [tmp_path / name for name in ("a/1.tif", "b/1.tif", "b/2.tif")]
    found = settings.add(Settings(), tmp_path, paths[:1], ())
    assert [one.name for one in found.files] == ["1"]
    # Without results a name may change.
    found = settings.add(found, tmp_path, paths, ())
    assert {one.file(tmp_path): one.name for one in found.files} == output_names(paths)


def test_a_name_with_results_stays(tmp_path):
    first, second, third = (tmp_path / name for name in ("a/1.tif", "b/1.tif", "b/2.tif"))
    found = settings.add(Settings(), tmp_path, [first], ())
    with pytest.raises(InputError, match=r"^1: a new file is named as this one"):
        settings.add(found, tmp_path, [second], ("1",))
    assert [one.name for one in settings.add(found, tmp_path, [third], ("1",)).files] == ["1", "2"]
