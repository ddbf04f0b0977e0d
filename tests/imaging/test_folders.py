import hashlib
import os
import pathlib

import numpy as np
import pytest
from helpers.image_files import write_png
from matplotlib.figure import Figure

from srd_jax.commands.sheet import Shown, write_sheet
from srd_jax.imaging.folders import common_root, find_images, picture_path
from srd_jax.support.errors import InputError
from srd_jax.support.files import PNG_TEXT


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).touch()


def names_below(folder):
    return [path.relative_to(folder).as_posix() for path in find_images([folder]).images]


def test_find_images(tmp_path):
    names = [
        "b/2.png", "b/10.TIF", "b/2_mask.png", "b/alone_mask.png", "b/notes.txt", "b/.hidden.png",
        "b/sub/1.jpeg", "b/.cache/1.png", "a.jpg", "table.csv",
        "b/2.png.overlay.png", "b/2.png.attention.png", "b/sub/0.attention.png",
        "drawn/a.overlay.png",
    ]  # fmt: skip
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).touch()

    def found(*paths):
        images = find_images([tmp_path / path for path in paths]).images
        return [image.relative_to(tmp_path).as_posix() for image in images]

    in_b = ["b/10.TIF", "b/2.png", "b/alone_mask.png", "b/sub/1.jpeg"]
    assert found("b") == in_b
    assert found(".") == ["a.jpg", *in_b]
    assert found("b/2.png", "a.jpg", "b") == [
        "b/2.png",
        "a.jpg",
        *(n for n in in_b if "2." not in n),
    ]
    assert found("table.csv", "b/alone_mask.png") == ["table.csv", "b/alone_mask.png"]
    assert found("a.jpg", "b/../a.jpg") == ["a.jpg"]
    assert found("drawn", "a.jpg") == ["a.jpg"]
    assert find_images([]).images == []
    # As a shell hands over *.png.
    names = sorted((tmp_path / "b").glob("[!.]*.png"))
    every = find_images(names)
    assert [path.name for path in every.images] == ["2.png", "alone_mask.png"]
    assert [line.removeprefix(f"{tmp_path}/b/") for line in every.passed_over] == [
        "2.png.attention.png: is passed over as one of 2 pictures of an earlier run",
        "2_mask.png: is passed over as one of 1 masks of other images",
    ]


def test_find_images_refuses(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").touch()
    (tmp_path / "drawn").mkdir()
    (tmp_path / "drawn" / "a.attention.png").touch()
    for path, message in (
        ("missing.png", "No such file"),
        ("empty", "a folder without images"),
        ("drawn", "holds pictures of an earlier run only"),
    ):
        with pytest.raises(InputError, match=message) as caught:
            find_images([tmp_path / path])
        assert str(caught.value).startswith(f"{tmp_path / path}: ")
        assert "\n" not in str(caught.value)


def test_the_common_root_is_above_all_files(tmp_path):
    paths = [pathlib.Path(tmp_path, name) for name in ("a/b/1.png", "a/c/1.png")]
    assert common_root(paths) == (tmp_path / "a").resolve()
    assert common_root(paths[:1]) == (tmp_path / "a" / "b").resolve()


def test_pictures_of_images_of_one_name_lie_apart(tmp_path):
    root, out = tmp_path / "in", tmp_path / "out"
    found = picture_path(out, root.resolve(), root / "x" / "a.png", ".overlay.png")
    assert found == out / "x" / "a.png.overlay.png"


def test_what_systems_and_previews_leave_in_folders_is_left_out(tmp_path):
    touch(
        tmp_path, "a.png", "._a.png", "@eaDir/a.png/SYNOPHOTO_THUMB_M.png", "__MACOSX/._a.png",
        ".ipynb_checkpoints/a-checkpoint.png", "Thumbs.db", "a_thumb.png", "b_thumb.png",
        "SYNOPHOTO_THUMB_XL.jpg", "$RECYCLE.BIN/c.png", "x.png/inside.JFIF",
    )  # fmt: skip
    assert names_below(tmp_path) == ["a.png", "b_thumb.png", "x.png/inside.JFIF"]


def test_links_are_followed_once(tmp_path):
    touch(tmp_path, "in/a.png", "elsewhere/b.png", "elsewhere/c.png")
    folder = tmp_path / "in"
    for name, target in {
        "b.png": "../elsewhere/b.png", "gone.png": "nowhere.png", "sub": "../elsewhere",
        "up": ".", "self.png": "self.png",
    }.items():  # fmt: skip
        (folder / name).symlink_to(target)
    assert names_below(folder) == ["a.png", "b.png", "gone.png", "self.png", "sub/c.png"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every folder")
def test_a_folder_that_cannot_be_read_is_told_and_the_others_are_read(tmp_path):
    touch(tmp_path, "a/1.png", "closed/2.png", "z/3.png")
    (tmp_path / "closed").chmod(0)
    found = find_images([tmp_path])
    (tmp_path / "closed").chmod(0o755)
    assert [path.name for path in found.images] == ["1.png", "3.png"]
    (line,) = found.unread
    assert line.startswith(f"{tmp_path / 'closed'}: cannot be read (Permission denied); accepted")


def test_a_folder_whose_listing_fails_is_told(tmp_path, monkeypatch):
    touch(tmp_path, "a/1.png", "closed/2.png", "z/3.png")
    listed = pathlib.Path.iterdir

    def iterdir(path):
        if path.name == "closed":
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(pathlib.Path, "iterdir", iterdir)
    found = find_images([tmp_path])
    assert [path.name for path in found.images] == ["1.png", "3.png"]
    assert found.unread == [
        f"{tmp_path / 'closed'}: cannot be read (Permission denied); accepted are readable folders"
    ]
    with pytest.raises(InputError, match="closed: cannot be read"):
        find_images([tmp_path / "closed"])


def test_an_empty_path_is_refused():
    with pytest.raises(InputError, match=r"^an empty path; accepted"):
        find_images([""])


@pytest.mark.parametrize("stem", ["L" * 251, "\N{HERB}" * 62])
def test_the_picture_of_a_long_name_has_a_shorter_one(tmp_path, stem):
    image = tmp_path / f"{stem}.png"
    touch(tmp_path, image.name)
    path = picture_path(tmp_path / "out", tmp_path.resolve(), image, ".overlay.png")
    touch(path.parent, path.name)
    digest = hashlib.sha256(image.name.encode()).hexdigest()[:16]
    assert path.name.endswith(f"{stem[:40]}-{digest}.overlay.png"[-40:])
    assert path.name.startswith(stem[:40])
    other = image.with_name(f"{stem[:-1]}X.png")
    assert picture_path(tmp_path, tmp_path.resolve(), other, ".overlay.png").name != path.name


def test_a_sheet_and_curves_of_any_name_are_no_crops(tmp_path):
    touch(tmp_path, "a.png")
    grey = np.full((20, 30), 0.5, np.float32)
    write_sheet(tmp_path / "sheet.png", [Shown(grey, grey > 0, "one")])
    Figure().savefig(tmp_path / "figure.png", metadata=PNG_TEXT)
    write_png(tmp_path / "crop.png", (255 * grey).astype(np.uint8))
    assert names_below(tmp_path) == ["a.png", "crop.png"]
