"""Stacking repeat distance of chloroplast grana on electron micrographs, measured by JAX.

`from srd_jax import load; measure = load(); measure(images)` for crops of single grana,
`from srd_jax import analyse; analyse("micrograph.tif", px_per_nm=0.67)` for whole micrographs.
"""

from typing import TYPE_CHECKING, Any

from srd_jax.support.version import __version__

if TYPE_CHECKING:
    from srd_jax.analysis.analyse import analyse
    from srd_jax.measuring.methods import load

__all__ = ["__version__", "analyse", "load"]


def __getattr__(name: str) -> Any:
    # Late, so that importing a part of the package doesn't start JAX.
    if name == "load":
        from srd_jax.measuring.methods import load

        return load
    if name == "analyse":
        from srd_jax.analysis.analyse import analyse

        return analyse
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
