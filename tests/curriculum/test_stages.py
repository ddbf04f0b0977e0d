import dataclasses
import json
import pathlib
import shutil

import pytest
from helpers.stages import first, second
from helpers.training_runs import ROOT, one_line, read_checkpoint, same_bits, undisturbed

from srd_jax.curriculum import stages as curriculum
from srd_jax.curriculum.config import PRESETS, CurriculumConfig
from srd_jax.support.errors import InputError
from srd_jax.support.fields import checked
from srd_jax.tasks.config_files import read_config
from srd_jax.tasks.make import make_task
from srd_jax.tasks.period.config import CONFIDENCE_CLONES, PeriodConfig
from srd_jax.training import train, weights
from srd_jax.training.config import StartConfig

CONFIGS = ROOT / "configs"
STAGES = CurriculumConfig().stages


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of config files that name the functions above."""
    made = tmp_path_factory.mktemp("configs")
    for name in ("first", "second"):
        (made / f"{name}.py").write_text(
            f"import sys\nsys.path.insert(0, {str(ROOT / 'tests')!r})\n"
            f"from helpers.stages import {name} as get_config\n"
        )
    return made


@pytest.fixture
def workdir(tmp_path):
    """A curriculum's workdir whose first stage is finished."""
    shutil.copytree(undisturbed(), tmp_path / "all" / "first")
    config = json.loads((tmp_path / "all" / "first" / "config.json").read_text())
    (tmp_path / "all" / "first" / "config.json").write_text(json.dumps(config | {"name": "first"}))
    return tmp_path / "all"


CONFIG = CurriculumConfig(stages=("first", "second"))


def test_stages_follow_each_other_once(workdir, folder, capsys):
    report = curriculum.run(CONFIG, workdir, folder)
    assert report == workdir / "report.html"
    assert {p.name for p in workdir.iterdir()} == {
        "first",
        "second",
        "report.html",
        "stages.csv",
        "weights.safetensors",
    }
    said = capsys.readouterr().out
    assert "stage 1 of 2: first\n" in said
    assert "first: this run is finished" in said
    assert "copied: 9 parameters" in said
    assert "cloned: sd_regressor.output from period_regressor.output, times 0.1" in said
    assert str(workdir / "weights.safetensors") in said
    last, whole = (weights.load(d / "weights.safetensors") for d in (workdir / "second", workdir))
    assert same_bits(last.parameters, whole.parameters)
    handed = json.loads((workdir / "second" / "start.json").read_text())
    assert (handed["from"], handed["copied"], len(handed["cloned"])) == ("first", 9, 3)

    before = read_checkpoint(workdir / "second", 2)
    curriculum.run(CONFIG, workdir, folder)
    assert "goes on" not in capsys.readouterr().out
    # A stage that is deleted is trained again, to the same bits, alone as in the curriculum.
    shutil.rmtree(workdir / "second")
    alone = dataclasses.replace(second(), name="second")
    train.run(alone, workdir / "second", make_task)
    assert same_bits(read_checkpoint(workdir / "second", 2), before)


def test_a_stage_that_descends_from_other_parameters_is_named(workdir, folder, capsys):
    config = curriculum.stage_configs(CONFIG, folder)[1]
    train.run(config, workdir / "second", make_task)
    assert curriculum.outdated(config, workdir / "second") == ""
    shutil.rmtree(workdir / "first")
    train.run(dataclasses.replace(first(), name="first", seed=5), workdir / "first", make_task)
    line = curriculum.outdated(config, workdir / "second")
    assert line.startswith(f"{workdir}/second: was trained from other parameters than")
    assert "\n" not in line


def test_a_skipped_stage_leaves_the_others_linked():
    config = CurriculumConfig(stages=("stage2", "stage4", "stage5"))
    stages = curriculum.stage_configs(config, CONFIGS)
    assert [stage.start.stage for stage in stages] == ["", "stage2", "stage4"]
    assert stages[0].start == StartConfig()
    assert stages[2].start.clones == CONFIDENCE_CLONES


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_of_every_stage_is_valid(preset):
    stages = curriculum.stage_configs(CurriculumConfig(preset=preset), CONFIGS)
    assert [stage.name for stage in stages] == list(STAGES)
    assert [stage.model.confidence for stage in stages] == [False] * 4 + [True] * 2
    epochs = [stage.epochs for stage in stages]
    if preset == "full":
        assert epochs[:5] == [200, 460, 550, 430, 1112]
        assert stages[4].loss.ramp_epochs == 30
        assert stages[5].end.keep_epochs == (0, 200, 300)
        assert stages[5].end.keep_minima == 4
    if preset == "smoke":
        assert max(stage.steps * stage.batch_size for stage in stages) <= 32


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_alone_is_the_stage_of_the_curriculum(name):
    stages = curriculum.stage_configs(CurriculumConfig(), CONFIGS)
    (stage,) = (stage for stage in stages if stage.name == name)
    assert read_config(CONFIGS / f"{name}.py") == stage
    assert isinstance(checked(stage), PeriodConfig)


def test_the_data_of_a_curriculum_are_those_of_its_stages():
    config = CurriculumConfig(seed=3)
    config.data.dir, config.data.validation_share = "grana", 0.2
    for preset in PRESETS:
        config.preset = preset
        stages = curriculum.stage_configs(config, CONFIGS)
        assert {stage.data.dir for stage in stages} == {"grana"}
        assert [stage.data.validation_share for stage in stages] == [0.2] * 5 + [0.0]
        assert {stage.seed for stage in stages} == {3}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"preset": "quick"}, "config.preset is 'quick'; accepted: full, fast, smoke"),
        ({"stages": ()}, "config.stages is (); accepted: at least one name"),
        ({"stages": ("stage1", "stage1")}, "accepted: at least one name, each once"),
        ({"stages": ("stage9",)}, "configs/stage9.py: no such file; accepted is"),
        ({"stages": ("quickstart",)}, "configs/quickstart.py: fails with TypeError: get_config()"),
        ({"seed": -1}, "config.seed is -1; accepted: 0 to"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_anything_is_trained(tmp_path, changes, message):
    with pytest.raises(InputError) as error:
        curriculum.run(CurriculumConfig(**changes), tmp_path / "all", CONFIGS)
    assert message in one_line(error.value)
    assert not (tmp_path / "all").exists()


def test_a_later_stage_of_another_config_is_found_before_training(workdir, folder):
    config = curriculum.stage_configs(CONFIG, folder)[1]
    train.run(config, workdir / "second", make_task)
    shutil.rmtree(workdir / "first")
    path = pathlib.Path(workdir, "second", "config.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"batch_size": 8}))
    with pytest.raises(InputError, match=r"config\.batch_size: 4 against 8 there"):
        curriculum.run(CONFIG, workdir, folder)
    assert not (workdir / "first").exists()


def test_a_run_starts_from_a_weights_file_as_from_its_workdir(workdir):
    file = workdir / "first" / "weights.safetensors"
    plain = second()
    for name, start in (("of_file", file), ("of_run", workdir / "first")):
        start = dataclasses.replace(plain.start, stage="", workdir=str(start))
        train.run(dataclasses.replace(plain, start=start), workdir / name, make_task)
    one, other = (weights.load(workdir / d / "weights.safetensors") for d in ("of_file", "of_run"))
    assert same_bits(one.parameters, other.parameters)
    assert one.origin["start"] == other.origin["start"] == weights.load(file).origin
