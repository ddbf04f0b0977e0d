import mrcfile
import numpy as np
import pytest

from srd_jax.imaging.micrographs.reading import read
from srd_jax.support.errors import InputError


def picture(dtype, shape=(31, 47)):
    values = np.random.default_rng(0).integers(0, 120, shape)
    return (values / 8 if np.dtype(dtype).kind == "f" else values).astype(dtype)


def write(path, values, voxel=14.9, extended=b"", change=None):
    with mrcfile.new(path, overwrite=True) as file:
        file.set_data(values)
        file.voxel_size = voxel
        if extended:
            file.set_extended_header(np.frombuffer(extended, "V1"))
    data = bytearray(path.read_bytes())
    for place, content in (change or {}).items():
        data[place : place + len(content)] = content
    path.write_bytes(bytes(data))
    return path


def number(value, form="<i4"):
    return np.array(value, form).tobytes()


@pytest.mark.parametrize("dtype", ["i1", "i2", "u2", "f4", "f2"])
@pytest.mark.parametrize("extended", [b"", bytes(1536)])
def test_every_mode_is_read_with_its_lowest_row_first(tmp_path, dtype, extended):
    values = picture(dtype)
    found = read(write(tmp_path / "a.mrc", values, extended=extended))
    np.testing.assert_array_equal(found.grey, values[::-1])
    assert found.grey.dtype == ("f4" if dtype == "f2" else dtype)
    assert (found.px_per_nm, found.source) == (pytest.approx(10 / 14.9), "mrc")


def test_the_other_byte_order(tmp_path):
    values = picture("i2").astype(">i2")
    path = write(tmp_path / "a.mrc", values)
    assert path.read_bytes()[212:214] == b"\x11\x11"
    found = read(path)
    np.testing.assert_array_equal(found.grey, values[::-1])
    assert found.grey.dtype.isnative
    assert found.px_per_nm == pytest.approx(10 / 14.9)


def test_a_header_without_statistics_and_mark(tmp_path):
    values = picture("f4")
    change = {76: bytes(12), 208: bytes(4), 216: bytes(4)}
    path = write(tmp_path / "a.mrc", values, change=change)
    np.testing.assert_array_equal(read(path).grey, values[::-1])


@pytest.mark.parametrize("voxel", [0.0, 1.0, 1e-5, 4000.0, float("nan")])
def test_voxels_that_say_nothing(tmp_path, voxel):
    found = read(write(tmp_path / "a.mrc", picture("i2"), voxel=voxel))
    assert (found.px_per_nm, found.source) == (None, "")
    assert ("exactly 1 Å" in " ".join(found.notes)) == (voxel == 1)


def test_unsigned_values_of_old_programs(tmp_path):
    values = np.random.default_rng(0).integers(0, 256, (31, 47)).astype("u1")
    statistics = {76: number([0.0, 255.0, 127.0], "<f4")}
    path = write(tmp_path / "a.mrc", values.view("i1"), change=statistics)
    np.testing.assert_array_equal(read(path).grey, values[::-1])
    stamp = {152: number([1146047817, 0])}
    path = write(tmp_path / "a.mrc", values.view("i1"), change=stamp)
    np.testing.assert_array_equal(read(path).grey, values[::-1])
    signed = {152: number([1146047817, 1])}
    path = write(tmp_path / "a.mrc", values.view("i1"), change=signed)
    np.testing.assert_array_equal(read(path).grey, values[::-1].view("i1"))
    wide = (values.astype("u2") * 257).view("i2")
    path = write(tmp_path / "a.mrc", wide, change={80: number(65535.0, "<f4")})
    np.testing.assert_array_equal(read(path).grey, wide[::-1].view("u2"))


def test_the_first_section_of_a_stack(tmp_path):
    stack = picture("u2", (5, 20, 30))
    found = read(write(tmp_path / "a.mrc", stack))
    np.testing.assert_array_equal(found.grey, stack[0, ::-1])
    assert found.notes == ("the first of 5 sections is measured",)


def refusal(path):
    with pytest.raises(InputError) as caught:
        read(path, max_pixels=1_000_000)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "accepted" in message
    assert "\n" not in message
    return message


def test_truncated_and_hostile_files(tmp_path):
    path = write(tmp_path / "a.mrc", picture("f4"), extended=bytes(200))
    whole = path.read_bytes()
    for length in (1, 3, 100, 1023, 1024, 1100, 3000, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert "truncated" in refusal(path) or "MRC" in refusal(path)
    for change, words in (
        ({0: number(2**31 - 1)}, "px"),
        ({0: number(-5)}, "px"),
        ({4: number(0)}, "px"),
        ({12: number(4)}, "mode 4"),
        ({12: number(99)}, "accepted"),
        ({92: number(2**31 - 1)}, "accepted"),
        ({92: number(-9)}, "accepted"),
    ):
        assert words in refusal(write(path, picture("f4"), change=change))


def test_damaged_headers(tmp_path):
    path = write(tmp_path / "a.mrc", picture("u2"))
    whole = path.read_bytes()
    random = np.random.default_rng(3)
    for _ in range(150):
        data = bytearray(whole)
        for place in random.integers(0, 230, 4):
            data[place] = random.integers(256)
        path.write_bytes(bytes(data))
        try:
            read(path)
        except InputError as error:
            assert "accepted" in str(error)
