import numpy as np
import pytest
from helpers.dm_files import dm_file

from srd_jax.imaging.micrographs.reading import read
from srd_jax.support.errors import InputError


def picture(dtype, shape=(41, 57)):
    values = np.random.default_rng(0).integers(0, 120, shape)
    return (values / 7 if np.dtype(dtype).kind == "f" else values).astype(dtype)


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("little", [True, False])
@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "u2", "i4", "u4", "f4", "f8"])
def test_every_type_version_and_byte_order(tmp_path, version, little, dtype):
    path = tmp_path / f"a.dm{version}"
    values = picture(dtype)
    path.write_bytes(dm_file(values, version, little, scale=1.25))
    found = read(path)
    np.testing.assert_array_equal(found.grey, values.astype("f4") if dtype == "f8" else values)
    assert found.grey.dtype.isnative
    assert found.grey.dtype == ("f4" if dtype == "f8" else dtype)
    assert (found.px_per_nm, found.source) == (pytest.approx(0.8), "gatan")


@pytest.mark.parametrize(
    "scale, unit, px_per_nm",
    [
        (0.002, "µm", 0.5),
        (5.0, "Å", 2.0),
        (1.0, "", None),
        (0.3, "1/nm", None),
        (0.0, "nm", None),
        (float("nan"), "nm", None),
    ],
)
def test_units(tmp_path, scale, unit, px_per_nm):
    (tmp_path / "a.dm3").write_bytes(dm_file(picture("u2"), scale=scale, unit=unit))
    assert read(tmp_path / "a.dm3").px_per_nm == pytest.approx(px_per_nm)


def test_the_first_plane_of_a_stack_is_read(tmp_path):
    stack = picture("i2", (3, 20, 30))
    (tmp_path / "a.dm4").write_bytes(dm_file(stack, 4))
    found = read(tmp_path / "a.dm4")
    np.testing.assert_array_equal(found.grey, stack[0])
    assert found.notes == ("the first of 3 planes is measured",)


def test_colours_are_read_where_there_is_nothing_else(tmp_path):
    red, green, blue = (picture("u4") for _ in range(3))
    (tmp_path / "a.dm3").write_bytes(
        dm_file(red << 16 | green << 8 | blue, kind=23, thumbnail=False)
    )
    np.testing.assert_array_equal(read(tmp_path / "a.dm3").grey, red)


def refusal(path):
    with pytest.raises(InputError) as caught:
        read(path, max_pixels=1_000_000)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "accepted" in message
    assert "\n" not in message
    return message


def test_other_contents(tmp_path):
    path = tmp_path / "a.dm3"
    for kind, words in ((3, "data types 23, 3 only"), (99, "data types 23, 99 only")):
        path.write_bytes(dm_file(picture("f4"), kind=kind, thumbnail=False))
        assert words.replace("23, ", "") in refusal(path)
    path.write_bytes(dm_file(picture("f4", (50,)), thumbnail=False))
    assert "holds no picture" in refusal(path)


@pytest.mark.parametrize("version", [3, 4])
def test_truncated_files(tmp_path, version):
    whole = dm_file(picture("u2"), version)
    path = tmp_path / "a.dm3"
    for length in [*range(4, 700, 13), *range(700, len(whole) - 400, 371)]:
        path.write_bytes(whole[:length])
        assert "truncated" in refusal(path)


@pytest.mark.parametrize("version", [3, 4])
def test_damaged_files(tmp_path, version):
    whole = dm_file(picture("u1"), version)
    random = np.random.default_rng(version)
    path = tmp_path / "a.dm4"
    refused = 0
    for index in range(400):
        data = bytearray(whole)
        for place in random.integers(4, 900, 1 + index % 3):
            data[place] = random.choice([0, 1, 20, 127, 255, random.integers(256)])
        path.write_bytes(bytes(data))
        try:
            read(path)
        except InputError as error:
            assert str(error).startswith(f"{path}: ")
            assert "accepted" in str(error)
            refused += 1
    assert refused > 50


def test_hostile_sizes(tmp_path):
    path = tmp_path / "a.dm4"
    values = picture("u1", (40, 50))
    for size in (2**31, 2**32 - 1):
        data = dm_file(values, 4).replace(
            np.array(50, "<u4").tobytes(), np.array(size, "<u4").tobytes()
        )
        path.write_bytes(data)
        assert "px" in refusal(path) or "accepted" in refusal(path)
    deep = b"\0\0\0\4" + bytes(8) + b"\0\0\0\1" + b"\0\0" + (1).to_bytes(8)
    level = b"\x14\0\0" + bytes(8) + b"\0\0" + (1).to_bytes(8)
    path.write_bytes(deep + 5000 * level)
    assert "levels" in refusal(path)
    many = b"\0\0\0\4" + bytes(8) + b"\0\0\0\1" + b"\0\0" + (2**40).to_bytes(8)
    path.write_bytes(many + 210_000 * (b"\x14\0\0" + bytes(8) + b"\0\0" + bytes(8)))
    assert "tags" in refusal(path)
