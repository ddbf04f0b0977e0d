"""Stacking repeat distance of chloroplast grana on electron micrographs, measured by JAX.

`from srd_jax import load; measure = load(); measure(images)`
"""

from typing import TYPE_CHECKING, Any

from srd_jax.support.version import __version__

if TYPE_CHECKING:
    from srd_jax.measuring.methods import load

__all__ = ["__version__", "load"]


def __getattr__(name: str) -> Any:
    # Late, so that importing a part of the package doesn't start JAX.
    if name == "load":
        from srd_jax.measuring.methods import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
