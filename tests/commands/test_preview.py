import numpy as np
import pytest
from helpers.command import refused, run
from helpers.grana_folders import write_folder
from helpers.training_runs import CONFIG_FILE
from PIL import Image

from srd_jax.commands.sheet import Shown, write_sheet
from srd_jax.support.errors import InputError
from srd_jax.tasks.config_files import read_config

pytestmark = pytest.mark.hurry

GRANA = """
from srd_jax.tasks.period.config import GranaConfig, PeriodConfig
def get_config():
    source = GranaConfig(rows=(80, 120), columns=(100, 160), frame_period=(50.0, 120.0))
    return PeriodConfig(frame=(476, 46), source=source)
"""


def crop(rows, columns, grey):
    mask = np.ones((rows, columns), bool)
    mask[0] = False
    return Shown(np.full((rows, columns), grey, np.float32), mask, f"{grey}")


def test_a_sheet_shows_every_crop_in_its_own_size(tmp_path):
    greys = np.linspace(0.1, 0.8, 9)
    shown = [crop(60 + 10 * i, 700, grey) for i, grey in enumerate(greys)]
    write_sheet(tmp_path / "sheet.png", shown)
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert sheet.shape[1] <= 2500
    for one, grey in zip(shown, greys, strict=True):
        level = np.uint8(np.round(grey * 255))
        assert np.count_nonzero((sheet == level).all(axis=-1)) >= (one.mask.shape[0] - 1) * 700
    blue = (sheet == (0, 0, 255)).all(axis=-1)
    assert np.count_nonzero(blue) == 9 * 700


def test_generated_crops_beside_real_ones(tmp_path, capsys):
    config = tmp_path / "grana.py"
    config.write_text(GRANA)
    write_folder(tmp_path / "real", n=2)

    def preview(name, *more):
        given = ("--config", config, "--out", tmp_path / name, "--real", tmp_path / "real")
        assert run("preview", *given, "--n", 3, *more) == 0
        return capsys.readouterr().out

    assert preview("a.png") == f"3 drawn and 2 real images in {tmp_path / 'a.png'}\n"
    preview("b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    preview("c.png", "--seed", 1)
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "c.png").read_bytes()
    places = preview("d.png", "--shuffle").rsplit("real are ", 1)[1].split(", ")
    assert len({int(place) for place in places} & set(range(5))) == 2


def test_frames_of_other_sources(tmp_path):
    assert run("preview", "--config", CONFIG_FILE, "--out", tmp_path / "a.png", "--n", 5) == 0
    assert Image.open(tmp_path / "a.png").size[1] > 50


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x = 1", "KeyError"),
        ("def get_config(): return 3", "returns a int"),
        ("def get_config(:", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        (
            "from srd_jax.tasks.period.config import PeriodConfig\n"
            "def get_config(): return PeriodConfig(epochs=0)",
            "config.epochs is 0",
        ),
    ],
)
def test_a_bad_config_file_is_refused_in_one_line(tmp_path, text, found):
    path = tmp_path / "bad.py"
    path.write_text(text)
    with pytest.raises(InputError, match=found) as caught:
        read_config(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_config_file_is_refused(tmp_path, capsys):
    error = refused(
        capsys, "preview", "--config", tmp_path / "none.py", "--out", tmp_path / "a.png"
    )
    assert "none.py: no such file" in error


@pytest.mark.parametrize("seed", [-1, 2**31, "x"])
def test_a_bad_seed_is_refused(tmp_path, capsys, seed):
    given = ("--config", CONFIG_FILE, "--out", tmp_path / "a.png")
    error = refused(capsys, "preview", *given, f"--seed={seed}")
    assert error.startswith(f"argument --seed: found '{seed}'; accepted is a whole number from 0")


def test_what_is_read_is_not_replaced(tmp_path, capsys):
    config = tmp_path / "grana.py"
    config.write_text(GRANA)
    real = write_folder(tmp_path / "real", n=1)
    crops = tmp_path / "crops.py"
    crops.write_text(
        "from srd_jax.tasks.period.config import CropsConfig, DataConfig, PeriodConfig\n"
        f"data = DataConfig(dir={str(real)!r})\n"
        "def get_config(): return PeriodConfig(source=CropsConfig(), data=data)\n"
    )
    for file, target, more in (
        (config, config, ()),
        (config, real / "granum_0.png", ("--real", real)),
        (crops, real / "annotations.csv", ()),
    ):
        before = target.read_bytes()
        given = ("--config", file, "--out", target, *more)
        assert "would replace an input" in refused(capsys, "preview", *given)
        assert target.read_bytes() == before
