"""Each config file on a fresh clone, where the stages before it are trained first."""

import dataclasses
import json
import shutil

import pytest
from helpers.training_runs import HURRY, ROOT, one_line, python, tiny, undisturbed

from srd_jax.curriculum import forerunners
from srd_jax.curriculum.config import PRESETS
from srd_jax.support.errors import InputError
from srd_jax.support.fields import checked
from srd_jax.tasks.config_files import read_config
from srd_jax.training.config import StartConfig

CONFIGS = ROOT / "configs"
BEFORE = {
    "stage1": [],
    "stage2": ["stage1"],
    "stage3": ["stage1", "stage2"],
    "stage4": ["stage1", "stage2", "stage3"],
    "stage5": ["stage1", "stage2", "stage3", "stage4"],
    "stage6": ["stage1", "stage2", "stage3", "stage4", "stage5"],
    "grana": ["stage1", "stage2"],
    "release1": [],
    "release2": ["release1"],
    "release3": ["release1", "release2"],
    "release4": ["release1", "release2", "release3"],
}


def names(stages):
    return [stage.name for stage in stages]


@pytest.mark.parametrize("preset", [None, *PRESETS])
@pytest.mark.parametrize("name", BEFORE)
def test_the_stages_before_are_those_of_the_config_files(tmp_path, name, preset):
    config = read_config(CONFIGS / f"{name}.py", preset)
    config.seed, config.data.images = 7, 12
    found = forerunners.forerunners(config, tmp_path, CONFIGS, preset)
    assert names(found) == BEFORE[name]
    for stage in found:
        alone = read_config(CONFIGS / f"{stage.name}.py", preset)
        assert (stage.seed, stage.data.images) == (7, 12)
        assert (stage.source, stage.start, stage.epochs) == (
            *(alone.source, alone.start, alone.epochs),
        )
        # Only stage 6 holds nothing out, whatever starts from what.
        assert stage.data.validation_share == 0.3


def begun(folder, config, finished=False, steps=()):
    """Writes the files of a begun or finished stage."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(dataclasses.asdict(config)))
    for step in steps:
        (folder / "checkpoints" / str(step)).mkdir(parents=True)
    if finished:
        (folder / "summary.json").write_text("{}")


def test_a_finished_stage_is_taken_as_it_is(tmp_path):
    stage4 = read_config(CONFIGS / "stage4.py")
    begun(tmp_path / "stage2", tiny(), finished=True)
    assert names(forerunners.forerunners(stage4, tmp_path, CONFIGS, None)) == ["stage3"]


def test_an_unfinished_stage_goes_on_before_the_next(tmp_path):
    stage4 = checked(read_config(CONFIGS / "stage4.py"))
    stage3 = forerunners.forerunners(stage4, tmp_path, CONFIGS, None)[-1]
    begun(tmp_path / "stage3", stage3)
    found = names(forerunners.forerunners(stage4, tmp_path, CONFIGS, None))
    assert found == ["stage1", "stage2", "stage3"]  # it may have taken over nothing yet
    begun(tmp_path / "stage3", stage3, steps=(50,))
    assert names(forerunners.forerunners(stage4, tmp_path, CONFIGS, None)) == ["stage3"]
    # An unfinished one of another config is somebody's own: its best checkpoint is taken.
    begun(tmp_path / "stage3", dataclasses.replace(stage3, epochs=999))
    assert not forerunners.forerunners(stage4, tmp_path, CONFIGS, None)


def test_what_a_kill_leaves_before_the_config_is_written_is_no_hindrance(tmp_path):
    stage2 = read_config(CONFIGS / "stage2.py")
    (tmp_path / "stage1" / "checkpoints").mkdir(parents=True)
    (tmp_path / "stage1" / ".config.abc.json").write_text("{")
    assert names(forerunners.forerunners(stage2, tmp_path, CONFIGS, None)) == ["stage1"]


def launched(config, workdir, *flags, **environment):
    return python("launch.py", f"--config={config}", f"--workdir={workdir}", *flags, **environment)


def test_a_damaged_forerunner_stays_an_error_before_anything_is_drawn(tmp_path):
    (tmp_path / "stage2").mkdir()
    (tmp_path / "stage2" / "notes.txt").write_text("mine")
    done = launched("configs/stage3.py", tmp_path / "stage3")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {tmp_path / 'stage2'}: holds no checkpoints; ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "dataset").exists()


def test_a_stage_without_config_file_and_workdir_is_one_line(tmp_path):
    config = tiny(start=StartConfig(stage="stage9"))
    with pytest.raises(InputError) as error:
        forerunners.run(config, tmp_path / "tiny", CONFIGS, None)
    assert one_line(error.value).startswith("config.start.stage is 'stage9', but neither ")


def test_stages_that_start_from_each_other_are_one_line(tmp_path):
    for one, other in ("ab", "ba"):
        (tmp_path / f"{one}.py").write_text(
            f"import sys\nsys.path.insert(0, {str(ROOT / 'tests')!r})\n"
            "from helpers.training_runs import tiny\n"
            "from srd_jax.training.config import StartConfig\n"
            f"get_config = lambda: tiny(name={one!r}, start=StartConfig(stage={other!r}))\n"
        )
    with pytest.raises(InputError, match="descends from itself"):
        forerunners.run(read_config(tmp_path / "a.py"), tmp_path / "runs" / "a", tmp_path, None)


def test_without_a_stage_to_start_from_no_part_is_a_clone(tmp_path, capsys):
    shutil.copytree(undisturbed(), tmp_path / "tiny")
    config = tiny(start=StartConfig(new=("sd_pool",)))
    forerunners.run(config, tmp_path / "tiny", CONFIGS, None)
    said = capsys.readouterr().out
    assert "tiny: starts from scratch, so that all parts of the network are new\n" in said
    assert "this run is finished" in said


# What is trained in a small size, as a user would launch it; each but the first finds a part of
# the stages before it there.
@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    workdir = tmp_path_factory.mktemp("fresh")
    said = {}
    for name in ("stage3", "stage6", "grana"):
        config, folder = f"configs/{name}.py:smoke", workdir / name
        done = launched(config, folder, XLA_FLAGS=HURRY)
        assert (done.returncode, done.stderr) == (0, "")
        said[name] = done.stdout
    return workdir, said


def test_stage_3_on_a_fresh_clone_trains_stages_1_to_3(clone):
    workdir, said = clone
    first, *rest = said["stage3"].splitlines()
    assert first == (
        f"stage3 starts from stage2, which isn't finished beside {workdir / 'stage3'}: stage1, "
        "stage2 first, then stage3; 48 images in all, about a minute on two CPU cores "
        "(--config.start.stage= starts from scratch)"
    )
    assert [line for line in rest if line.startswith("stage ")] == [
        f"stage {number} of 3: stage{number}" for number in (1, 2, 3)
    ]
    starts = {n: json.loads((workdir / f"stage{n}" / "start.json").read_text()) for n in (2, 3)}
    assert [starts[n]["from"] for n in (2, 3)] == ["stage1", "stage2"]


def test_every_config_trains_what_it_starts_from(clone):
    workdir, said = clone
    for name in (*(f"stage{n}" for n in range(1, 7)), "grana"):
        assert json.loads((workdir / name / "summary.json").read_text())["run"] == name
        assert (workdir / name / "weights.safetensors").stat().st_size > 0
    assert "stage4, stage5 first, then stage6" in said["stage6"]
    assert "stage 3 of 3: stage6" in said["stage6"]
    # Stage 2 was there.
    assert "first" not in said["grana"]


def test_the_curriculum_of_the_released_weights_runs_to_its_end(tmp_path):
    flags = ("--config.preset=smoke",)
    done = launched("configs/release.py", tmp_path, *flags, XLA_FLAGS=HURRY)
    assert (done.returncode, done.stderr) == (0, "")
    report = (tmp_path / "report.html").read_text()
    assert "with a tenth of Student&#39;s likelihood (NLL) for the sd" in report
    assert (tmp_path / "weights.safetensors").read_bytes() == (
        tmp_path / "release4" / "weights.safetensors"
    ).read_bytes()
    again = launched("configs/release4.py:smoke", tmp_path / "release4")
    assert again.stdout == f"{tmp_path / 'release4'}: this run is finished\n"
