import importlib.metadata
import subprocess
import sys

import srd_jax
from srd_jax.support.version import __version__


def test_package_and_distribution_state_the_same_version():
    assert srd_jax.__version__ == __version__ == importlib.metadata.version("srd-jax")


def test_the_version_is_read_without_jax():
    code = "import sys, srd_jax.support.version; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
