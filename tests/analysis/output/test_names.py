import pytest

from srd_jax.analysis.output.names import output_names


@pytest.mark.parametrize(
    "paths, names",
    [
        (["a.png", "b.tif"], ["a", "b"]),
        (["wt/1.tif", "mutant/1.tif", "mutant/2.tif"], ["wt_1", "mutant_1", "2"]),
        (["wt/1.tif", "mutant/1.tif", "wt_1.png"], None),
        (["a.tif", "a.png"], None),
        (["x/A.tif", "y/a.tif"], ["x_A", "y_a"]),
        (["one/a.tif"], ["a"]),
    ],
)
def test_no_two_names_are_equal(tmp_path, paths, names):
    files = [tmp_path / path for path in paths]
    found = output_names(files)
    assert len({name.casefold() for name in found.values()}) == len(files)
    assert output_names(files[::-1]) == found
    if names is not None:
        assert [found[file] for file in files] == names


def test_names_stay_short_and_apart(tmp_path):
    files = [tmp_path / f"{'ä' * 120}{index}.tif" for index in range(3)]
    found = output_names(files)
    assert len(set(found.values())) == 3
    assert max(len(name.encode()) for name in found.values()) < 200


def test_a_link_has_its_own_name(tmp_path):
    (tmp_path / "real.png").touch()
    link = tmp_path / "link.png"
    link.symlink_to(tmp_path / "real.png")
    assert output_names([link]) == {link: "link"}
