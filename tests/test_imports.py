"""The house: the order of imports between its parts, and the sizes of its rooms."""

import ast
import graphlib
import os
import pathlib
import subprocess
import sys

import pytest

import srd_jax

PACKAGE = pathlib.Path(srd_jax.__file__).parent
ROOT = PACKAGE.parent

# A part imports from lines above its own and from itself; parts of one line not from each other.
ORDER = """
support
networks
training
imaging
synthetic
tasks.period tasks.grana tasks.surfaces
tasks
measuring
analysis
evaluation curriculum
review
commands
cli __init__
__main__
"""
LINE = {part: i for i, line in enumerate(ORDER.split("\n")) for part in line.split()}
MODULES = sorted(PACKAGE.rglob("*.py"))
CONFIGS = sorted((ROOT / "configs").glob("*.py"))


def name_of(path):
    """The dotted name of a module or a package, below the package; "__init__" for itself."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and parts[1:] else parts)


NAMES = {name_of(path) for path in MODULES}


def imports(path):
    """The dotted names that a file imports anywhere; `from a import b` gives a.b."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_modules(path):
    """The modules and packages of the package that a file imports."""
    parts = [name.split(".")[1:] for name in imports(path) if name.split(".")[0] == "srd_jax"]
    found = {".".join(p[:end]) for p in parts for end in range(1, len(p) + 1)} & NAMES
    # Importing a module runs the packages around it, but only what is named is meant.
    return {n for n in found if not any(m.startswith(f"{n}.") for m in found)} | {
        "__init__" for p in parts if not p or p[0] not in {n.split(".")[0] for n in NAMES}
    }


def part_of(name):
    """The longest part of ORDER that contains a module."""
    parts = name.split(".")
    prefixes = (".".join(parts[:end]) for end in range(len(parts), 0, -1))
    return next((part for part in prefixes if part in LINE), None)


def test_every_module_is_of_a_part():
    assert not {name for name in NAMES if part_of(name) is None}
    assert {part_of(name) for name in NAMES} == set(LINE)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_imports_from_parts_above_its_own(path):
    own = part_of(name_of(path))
    below = {
        name
        for name in own_modules(path)
        if part_of(name) != own and LINE[part_of(name)] >= LINE[own]
    }
    assert not below


def test_no_modules_import_each_other_in_a_circle():
    graph = {name_of(path): own_modules(path) - {name_of(path)} for path in MODULES}
    assert len(list(graphlib.TopologicalSorter(graph).static_order())) == len(MODULES)


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
    assert all(name.startswith("srd_jax.") and name.endswith(".config") for name in modules)


def functions(path):
    """Name and length in lines of every function of a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{name_of(path)}.{node.name}:{node.lineno}", node.end_lineno - node.lineno + 1


def test_importing_a_module_starts_no_back_end():
    modules = sorted(NAMES - {"__init__", "__main__"})
    lines = "\n".join(f"import srd_jax.{name}" for name in modules)
    done = subprocess.run(
        [sys.executable, "-c", lines],
        env={**os.environ, "JAX_PLATFORMS": "none_such"},
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr


def test_rooms_files_and_functions_stay_small(capsys):
    rooms = {}
    for path in MODULES:
        if path.stem != "__init__":
            rooms.setdefault(path.parent.relative_to(PACKAGE).as_posix(), []).append(path.stem)
    lines = {name_of(path): len(path.read_text().splitlines()) for path in MODULES}
    lengths = dict(one for path in MODULES for one in functions(path))
    with capsys.disabled():
        print(f"\n{len(rooms)} packages; modules in each:", {k: len(v) for k, v in rooms.items()})
        for what, sizes in (("file", lines), ("function", lengths)):
            longest = max(sizes, key=sizes.__getitem__)
            print(f"longest {what}: {longest}, {sizes[longest]} lines")
        print(f"lines of the order of imports: {len(ORDER.strip().splitlines())}")
    assert max(map(len, rooms.values())) <= 15
    assert max(lines.values()) <= 300
    assert max(lengths.values()) <= 60
    assert len(ORDER.strip().split("\n")) <= 14


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_names_are_imported_from_where_they_are_defined(path):
    handed_on = [
        alias.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if alias.asname == alias.name
    ]
    assert not handed_on or path.stem == "__init__"


def reached(names):
    """The modules that importing some modules loads, without what their functions import later."""
    found, new = set(), set(names)
    while new:
        found |= new
        new = {other for path in MODULES if name_of(path) in new for other in own_modules(path)}
        new -= found
    return found


def test_measuring_and_evaluation_never_import_the_training_loop():
    loop = {f"training.{name}" for name in ("train", "steps", "start", "finish", "optimizer")}
    rooms = ("measuring.", "evaluation.")
    assert not reached(name for name in NAMES if name.startswith(rooms)) & loop
    assert not {n for n in reached(loop) if n.startswith(rooms)}
