import atexit
import os
import pathlib
import shutil
import tempfile

from helpers import hurry

if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    # Most of the time goes into compiling: what one process of the tests has compiled serves all,
    # for this run of the tests only.
    _folder = tempfile.mkdtemp(prefix="srd_jax_compiled_")
    atexit.register(shutil.rmtree, _folder, ignore_errors=True)
    os.environ["JAX_COMPILATION_CACHE_DIR"] = _folder
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"

# What a test compiles by itself has few optimisations, which takes half of the time. The package's
# own `jit` has all of them, as for its users, but in tests marked `hurry`. Processes that tests
# start get the flags from before (helpers/training_runs.py).
os.environ.setdefault("SRD_TESTS_XLA_FLAGS", os.environ.get("XLA_FLAGS", ""))
os.environ["XLA_FLAGS"] = f"{os.environ['SRD_TESTS_XLA_FLAGS']} {hurry.FLAGS}"

import jax
import pytest

from srd_jax.support import compiling

# From the start, for fixtures of whole modules too.
_CPU_OPTIONS = compiling._CPU_OPTIONS
compiling._CPU_OPTIONS = _CPU_OPTIONS | hurry.FULL

# (B,) against (B, 1) must not broadcast to (B, B) anywhere.
jax.config.update("jax_numpy_rank_promotion", "raise")
# Accelerators multiply float32 in fewer bits by default; the tests compare with float64.
jax.config.update("jax_default_matmul_precision", "highest")


def pytest_configure(config):
    config.addinivalue_line(
        "markers",
        "hurry: compiles with few optimisations, for tests whose outcome doesn't depend on them",
    )


@pytest.fixture(autouse=True)
def _optimisations(request):
    """Takes all optimisations from the package's own `jit` in a test that is marked `hurry`."""
    mark = request.node.get_closest_marker("hurry")
    if mark is None or mark.args == (False,):
        yield
        return
    compiling.compiler_options.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiling, "_CPU_OPTIONS", _CPU_OPTIONS)
        yield
    compiling.compiler_options.cache_clear()


@pytest.fixture
def reference_dir():
    """The folder with the released weights (reference/) and the real crops (real_grana/)."""
    if not (folder := os.environ.get("SRD_REFERENCE_DIR")):
        pytest.skip("SRD_REFERENCE_DIR isn't set: the folder with reference/ and real_grana/")
    return pathlib.Path(folder)
