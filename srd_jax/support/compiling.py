"""jax.jit with options: fast on XLA's CPU back end, the same bits in each run on a GPU."""

import functools
from collections.abc import Callable
from typing import Any

import jax

# The default fusion type sends VALID convolutions to a path several times slower.
_CPU_OPTIONS = {"xla_cpu_experimental_ynn_fusion_type": ""}
# Some of cuDNN's gradients add in a random order.
_GPU_OPTIONS = {"xla_gpu_exclude_nondeterministic_ops": True}


@functools.cache
def compiler_options() -> dict[str, str | bool]:
    """Returns the options for the default back end, those alone that its XLA has."""
    options = {"cpu": _CPU_OPTIONS, "gpu": _GPU_OPTIONS}.get(jax.default_backend(), {})
    try:
        jax.jit(lambda x: x, compiler_options=options).lower(0.0).compile()
    except jax.errors.JaxRuntimeError:  # another XLA: results are the same, only slower
        return {}
    return options


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
