import pytest
from helpers import analyses

from srd_jax.analysis.output import folder as folders
from srd_jax.imaging.folders import find_images
from srd_jax.support.errors import InputError


def test_a_folder_is_ours_or_new_or_empty(tmp_path):
    for name in ("new", "deep/er"):
        with folders.opened(str(tmp_path / name)) as folder:
            folder.record("a").parent.mkdir()
    with folders.opened(str(tmp_path / "new")):
        pass
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / ".DS_Store").touch()
    with folders.opened(str(tmp_path / "hidden")):
        pass
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("x")
    with pytest.raises(InputError, match="with other files; accepted is a new or an empty"):
        folders.check(str(tmp_path / "thesis"))
    assert [path.name for path in (tmp_path / "thesis").iterdir()] == ["chapter.txt"]
    with pytest.raises(InputError, match="is a file"):
        folders.check(str(tmp_path / "thesis" / "chapter.txt"))


def test_one_process_at_a_time(tmp_path):
    with (
        folders.opened(str(tmp_path)),
        pytest.raises(InputError, match="another srd analyse"),
        folders.opened(str(tmp_path)),
    ):
        pass
    with folders.opened(str(tmp_path)):
        pass


def test_what_a_killed_process_left_is_removed(tmp_path):
    with folders.opened(str(tmp_path)) as folder:
        folder.record("a").parent.mkdir()
    left = [tmp_path / "records" / ".a.abcd_123.json", tmp_path / ".grana.abcdefgh.csv"]
    for path in left:
        path.touch()
    kept = tmp_path / "records" / "a.json"
    kept.touch()
    with folders.opened(str(tmp_path)):
        assert not any(path.exists() for path in left)
        assert kept.exists()


def test_clearing_takes_all_of_a_micrograph_and_nothing_else(tmp_path):
    folder = folders.Folder(tmp_path)
    found = analyses.analysis("a.png", [analyses.granum(n, 50, 50) for n in (1, 2, 113)])
    own = [folder.record("a"), *folder.files("a", found)]
    other = [folder.record("a_1"), *folder.files("a_1", found), folder.granum("b", 1)]
    for path in (*own, *other):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert len(set(own)) == 8
    folder.clear("a")
    assert not any(path.exists() for path in own)
    assert all(path.exists() for path in other)


def test_results_are_never_taken_for_micrographs(tmp_path):
    analyses.write_micrographs(tmp_path, 2)
    with folders.opened(str(tmp_path / "results")) as folder:
        analyses.write_micrographs(folder.annotated("m0").parent, 1)
    assert [path.name for path in find_images([tmp_path]).images] == ["m0.png", "m1.png"]
