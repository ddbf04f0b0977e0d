import os
import pathlib
import platform
import stat
import subprocess
import sys
import time

import pytest

import srd_jax
from srd_jax.support import compilation_cache

ROOT = pathlib.Path(srd_jax.__file__).parents[1]
FOLDER = "JAX_COMPILATION_CACHE_DIR"


def used(**environment):
    compilation_cache.use(environment)
    return environment


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.skipif(sys.platform == "win32", reason="modes")
def test_the_folder_is_the_users_own(tmp_path):
    cache = tmp_path / "not yet" / "cache"
    folder = pathlib.Path(used(XDG_CACHE_HOME=str(cache), HOME=str(tmp_path))[FOLDER])
    assert folder.parent == cache / "srd_jax"
    assert (mode(folder), mode(folder.parent)) == (0o700, 0o700)
    assert list(folder.iterdir()) == []
    # The same the next time.
    assert used(XDG_CACHE_HOME=str(cache), HOME=str(tmp_path))[FOLDER] == str(folder)


@pytest.mark.parametrize(
    ("system", "expected"), [("linux", ".cache"), ("darwin", "Library/Caches")]
)
def test_without_xdg_cache_home(tmp_path, monkeypatch, system, expected):
    monkeypatch.setattr(sys, "platform", system)
    for given in ({}, {"XDG_CACHE_HOME": ""}, {"XDG_CACHE_HOME": "relative"}):
        folder = pathlib.Path(used(HOME=str(tmp_path), **given)[FOLDER])
        assert folder.parent == tmp_path / expected / "srd_jax"


def test_what_the_user_sets_counts(tmp_path):
    home = {"HOME": str(tmp_path)}
    for given in ({FOLDER: "/elsewhere"}, {FOLDER: ""}, {"SRD_COMPILATION_CACHE": "0"}):
        assert used(**home, **given) == home | given
    assert list(tmp_path.iterdir()) == []
    size = "JAX_COMPILATION_CACHE_MAX_SIZE"
    assert used(**home, **{size: "7"})[size] == "7"
    assert int(used(**home)[size]) > 0


def test_each_version_and_cpu_has_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(compilation_cache, "_cpu", lambda: ["flags : avx2"])
    folders = {used(HOME=str(tmp_path))[FOLDER]}
    monkeypatch.setattr(compilation_cache, "_cpu", lambda: ["flags : avx2 avx512f"])
    folders.add(used(HOME=str(tmp_path))[FOLDER])
    monkeypatch.setattr(platform, "machine", lambda: "another")
    folders.add(used(HOME=str(tmp_path))[FOLDER])
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.0")
    folders.add(used(HOME=str(tmp_path))[FOLDER])
    assert len(folders) == 4


@pytest.mark.skipif(not pathlib.Path("/proc/cpuinfo").exists(), reason="of Linux")
def test_the_cpus_instructions_are_known():
    assert any(line.startswith(("flags", "Features")) for line in compilation_cache._cpu())
    assert not any("MHz" in line for line in compilation_cache._cpu())


def test_a_folder_that_cannot_be_made_is_no_failure(tmp_path):
    (tmp_path / "file").write_text("")
    assert FOLDER not in used(XDG_CACHE_HOME=str(tmp_path / "file"))
    assert FOLDER not in used(XDG_CACHE_HOME=str(tmp_path / "file" / "cache"))
    (tmp_path / "srd_jax").write_text("")
    assert FOLDER not in used(XDG_CACHE_HOME=str(tmp_path))


@pytest.mark.skipif(sys.platform == "win32", reason="modes")
def test_a_folder_that_cannot_be_written_is_no_failure(tmp_path, monkeypatch):
    folder = pathlib.Path(used(XDG_CACHE_HOME=str(tmp_path))[FOLDER])

    def refused(**_):  # as permissions don't hold root back
        raise PermissionError

    with monkeypatch.context() as patched:
        patched.setattr("tempfile.TemporaryFile", refused)
        assert FOLDER not in used(XDG_CACHE_HOME=str(tmp_path))
    folder.chmod(0o777)  # others could have written programs there
    assert FOLDER not in used(XDG_CACHE_HOME=str(tmp_path))
    folder.rmdir()
    folder.symlink_to(tmp_path)
    assert FOLDER not in used(XDG_CACHE_HOME=str(tmp_path))


def test_programs_of_other_versions_go_when_they_are_old(tmp_path):
    root = tmp_path / "srd_jax"
    for name, days in (("compiled-old", 40), ("compiled-new", 10), ("other", 40)):
        (root / name).mkdir(parents=True)
        (root / name / "program").write_text("")
        then = time.time() - days * 24 * 3600
        os.utime(root / name, (then, then))
    root.chmod(0o700)
    used(XDG_CACHE_HOME=str(tmp_path))
    left = {path.name for path in root.iterdir()}
    assert left >= {"compiled-new", "other"}
    assert "compiled-old" not in left


def test_a_second_process_reads_what_the_first_has_compiled(tmp_path):
    program = """
import os
from srd_jax.support import compilation_cache
compilation_cache.use(os.environ)
import jax
events = []
jax.monitoring.register_event_listener(lambda name, **_: events.append(name))
jax.jit(lambda x: x * 2 + 1)(3.0)
print(jax.config.jax_compilation_cache_max_size > 0, "/jax/compilation_cache/cache_hits" in events)
"""
    environment = os.environ | {
        "XDG_CACHE_HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "JAX_PLATFORMS": "cpu",
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    for name in ("SRD_COMPILATION_CACHE", FOLDER):
        environment.pop(name, None)
    for hit in (False, True):
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True
        )
        assert (done.returncode, done.stdout) == (0, f"True {hit}\n"), done.stderr
        assert done.stderr == ""
