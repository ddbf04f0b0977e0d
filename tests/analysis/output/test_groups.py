import pytest

from srd_jax.analysis.output.groups import read_excluded, read_groups, unknown_numbers
from srd_jax.support.errors import InputError


@pytest.fixture
def files(tmp_path):
    return [tmp_path / name for name in ("wt/a.tif", "mutant/a.tif", "mutant/b.tif")]


def groups(tmp_path, files, text):
    path = tmp_path / "groups.csv"
    path.write_text(text)
    return read_groups(str(path), files)


def test_groups_by_names_of_any_kind(tmp_path, files):
    found, said = groups(
        tmp_path, files, "Group;File\nwild type;wt/a.tif\nkö;mutant\\a.tif\nkö;B\n"
    )
    assert list(found.values()) == ["wild type", "kö", "kö"]
    assert list(found) == files
    assert said == []


def test_rows_without_a_file_and_files_without_a_row_are_said(tmp_path, files):
    found, said = groups(tmp_path, files, "file,group\nb,x\nlost.tif,y\n")
    assert found == {files[2]: "x"}
    assert [line.partition(": ")[2] for line in said] == [
        "1 of 2 rows match no micrograph, first row 3 (lost.tif)",
        f"2 of 3 micrographs have no group, first {files[0]}",
    ]


@pytest.mark.parametrize(
    "text, message",
    [
        (
            "name,group\nb,x\n",
            "has the columns name, group; accepted is a CSV with the columns file",
        ),
        ("file,group\nb\n", "row 2 lacks its group"),
        ("file,group\n,x\n", "row 2 lacks its file"),
        ("file,group\na.tif,x\n", "row 2: 2 micrographs are named a.tif"),
        ("file,group\nb,x\nb.tif,y\n", "row 3 puts b.tif into y, but it is in x already"),
        ("file,group\nz,x\n", "names none of the 3 micrographs"),
    ],
)
def test_bad_groups(tmp_path, files, text, message):
    with pytest.raises(InputError, match="accepted") as caught:
        groups(tmp_path, files, text)
    assert message in str(caught.value)


def test_excluded_numbers(files):
    found = read_excluded(["b:7,3", "wt_a:1", "b.tif:3, 12"], files)
    assert found == {files[2]: (3, 7, 12), files[0]: (1,)}
    assert read_excluded(["wt/a.tif:2"], files) == {files[0]: (2,)}
    assert unknown_numbers(found, {files[2]: 7, files[0]: 1}) == [
        "--exclude: b.tif has no granum 12, but 7; nothing is left out"
    ]


@pytest.mark.parametrize("text", ["b", "b:", "b:x", "b:1,,2", ":1", "z:1", "a:1", "b:-1", "b:²"])
def test_bad_exclusions(files, text):
    with pytest.raises(InputError, match=f"--exclude {text}.*accepted"):
        read_excluded([text], files)
