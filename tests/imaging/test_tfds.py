import dataclasses
import json
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds
from helpers.grana_folders import drawn_granum, same, write_folder

from srd_jax.imaging.dataset import read_grana, split, write_grana
from srd_jax.imaging.tfds import prepare, read_tfds
from srd_jax.support.errors import InputError


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A folder of grana at several angles, one without scale, and the data_dir made of it."""
    root = tmp_path_factory.mktemp("tfds")
    grana = [drawn_granum(seed) for seed in (3, 1, 2, 0)]
    grana[1] = dataclasses.replace(grana[1], px_per_nm=None, name="żółw.png")
    write_grana(root / "folder", grana, [90, 80, 100, 90])
    prepare(root / "folder", root / "data")
    return root / "folder", root / "data"


def test_what_is_read_is_what_the_folder_holds(prepared):
    folder, data_dir = prepared
    grana, found = read_grana(folder), read_tfds(data_dir)
    assert same(found, grana)
    assert [granum.name for granum in found] == [
        "granum_3.png",
        "żółw.png",
        "granum_2.png",
        "granum_0.png",
    ]
    assert found[1].px_per_nm is None
    for side, expected in zip(split(found, 0.3), split(grana, 0.3), strict=True):
        np.testing.assert_array_equal(side, expected)


def test_the_builder_is_found_by_name_and_version(prepared):
    folder, data_dir = prepared
    builder = tfds.builder("srd_grana:1.0.0", data_dir=str(data_dir))
    assert builder.info.full_name == "srd_grana/1.0.0"
    source = builder.as_data_source(split="all")
    assert len(source) == 4
    for example, granum in zip(source, read_grana(folder), strict=True):
        np.testing.assert_array_equal(example["image"], granum.image)
        assert example["name"].decode() == granum.name
    np.testing.assert_array_equal(
        [np.isnan(example["px_per_nm"]) for example in source], [False, True, False, False]
    )
    with pytest.raises(AssertionError, match=r"only: 1\.0\.0"):
        tfds.builder("srd_grana:7.0.0", data_dir=str(data_dir))


def test_users_prepare_it_the_usual_way(prepared, tmp_path):
    folder, data_dir = prepared
    builder = tfds.builder("srd_grana:1.0.0", data_dir=str(tmp_path))
    config = tfds.download.DownloadConfig(manual_dir=folder)
    builder.download_and_prepare(download_config=config)
    assert same(read_tfds(tmp_path), read_tfds(data_dir))


def test_tensorflow_is_not_loaded(prepared, tmp_path):
    code = (
        "import sys; from srd_jax.imaging.tfds import prepare, read_tfds; prepare(*sys.argv[1:]); "
        "print(len(read_tfds(sys.argv[2])), 'tensorflow' in sys.modules)"
    )
    arguments = [sys.executable, "-c", code, prepared[0], tmp_path]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "4 False\n"), done.stderr


def refusal(function, *arguments):
    with pytest.raises(InputError) as caught:
        function(*arguments)
    message = str(caught.value)
    assert "accepted" in message
    assert "\n" not in message
    return message


def test_a_bad_folder_prepares_nothing(tmp_path, capfd):
    folder = write_folder(tmp_path / "folder")
    (folder / "granum_1.png").unlink()
    said = refusal(prepare, folder, tmp_path / "data")
    assert said.startswith(f"{folder / 'annotations.csv'}: row 3 (granum_1.png): ")
    assert not list((tmp_path / "data").rglob("*1.0.0*"))
    said = refusal(prepare, tmp_path / "nowhere", tmp_path / "data")
    assert said.startswith(f"{tmp_path / 'nowhere'}")
    assert capfd.readouterr() == ("", "")


def test_nothing_is_replaced(prepared):
    folder, data_dir = prepared
    before = {path: path.read_bytes() for path in data_dir.rglob("*") if path.is_file()}
    assert "1.0.0: is there already" in refusal(prepare, folder, data_dir)
    assert before == {path: path.read_bytes() for path in before}


def test_another_version_or_none(prepared, tmp_path):
    assert f"{tmp_path}: holds none of srd_grana" in refusal(read_tfds, tmp_path)
    assert "holds none of srd_grana" in refusal(read_tfds, tmp_path / "nowhere")
    shutil.copytree(prepared[1] / "srd_grana" / "1.0.0", tmp_path / "srd_grana" / "0.9.0")
    assert "holds the versions 0.9.0 of srd_grana; accepted" in refusal(read_tfds, tmp_path)


def _empty(path):
    path.write_bytes(b"")


def _halve(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 8] ^= 255
    path.write_bytes(data)


def _claim_more(path):
    info = json.loads(path.read_text())
    info["splits"][0]["shardLengths"] = ["5"]
    path.write_text(json.dumps(info))


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("*.array_record*", pathlib.Path.unlink),
        ("*.array_record*", _empty),
        ("*.array_record*", _halve),
        ("*.array_record*", _flip),
        ("dataset_info.json", pathlib.Path.unlink),
        ("dataset_info.json", _empty),
        ("dataset_info.json", _halve),
        ("dataset_info.json", _claim_more),
    ],
)
def test_a_damaged_dataset_is_refused(prepared, tmp_path, name, damage):
    shutil.copytree(prepared[1] / "srd_grana", tmp_path / "srd_grana")
    (path,) = (tmp_path / "srd_grana" / "1.0.0").glob(name)
    damage(path)
    said = refusal(read_tfds, tmp_path)
    assert said.startswith(f"{path.parent}: cannot be read, damaged or incomplete (")
