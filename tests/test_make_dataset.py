import numpy as np
import pytest
from command import refused, run
from crops import ellipse
from grana_folders import drawn_granum, lamellae, same

from srd_jax.commands import make_dataset
from srd_jax.data import read_grana
from srd_jax.errors import InputError
from srd_jax.source_config import GranaConfig
from srd_jax.tfds_grana import read_tfds


def draw(n, seed=0):
    for number in range(n):
        granum = drawn_granum(100 * seed + number)
        yield granum.image, granum.mask, granum.period_px, granum.px_per_nm


def undrawn():
    pytest.fail("drawn")
    yield


def make(folder, n, angles=None, tfds=None, seed=0):
    make_dataset.make_dataset(folder, draw(n, seed), angles or [90.0] * n, tfds)
    return folder


def test_a_set_is_written_in_order_and_prepared(tmp_path, capfd):
    folder = make(tmp_path / "deep" / "set", 11, tfds=tmp_path / "data")
    grana = read_grana(folder)
    assert [g.name for g in grana] == [f"granum_{i:02}.png" for i in range(11)]
    for granum, (image, mask, period, px_per_nm) in zip(grana, draw(11), strict=True):
        np.testing.assert_array_equal(granum.image, image)
        np.testing.assert_array_equal(granum.mask, mask)
        np.testing.assert_allclose([granum.period_px, granum.px_per_nm], [period, px_per_nm])
    assert same(read_tfds(tmp_path / "data"), grana)
    assert capfd.readouterr() == ("", "")
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == ["set"]


def test_unrotated_crops_lie_at_their_angles(tmp_path):
    angles, mask = make_dataset.draw_angles(3, 4, 0.5), ellipse((90, 140))
    wave = lamellae(mask.shape, 14.0, 90) * mask
    drawn = ((wave * (1 - i / 8), mask, 14.0, 1.3) for i in range(4))
    make_dataset.make_dataset(tmp_path / "set", drawn, angles)
    shapes = {granum.mask.shape for granum in read_grana(tmp_path / "set")}
    assert np.abs(np.subtract(list(shapes), mask.shape)).max() <= 2


@pytest.mark.parametrize(("n", "share", "count"), [(10, 0.0, 0), (10, 0.3, 3), (1000, 1.0, 1000)])
def test_angles(n, share, count):
    angles = np.array(make_dataset.draw_angles(5, n, share))
    others = angles[angles != 90]
    assert (len(angles), len(others)) == (n, count)
    assert ((others > 0) & (others <= 180)).all()
    assert make_dataset.draw_angles(5, n, share) == angles.tolist()
    if count == 1000:
        counts = np.histogram(others, bins=6, range=(0, 180))[0]
        assert np.abs(counts - 1000 / 6).max() < 4 * np.sqrt(1000 / 6)
        assert make_dataset.draw_angles(6, n, share) != angles.tolist()


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_draws_give_the_same_bytes(tmp_path):
    (tmp_path / "a").mkdir()
    angles = make_dataset.draw_angles(0, 3, 1.0)
    first, again, other = (
        content(make(tmp_path / name, 3, angles, seed=seed))
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    assert first == again
    assert all(first[name] != other[name] for name in first if name.endswith(".png"))


def test_a_folder_with_files_is_refused_and_left_alone(tmp_path):
    kept = tmp_path / "kept.txt"
    kept.write_text("kept")
    for target, message in (
        (tmp_path, "is a folder with files; accepted is a new or an empty folder"),
        (kept, "is a file; accepted is a new or an empty folder"),
        (kept / "set", "cannot be written ("),
    ):
        with pytest.raises(InputError) as caught:
            make(target, 1)
        assert str(caught.value).startswith(f"{target}: {message}")
        assert "\n" not in str(caught.value)
    assert content(tmp_path) == {"kept.txt": b"kept"}


def test_a_set_prepared_before_is_refused_before_anything_is_drawn(tmp_path):
    make(tmp_path / "a", 2, tfds=tmp_path / "data")
    with pytest.raises(InputError, match="is there already"):
        make_dataset.make_dataset(tmp_path / "b", undrawn(), [90.0], tmp_path / "data")
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    ("inside", "message"),
    [("set", "lies in "), ("set/data", "lies in "), ("file", "cannot be written (")],
)
def test_a_bad_folder_of_tensorflow_datasets_is_refused_before_anything_is_drawn(
    tmp_path, inside, message
):
    (tmp_path / "file").touch()
    with pytest.raises(InputError) as caught:
        make_dataset.make_dataset(tmp_path / "set", undrawn(), [90.0], tmp_path / inside)
    assert str(caught.value).startswith(str(tmp_path / inside))
    assert message in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_what_stops_half_way_leaves_nothing(tmp_path, error):
    def some():
        yield next(draw(1))
        assert list(tmp_path.rglob("*.png"))
        raise error

    with pytest.raises((KeyboardInterrupt, InputError)):
        make_dataset.make_dataset(tmp_path / "set", some(), [90.0] * 3)
    assert list(tmp_path.iterdir()) == []


def test_the_command_draws_by_its_seed(tmp_path, capsys, monkeypatch):
    def draw_grana(seed, n, config):
        assert config == GranaConfig()
        return draw(n, seed)

    # Compiling the generator takes long; it has tests of its own.
    monkeypatch.setattr(make_dataset, "draw_grana", draw_grana)
    arguments = ("make-dataset", "--n", 3, "--seed", 4, "--unrotated", 0.5, "--out")
    assert run(*arguments, tmp_path / "a", "--tfds", tmp_path / "data") == 0
    assert capsys.readouterr().out.splitlines() == [
        f"3 grana in {tmp_path / 'a'}",
        f"prepared in {tmp_path / 'data' / 'srd_grana' / '1.0.0'}",
    ]
    make(tmp_path / "b", 3, make_dataset.draw_angles(4, 3, 0.5), seed=4)
    assert content(tmp_path / "a") == content(tmp_path / "b")
    assert same(read_tfds(tmp_path / "data"), read_grana(tmp_path / "a"))


@pytest.mark.parametrize(
    ("option", "value"),
    [("--seed", -1), ("--seed", 2**31), ("--unrotated", 1.5), ("--unrotated", "nan"), ("--n", 0)],
)
def test_bad_options(tmp_path, capsys, option, value):
    said = refused(capsys, "make-dataset", "--out", tmp_path / "set", f"{option}={value}")
    assert said.startswith(f"argument {option}: found '{value}'; accepted is ")
    assert not (tmp_path / "set").exists()


def test_a_command_without_folder_or_with_a_full_one(tmp_path, capsys):
    (tmp_path / "file").touch()
    said = refused(capsys, "make-dataset", "--out", tmp_path, "--n", 1)
    assert said.startswith(f"{tmp_path}: is a folder with files; accepted")
    assert "--out" in refused(capsys, "make-dataset")
