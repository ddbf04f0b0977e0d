"""Each config file on a fresh clone, where the stages before it are trained first."""

import dataclasses
import json
import operator
import shutil

import pytest
from helpers.training_runs import HURRY, ROOT, one_line, python, tiny, undisturbed

from srd_jax.curriculum import forerunners, stages
from srd_jax.curriculum.config import PRESETS, CurriculumConfig
from srd_jax.support.errors import InputError
from srd_jax.support.fields import checked
from srd_jax.synthetic.config import GranaConfig, StripesConfig
from srd_jax.tasks.config_files import read_config
from srd_jax.tasks.period import sources
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


def missing(config, folder, preset=None):
    """The names of the stages that are to be trained before one, whose workdirs lie in a folder."""
    found = forerunners.forerunners(config, folder / config.name, CONFIGS, preset)
    return [stage.name for stage in found]


@pytest.mark.parametrize("preset", [None, *PRESETS])
@pytest.mark.parametrize("name", BEFORE)
def test_the_stages_before_are_those_of_the_config_files(tmp_path, name, preset):
    config = read_config(CONFIGS / f"{name}.py", preset)
    config.seed, config.data.images = 7, 12
    found = forerunners.forerunners(config, tmp_path / name, CONFIGS, preset)
    assert [stage.name for stage in found] == BEFORE[name]
    for stage in found:
        alone = read_config(CONFIGS / f"{stage.name}.py", preset)
        assert (stage.seed, stage.source, stage.start) == (7, alone.source, alone.start)
        crops = stage.source.kind in ("crops", "masked_stripes")
        # A stage that reads no crops is the same whatever starts from it.
        assert stage.data.images == (12 if crops else alone.data.images)
        # Only stage 6 holds nothing out.
        assert stage.data.validation_share == 0.3


def begun(folder, config, finished=False, steps=()):
    """Writes the files of a stage."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(dataclasses.asdict(config)))
    for step in steps:
        (folder / "checkpoints" / str(step)).mkdir(parents=True)
    if finished:
        (folder / "summary.json").write_text("{}")


def test_a_finished_stage_is_taken_as_it_is(tmp_path):
    stage4 = read_config(CONFIGS / "stage4.py")
    begun(tmp_path / "stage2", tiny(), finished=True)
    assert missing(stage4, tmp_path) == ["stage3"]
    # A finished stage needs none, whatever became of its checkpoints.
    begun(tmp_path / "stage4", stage4, finished=True)
    assert missing(stage4, tmp_path) == []


def test_an_unfinished_stage_is_resumed_before_the_next(tmp_path):
    stage4 = checked(read_config(CONFIGS / "stage4.py"))
    stage3 = forerunners.forerunners(stage4, tmp_path / "stage4", CONFIGS, None)[-1]
    begun(tmp_path / "stage3", stage3)
    # It may have taken over nothing yet.
    assert missing(stage4, tmp_path) == ["stage1", "stage2", "stage3"]
    begun(tmp_path / "stage3", stage3, steps=(50,))
    assert missing(stage4, tmp_path) == ["stage3"]


def test_an_unfinished_stage_of_another_config_is_refused(tmp_path):
    stage2 = read_config(CONFIGS / "stage2.py")
    stage1 = dataclasses.replace(read_config(CONFIGS / "stage1.py"), epochs=999)
    begun(tmp_path / "stage1", stage1, steps=(50,))
    with pytest.raises(InputError) as error:
        missing(stage2, tmp_path)
    message = one_line(error.value)
    assert message.startswith(f"{tmp_path / 'stage1'}: holds an unfinished run of another config (")
    assert "config.epochs: 10 against 999 there" in message
    assert f"--config.start.workdir={tmp_path / 'stage1'} to use it as it is" in message


def test_an_unfinished_run_without_config_file_is_taken_as_it_is(tmp_path):
    config = tiny(start=StartConfig(stage="mine"))
    begun(tmp_path / "mine", tiny(), steps=(2,))
    assert missing(config, tmp_path) == []


def test_what_a_kill_leaves_before_the_config_is_written_is_no_hindrance(tmp_path):
    stage2 = read_config(CONFIGS / "stage2.py")
    (tmp_path / "stage1" / "checkpoints").mkdir(parents=True)
    (tmp_path / "stage1" / ".config.abc.json").write_text("{")
    assert missing(stage2, tmp_path) == ["stage1"]


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("stage4", {"data.dir": "nowhere"}, "nowhere: no such folder; accepted: as config.data"),
        ("stage6", {"end.unlabelled": "nowhere"}, "nowhere: cannot be read"),
        ("stage3", {"model.encoder.channels": 16}, "has shape (3, 3, 1, 32), accepted: (3, 3, 1,"),
        ("stage5", {"start.clones": ()}, "stage4: missing sd_pool.queries; missing sd_regressor"),
    ],
)
def test_mistakes_are_found_before_anything_is_trained(tmp_path, name, changes, message):
    config = read_config(CONFIGS / f"{name}.py")
    for path, value in changes.items():
        *parents, field = path.split(".")
        setattr(operator.attrgetter(".".join(parents))(config), field, value)
    with pytest.raises(InputError) as error:
        forerunners.run(config, tmp_path / name, CONFIGS, None)
    assert message in one_line(error.value)
    assert not [path for path in tmp_path.iterdir() if path.name != name]


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


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """The folder of the runs, and what was said, of stage 3 launched on a fresh clone."""
    runs = tmp_path_factory.mktemp("fresh")
    done = launched("configs/stage3.py:smoke", runs / "stage3", XLA_FLAGS=HURRY)
    assert (done.returncode, done.stderr) == (0, "")
    return runs, done.stdout.splitlines()


def finished(folder, names):
    return all((folder / name / "summary.json").exists() for name in names)


def test_stage_3_on_a_fresh_clone_trains_stages_1_to_3(clone):
    runs, (first, *rest) = clone
    assert first.startswith(
        f"stage3 starts from stage2, which isn't finished beside {runs / 'stage3'}: stage1, "
        "stage2 first, then stage3; 48 images in all, about "
    )
    assert first.endswith(" on two CPU cores (--config.start.stage= starts from scratch)")
    assert [line for line in rest if line.startswith("stage ")] == [
        f"stage {number} of 3: stage{number}" for number in (1, 2, 3)
    ]
    assert finished(runs, ["stage1", "stage2", "stage3"])
    starts = {n: json.loads((runs / f"stage{n}" / "start.json").read_text()) for n in (2, 3)}
    assert [starts[n]["from"] for n in (2, 3)] == ["stage1", "stage2"]


@pytest.fixture
def quick_grana(monkeypatch):
    """Stripes in place of grana, whose generator takes long to compile; it has its own tests."""
    render = sources._renderer

    def renderer(source, config):
        drawn = isinstance(source, GranaConfig)
        return render(StripesConfig() if drawn else source, config)

    monkeypatch.setattr(sources, "_renderer", renderer)


@pytest.mark.hurry
def test_generated_grana_start_from_a_stage_that_is_there(clone, tmp_path, quick_grana, capsys):
    for name in ("stage1", "stage2"):
        shutil.copytree(clone[0] / name, tmp_path / name)
    config = read_config(CONFIGS / "grana.py", "smoke")
    forerunners.run(config, tmp_path / "grana", CONFIGS, "smoke")
    said = capsys.readouterr().out
    assert "grana: averaged parameters of " in said
    assert "first" not in said
    assert finished(tmp_path, ["grana"])


@pytest.mark.hurry
def test_the_released_weights_are_trained_part_by_part_to_the_report(tmp_path, quick_grana, capsys):
    names = ("release1", "release2", "release3", "release4")
    config = read_config(CONFIGS / "release4.py", "smoke")
    forerunners.run(config, tmp_path / "release4", CONFIGS, "smoke")
    assert "release1, release2, release3 first, then release4" in capsys.readouterr().out
    assert finished(tmp_path, names)
    curriculum = CurriculumConfig("release", "smoke", names)
    stages.run(curriculum, tmp_path, CONFIGS)
    said = capsys.readouterr().out
    assert said.count("this run is finished") == 4
    assert "all 4 stages are finished; report in " in said
    report = (tmp_path / "report.html").read_text()
    assert "with a tenth of Student&#39;s likelihood (NLL) for the sd" in report
    last = (tmp_path / "release4" / "weights.safetensors").read_bytes()
    assert (tmp_path / "weights.safetensors").read_bytes() == last
