import errno
import os
import pathlib

import pytest

from srd_jax.support.errors import InputError
from srd_jax.support.files import check_writable, whole_file, write_text


def _only_file(folder):
    (path,) = folder.iterdir()
    return path


def test_the_file_appears_whole_with_its_folders(tmp_path):
    path = tmp_path / "a" / "b" / "table.csv"
    with whole_file(path) as temporary:
        assert temporary.parent == path.parent
        assert temporary.suffix == ".csv"
        temporary.write_bytes(b"1,2\n")
        assert not path.exists()
    assert path.read_bytes() == b"1,2\n"
    assert _only_file(path.parent) == path


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_an_error_leaves_the_old_file_and_no_temporary(tmp_path, error):
    path = tmp_path / "table.csv"
    path.write_bytes(b"old")
    with pytest.raises(type(error)), whole_file(path) as temporary:
        temporary.write_bytes(b"new, but not all")
        raise error
    assert path.read_bytes() == b"old"
    assert _only_file(tmp_path) == path


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (OSError("encoder error -2"), "encoder error -2"),
    ],
)
def test_a_full_disk_is_one_line_and_leaves_the_old_file(tmp_path, monkeypatch, error, reason):
    path = tmp_path / "config.json"
    path.write_bytes(b"old")

    def full(self, *arguments, **keywords):
        with self.open("w") as file:
            file.write("n")
        raise error

    monkeypatch.setattr(pathlib.Path, "write_text", full)
    with pytest.raises(InputError) as caught:
        write_text(path, "new")
    message = str(caught.value)
    assert message.startswith(f"{path}: cannot be written ({reason}); give ")
    assert "\n" not in message
    assert path.read_bytes() == b"old"
    assert _only_file(tmp_path) == path


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_permissions_are_those_of_a_plain_file(tmp_path, umask):
    before = os.umask(umask)
    try:
        (tmp_path / "plain").write_text("x")
        write_text(tmp_path / "whole", "x")
    finally:
        os.umask(before)
    assert (tmp_path / "whole").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("x")
    path = tmp_path / "file" / "table.csv"
    for write in (lambda: write_text(path, "y"), lambda: check_writable(path)):
        with pytest.raises(InputError) as error:
            write()
        assert str(error.value).startswith(f"{path}: cannot be written (")
        assert "\n" not in str(error.value)


def test_a_folder_without_the_right_to_write_is_one_line(tmp_path, monkeypatch):
    # Root may write everywhere, so the right is taken away where it is asked for.
    def refuse(*arguments, **keywords):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    with pytest.raises(InputError, match=r"table\.csv: cannot be written \(Permission denied\)"):
        write_text(tmp_path / "table.csv", "x")


def test_a_path_that_is_a_folder_is_refused(tmp_path):
    path = tmp_path / "table.csv"
    path.mkdir()
    with pytest.raises(InputError, match=r"table\.csv: cannot be written"):
        write_text(path, "x")
    with pytest.raises(InputError, match=r"table\.csv: is a folder"):
        check_writable(path)
    assert _only_file(tmp_path) == path


def test_check_writable_leaves_everything_as_it_was(tmp_path):
    check_writable(tmp_path / "new.csv")
    assert not list(tmp_path.iterdir())
    old = tmp_path / "old.csv"
    old.write_bytes(b"old")
    check_writable(old)
    assert old.read_bytes() == b"old"
    assert _only_file(tmp_path) == old


def test_text_is_written_as_utf_8(tmp_path):
    write_text(tmp_path / "text", "≤ 2.5 nm, µ\n")
    assert (tmp_path / "text").read_bytes() == "≤ 2.5 nm, µ\n".encode()
