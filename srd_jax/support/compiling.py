"""jax.jit with the options under which XLA's CPU back end runs the encoder fast."""

import functools
from collections.abc import Callable
from typing import Any

import jax

# The default fusion type sends VALID convolutions to a path several times slower.
_CPU_OPTIONS = {"xla_cpu_experimental_ynn_fusion_type": ""}


@functools.cache
def compiler_options() -> dict[str, str]:
    """Returns the options for the default back end: none but on a CPU whose XLA knows them."""
    if jax.default_backend() != "cpu":
        return {}
    try:
        jax.jit(lambda x: x, compiler_options=_CPU_OPTIONS).lower(0.0).compile()
    except jax.errors.JaxRuntimeError:  # another XLA: results are the same, only slower
        return {}
    return _CPU_OPTIONS


def jit(function: Callable[..., Any], **kwargs: Any) -> Any:
    """Returns jax.jit(function, **kwargs) under compiler_options(), for the outermost function.

    JAX refuses a function with compiler options inside of another one that it transforms.
    """
    return jax.jit(function, compiler_options=compiler_options(), **kwargs)


def over_images(function: Callable[[jax.Array], Any], images: jax.Array) -> Any:
    """Returns what a function of a batch gives, computed one image after the other on a CPU.

    There the intermediate features of one image lie closer than those of many, and the numbers
    don't depend on the size of the batch. Accelerators take the batch as a whole.

    Args:
      function: of (B, …) to a tree of (B, …), with no influence of one image on another.
      images: (B, …).
    """
    if jax.default_backend() != "cpu":
        return function(images)
    return jax.lax.map(lambda one: jax.tree.map(lambda x: x[0], function(one[None])), images)
