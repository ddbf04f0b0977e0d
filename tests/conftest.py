import os
import pathlib

import jax
import pytest

# (B,) against (B, 1) must not broadcast to (B, B) anywhere.
jax.config.update("jax_numpy_rank_promotion", "raise")
# Accelerators multiply float32 in fewer bits by default; the tests compare with float64.
jax.config.update("jax_default_matmul_precision", "highest")


@pytest.fixture
def reference_dir():
    """The folder with the released weights (reference/) and the real crops (real_grana/)."""
    if not (folder := os.environ.get("SRD_REFERENCE_DIR")):
        pytest.skip("SRD_REFERENCE_DIR isn't set: the folder with reference/ and real_grana/")
    return pathlib.Path(folder)
