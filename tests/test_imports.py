# ruff: noqa: E501
import ast
import pathlib

import pytest

import srd_jax

PACKAGE = pathlib.Path(srd_jax.__file__).parent
ROOT = PACKAGE.parent

# A module imports from lines above its own only.
LEVELS = """
commands.__init__ evaluation.__init__ support.__init__ networks.__init__ imaging.__init__ curriculum.__init__ measuring.__init__ tasks.__init__ tasks.period.__init__ training.__init__ tasks.period.scores evaluation.traits synthetic.__init__ support.version
synthetic.batch support.compiling networks.convolution support.errors imaging.pixel_size imaging.spline synthetic.draws
imaging.masks
imaging.annotations tasks.period.crop_arrays support.fields support.files networks.receptive_field measuring.local_period tasks.period.losses support.page support.terminal imaging.picture
imaging.orientation imaging.preparation imaging.rotation
training.curves synthetic.config training.config imaging.tiff
tasks.period.source_config
tasks.period.attention tasks.period.augment tasks.period.calibration tasks.period.data_config imaging.formats
tasks.period.config
tasks.period.model training.metrics synthetic.layers synthetic.marks synthetic.outline synthetic.profile
synthetic.stripes tasks.config_files curriculum.config training.ending training.handover commands.sheet training.weights
imaging.crop tasks.period.initialisation training.optimizer tasks.period.masked_stripes synthetic.micrograph tasks.period.torch_weights
measuring.measurement synthetic.negatives
measuring.classical
measuring.autocorrelation synthetic.granum measuring.spectrum
measuring.combination synthetic.crops synthetic.grana
imaging.dataset
measuring.result imaging.tfds
synthetic.drawn_set measuring.measure_files
measuring.overlays tasks.period.sources tasks.period.unlabelled
training.steps
training.candidates training.checkpoint tasks.period.pictures
training.start measuring.estimator
__init__ training.provenance measuring.tta
training.finish
measuring.methods
measuring.table curriculum.record training.train
evaluation.cases
evaluation.pictures evaluation.summary
curriculum.tables evaluation.plots evaluation.tables
curriculum.report evaluation.report
curriculum.stages evaluation.output
commands.arguments
commands.attention commands.evaluate commands.make_dataset commands.predict commands.preview
commands.convert_weights commands.weights
cli
__main__
"""
LEVEL = {name: i for i, line in enumerate(LEVELS.split("\n")) for name in line.split()}
MODULES = sorted(PACKAGE.rglob("*.py"))
CONFIGS = sorted((ROOT / "configs").glob("*.py"))


def imports(path):
    """The dotted names that a file imports anywhere in it, those of `from` with what they take."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_modules(path):
    """The modules of the package that a file imports."""
    parts = [name.split(".") for name in imports(path)]
    names = {".".join(p[1:end]) for p in parts if p[0] == "srd_jax" for end in range(2, len(p) + 1)}
    return names & set(LEVEL)


def name_of(path):
    """The dotted name of a module, below the package."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


def test_every_module_has_a_level():
    assert {name_of(path) for path in MODULES} == set(LEVEL)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_imports_from_lower_levels_only(path):
    upward = {name for name in own_modules(path) if LEVEL[name] >= LEVEL[name_of(path)]}
    assert not upward


@pytest.mark.parametrize(
    "path",
    [*MODULES, *CONFIGS, ROOT / "launch.py"],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_nothing_imports_the_programs_or_another_framework(path):
    roots = {name.split(".")[0] for name in imports(path)}
    assert not roots & {"torch", "tensorflow", "launch", "benchmarks", "tests", "configs"}
    assert "cli" not in own_modules(path) or path.stem == "__main__"
    # Pyplot keeps figures and asks for a display; Figure does neither.
    assert not any("pyplot" in name for name in imports(path))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_configs_import_only_the_config_modules(path):
    modules = {name.rpartition(".")[0] for name in imports(path)}
    assert modules <= {"srd_jax.tasks.period.config", "srd_jax.curriculum.config"}
