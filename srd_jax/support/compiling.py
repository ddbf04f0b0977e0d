"""jax.jit with the options that make XLA's CPU back end run the encoder fast."""

import functools
from collections.abc import Callable
from typing import Any

import jax

# The default fusion type sends VALID convolutions to a path several times slower.
_CPU_OPTIONS = {"xla_cpu_experimental_ynn_fusion_type": ""}


@functools.cache
def compiler_options() -> dict[str, str]:
    """Returns the options for the default back end; empty except on a CPU whose XLA has them."""
    if jax.default_backend() != "cpu":
        return {}
    try:
        jax.jit(lambda x: x, compiler_options=_CPU_OPTIONS).lower(0.0).compile()
    except jax.errors.JaxRuntimeError:  # another XLA: results are the same, only slower
        return {}
    return _CPU_OPTIONS


def jit(function: Callable[..., Any], **kwargs: Any) -> Any:
    """Compiles an outermost function: jax.jit(function, **kwargs) with `compiler_options`.

    JAX refuses compiler options for a function inside of another transformed one.
    """
    return jax.jit(function, compiler_options=compiler_options(), **kwargs)


def over_images(function: Callable[[jax.Array], Any], images: jax.Array) -> Any:
    """Applies a function to a batch, on a CPU image by image.

    The features of a single image fit a CPU's cache, and so no number depends on the size of the
    batch. Accelerators take the whole batch.

    Args:
      function: of (B, …), returns a tree of (B, …); one image doesn't influence another.
      images: (B, …).
    """
    if jax.default_backend() != "cpu":
        return function(images)
    return jax.lax.map(lambda one: jax.tree.map(lambda x: x[0], function(one[None])), images)
