import atexit
import os
import pathlib
import shutil
import tempfile

if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    # Most of the time goes into compiling: what one process of the tests has compiled serves all,
    # for this run of the tests only.
    _folder = tempfile.mkdtemp(prefix="srd_jax_compiled_")
    atexit.register(shutil.rmtree, _folder, ignore_errors=True)
    os.environ["JAX_COMPILATION_CACHE_DIR"] = _folder
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"

import jax
import pytest

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
def _hurry(request):
    """Compiles in half of the time what a test marked `hurry` compiles."""
    if request.node.get_closest_marker("hurry") is None:
        yield
        return
    jax.config.update("jax_disable_most_optimizations", True)
    try:
        yield
    finally:
        jax.config.update("jax_disable_most_optimizations", False)


@pytest.fixture
def reference_dir():
    """The folder with the released weights (reference/) and the real crops (real_grana/)."""
    if not (folder := os.environ.get("SRD_REFERENCE_DIR")):
        pytest.skip("SRD_REFERENCE_DIR isn't set: the folder with reference/ and real_grana/")
    return pathlib.Path(folder)
