"""Version of the package, apart from `srd_jax/__init__.py` so that every module can import it."""

__version__ = "0.1.0"
