import errno
import os
import pathlib
import stat
import tempfile

import numpy as np
import pytest

from srd_jax.support import files
from srd_jax.support.errors import InputError
from srd_jax.support.files import (
    check_writable,
    read_json,
    whole_file,
    whole_folder,
    write_table,
    write_text,
)


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


def test_the_target_of_a_link_is_written_and_its_mode_stays(tmp_path):
    (tmp_path / "far").mkdir()
    target, link = tmp_path / "far" / "table.csv", tmp_path / "link.csv"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link.symlink_to("far/table.csv")
    check_writable(link)
    write_text(link, "new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    (tmp_path / "dangling").symlink_to("far/other.csv")
    write_text(tmp_path / "dangling", "new")
    assert (tmp_path / "far" / "other.csv").read_bytes() == b"new"
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(InputError, match=r"loop: cannot be written \(Too many levels"):
        check_writable(tmp_path / "loop")


@pytest.mark.parametrize("device", ["/dev/null", "/dev/full"])
def test_a_device_is_written_and_stays(device):
    check_writable(device)
    if device == "/dev/full":
        with pytest.raises(InputError, match="No space left on device"):
            write_text(device, "x")
    else:
        write_text(device, "x")
    assert stat.S_ISCHR(os.stat(device).st_mode)  # noqa: PTH116


def test_a_pipe_is_written_for_its_reader_and_stays(tmp_path, monkeypatch):
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    check_writable(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_text(pipe, "1,2\n")
    assert os.read(reader, 100) == b"1,2\n"
    os.close(reader)
    monkeypatch.setattr(files, "_WAIT_FOR_READER", 0.0)
    with pytest.raises(InputError, match="nobody reads the pipe"):
        write_text(pipe, "x")
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert _only_file(tmp_path) == pipe


def test_a_file_that_cannot_be_replaced_is_written_over(tmp_path, monkeypatch):
    # As a file that is mounted alone says it.
    path = tmp_path / "table.csv"
    path.write_bytes(b"old and longer than the new one")
    number = path.stat().st_ino

    def busy(self, target):
        raise OSError(errno.EBUSY, "Device or resource busy")

    monkeypatch.setattr(pathlib.Path, "replace", busy)
    write_text(path, "new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_ino == number
    assert _only_file(tmp_path) == path


def test_a_file_in_a_folder_without_the_right_to_write_is_written_over(tmp_path, monkeypatch):
    path, mkstemp = tmp_path / "table.csv", tempfile.mkstemp
    path.write_bytes(b"old")

    def refuse(suffix=None, prefix=None, folder=None):
        if folder == tmp_path:
            raise PermissionError(errno.EACCES, "Permission denied")
        return mkstemp(suffix, prefix, folder)

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    write_text(path, "new")
    assert path.read_bytes() == b"new"
    with pytest.raises(InputError, match="Permission denied"):
        write_text(tmp_path / "other.csv", "new")


def test_text_is_written_as_utf_8(tmp_path):
    write_text(tmp_path / "text", "≤ 2.5 nm, µ\n")
    assert (tmp_path / "text").read_bytes() == "≤ 2.5 nm, µ\n".encode()


def test_the_folder_appears_whole_with_its_parents(tmp_path):
    path = tmp_path / "a" / "set"
    with whole_folder(path) as temporary:
        (temporary / "file").write_text("x")
        assert temporary.parent == path.parent
        assert not path.exists()
    assert _only_file(path) == path / "file"
    assert _only_file(path.parent) == path


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_an_error_leaves_no_folder(tmp_path, error):
    with pytest.raises(type(error)), whole_folder(tmp_path / "set") as temporary:
        (temporary / "file").write_text("x")
        raise error
    assert not list(tmp_path.iterdir())


def test_an_empty_folder_is_replaced_and_another_one_refused(tmp_path):
    path = tmp_path / "set"
    path.mkdir()
    with whole_folder(path) as temporary:
        (temporary / "file").write_text("x")
    for taken in (path, path / "file"):
        with pytest.raises(InputError, match="accepted is a new or"), whole_folder(taken):
            pass
    assert (path / "file").read_text() == "x"


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_permissions_are_those_of_a_plain_folder(tmp_path, umask):
    before = os.umask(umask)
    try:
        (tmp_path / "plain").mkdir()
        with whole_folder(tmp_path / "whole"):
            pass
    finally:
        os.umask(before)
    assert (tmp_path / "whole").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_json_is_read(tmp_path):
    write_text(tmp_path / "a.json", '{"µ": [1, null]}')
    assert read_json(tmp_path / "a.json") == {"µ": [1, None]}


@pytest.mark.parametrize("content", [None, b"", b"{", b"\xff"])
def test_a_file_that_is_not_json_is_one_line(tmp_path, content):
    path = tmp_path / "a.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_json(path)
    assert str(caught.value).startswith(f"{path}: not JSON (")
    assert "\n" not in str(caught.value)


def test_a_table_has_six_digits_and_empty_cells(tmp_path):
    row = ["a, b", 1 / 3, 12, None, True, np.float32(2 / 3), np.float64(1e-7)]
    write_table(tmp_path / "deep" / "table.csv", list("abcdefg"), [row])
    written = (tmp_path / "deep" / "table.csv").read_bytes()
    assert written == b'a,b,c,d,e,f,g\r\n"a, b",0.333333,12,,True,0.666667,1e-07\r\n'


def test_numbers_of_all_digits_read_back_as_the_same_bits(tmp_path):
    values = [1 / 3, 5e-324, np.float64(0.1) * 3, float(np.float32(0.1)), float("inf")]
    path = tmp_path / "table.csv"
    write_table(path, ["x"], ([value] for value in values), digits=None, line_end="\n")
    header, *lines = path.read_text().splitlines()
    assert header == "x"
    assert list(map(float, lines)) == values
    assert b"\r" not in path.read_bytes()
