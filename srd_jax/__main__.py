"""`python -m srd_jax`: the command line."""

import sys

from srd_jax.cli import main

sys.exit(main())
