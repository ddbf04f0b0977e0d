import dataclasses
import json

import numpy as np
import pytest
from helpers.command import refused, run
from helpers.crops import ellipse
from helpers.grana_folders import drawn_granum, lamellae, same

import srd_jax
from srd_jax.imaging.dataset import read_grana
from srd_jax.imaging.tfds import read_tfds
from srd_jax.support.errors import InputError
from srd_jax.synthetic import drawn_set
from srd_jax.synthetic.config import GranaConfig
from srd_jax.synthetic.drawn_set import Recipe, angles, make_dataset

pytestmark = pytest.mark.hurry


def draw(seed, n, config=None):
    for number in range(n):
        granum = drawn_granum(100 * seed + number)
        yield granum.image, granum.mask, granum.period_px, granum.px_per_nm


def undrawn(seed, n, config):
    pytest.fail("drawn")
    yield


@pytest.fixture(autouse=True)
def drawing(monkeypatch):
    """Replaces the generator, which takes long to compile, by a fast one or by another."""

    def drawing(draw):
        monkeypatch.setattr(drawn_set, "draw_grana", draw)

    drawing(draw)
    return drawing


def make(folder, n, tfds=None, seed=0, unrotated=0.0):
    make_dataset(folder, Recipe(n, seed, unrotated=unrotated), tfds)
    return folder


def test_a_set_is_written_in_order_and_prepared(tmp_path, capfd):
    folder = make(tmp_path / "deep" / "set", 11, tfds=tmp_path / "data")
    grana = read_grana(folder)
    assert [g.name for g in grana] == [f"granum_{i:02}.png" for i in range(11)]
    for granum, (image, mask, period, px_per_nm) in zip(grana, draw(0, 11), strict=True):
        np.testing.assert_array_equal(granum.image, image)
        np.testing.assert_array_equal(granum.mask, mask)
        np.testing.assert_allclose([granum.period_px, granum.px_per_nm], [period, px_per_nm])
    assert same(read_tfds(tmp_path / "data"), grana)
    assert capfd.readouterr() == ("", "")
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == ["set"]


def test_unrotated_crops_lie_at_their_angles(tmp_path, drawing):
    mask = ellipse((90, 140))
    wave = lamellae(mask.shape, 14.0, 90) * mask
    drawing(lambda seed, n, config: ((wave * (1 - i / 8), mask, 14.0, 1.3) for i in range(n)))
    make(tmp_path / "set", 4, unrotated=0.5, seed=3)
    shapes = {granum.mask.shape for granum in read_grana(tmp_path / "set")}
    assert np.abs(np.subtract(list(shapes), mask.shape)).max() <= 2


@pytest.mark.parametrize(("n", "share", "count"), [(10, 0.0, 0), (10, 0.3, 3), (1000, 1.0, 1000)])
def test_angles(n, share, count):
    recipe = Recipe(n, 5, unrotated=share)
    found = np.array(angles(recipe))
    others = found[found != 90]
    assert (len(found), len(others)) == (n, count)
    assert ((others > 0) & (others <= 180)).all()
    assert angles(recipe) == found.tolist()
    if count == 1000:
        counts = np.histogram(others, bins=6, range=(0, 180))[0]
        assert np.abs(counts - 1000 / 6).max() < 4 * np.sqrt(1000 / 6)
        assert angles(dataclasses.replace(recipe, seed=6)) != found.tolist()


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_draws_give_the_same_bytes(tmp_path):
    (tmp_path / "a").mkdir()
    first, again, other = (
        content(make(tmp_path / name, 3, seed=seed, unrotated=1.0))
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    assert first == again
    assert all(first[name] != other[name] for name in first)


def test_a_note_tells_how_a_set_was_drawn(tmp_path):
    make(tmp_path / "set", 2, seed=7, unrotated=0.5)
    note = json.loads((tmp_path / "set" / "drawn.json").read_text())
    ranges = note.pop("drawn")
    assert note == {"images": 2, "seed": 7, "unrotated": 0.5, "version": srd_jax.__version__}
    assert ranges["outline"]["rim"] == GranaConfig().outline.rim
    assert ranges["period_nm"] == list(GranaConfig().period_nm)


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


def test_a_set_prepared_before_is_refused_before_anything_is_drawn(tmp_path, drawing):
    make(tmp_path / "a", 2, tfds=tmp_path / "data")
    drawing(undrawn)
    with pytest.raises(InputError, match="is there already"):
        make(tmp_path / "b", 1, tfds=tmp_path / "data")
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    ("inside", "message"),
    [("set", "lies in "), ("set/data", "lies in "), ("file", "cannot be written (")],
)
def test_a_bad_folder_of_tensorflow_datasets_is_refused_before_anything_is_drawn(
    tmp_path, drawing, inside, message
):
    (tmp_path / "file").touch()
    drawing(undrawn)
    with pytest.raises(InputError) as caught:
        make(tmp_path / "set", 1, tfds=tmp_path / inside)
    assert str(caught.value).startswith(str(tmp_path / inside))
    assert message in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_what_stops_half_way_leaves_nothing(tmp_path, drawing, error):
    def some(seed, n, config):
        yield next(draw(seed, n))
        assert list(tmp_path.rglob("*.png"))
        raise error

    drawing(some)
    with pytest.raises((KeyboardInterrupt, InputError)):
        make(tmp_path / "set", 3)
    assert list(tmp_path.iterdir()) == []


def test_the_command_draws_by_its_seed(tmp_path, capsys):
    arguments = ("make-dataset", "--n", 3, "--seed", 4, "--unrotated", 0.5, "--out")
    assert run(*arguments, tmp_path / "a", "--tfds", tmp_path / "data") == 0
    assert capsys.readouterr().out.splitlines() == [
        f"3 grana in {tmp_path / 'a'}",
        f"prepared in {tmp_path / 'data' / 'srd_grana' / '1.0.0'}",
    ]
    make(tmp_path / "b", 3, seed=4, unrotated=0.5)
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


def provide(folder, n=2, **recipe):
    drawn_set.provide(folder, Recipe(n, 0, **recipe))


def test_a_set_is_drawn_on_first_use_and_found_from_then_on(tmp_path, capsys, drawing):
    folder = tmp_path / "deep" / "set"
    provide(folder)
    assert capsys.readouterr().out == f"{folder}: 2 grana drawn of seed 0\n"
    assert len(read_grana(folder)) == 2
    drawing(undrawn)
    # Which version drew it doesn't matter: the set is as good as ever.
    note = folder / "drawn.json"
    note.write_text(note.read_text().replace(srd_jax.__version__, "0.0.1"))
    provide(folder)
    assert capsys.readouterr().out == f"{folder}: 2 grana found there, drawn of seed 0\n"


@pytest.mark.parametrize(
    ("recipe", "differs"),
    [
        ({"n": 3}, "config.data.images: 3 against 2 there"),
        (
            {"drawn": GranaConfig(rows=(90, 300))},
            "config.data.drawn.rows: (90, 300) against (100, 650) there",
        ),
    ],
)
def test_a_set_of_another_recipe_is_refused(tmp_path, drawing, recipe, differs):
    provide(tmp_path / "set")
    drawing(undrawn)
    with pytest.raises(InputError) as caught:
        provide(tmp_path / "set", **recipe)
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / 'set'}: holds another set ({differs}); accepted: ")
    assert "\n" not in said


@pytest.mark.parametrize("note", [None, "", "[1]", '{"images": 2}'])
def test_a_folder_that_was_not_drawn_is_refused_and_left_alone(tmp_path, drawing, note):
    make(tmp_path / "set", 2)
    path = tmp_path / "set" / "drawn.json"
    path.unlink() if note is None else path.write_text(note)
    before = content(tmp_path / "set")
    drawing(undrawn)
    with pytest.raises(InputError) as caught:
        provide(tmp_path / "set")
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / 'set'}: holds no set that was drawn (")
    assert "accepted" in said
    assert "\n" not in said
    assert content(tmp_path / "set") == before
