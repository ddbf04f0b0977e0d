"""Flax modules as pure functions of a dict of parameters by name, such as `encoder.0.kernel`."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jax
from flax import nnx

from srd_jax.networks.parameters import Parameters
from srd_jax.support.errors import InputError

Shapes = Mapping[str, tuple[int, ...]]


def as_function(build: Callable[[], nnx.Module]) -> Callable[..., Any]:
    """Returns a module's call as a pure function of its parameters and the call's arguments.

    Args:
      build: makes the module; it is traced, nothing is drawn.
    """
    graph, state = nnx.split(nnx.eval_shape(build))
    variables = dict(nnx.to_flat_state(state))

    def apply(parameters: Parameters, *args: Any, **kwargs: Any) -> Any:
        filled = [
            (path, variable.replace(parameters[_name(path)]))
            for path, variable in variables.items()
        ]
        return nnx.merge(graph, nnx.from_flat_state(filled))(*args, **kwargs)

    return apply


def parameter_shapes(build: Callable[[], nnx.Module]) -> dict[str, tuple[int, ...]]:
    """Returns the shape of every parameter of a module by its name."""
    return {name: value.shape for name, value in parameters_of(nnx.eval_shape(build)).items()}


def parameters_of(module: nnx.Module) -> dict[str, jax.Array]:
    """Returns the parameters of a module by name."""
    state = nnx.state(module, nnx.Param)
    return {_name(path): value.get_value() for path, value in nnx.to_flat_state(state)}


def _name(path: tuple[Any, ...]) -> str:
    return ".".join(map(str, path))


def shapes_of(parameters: Parameters) -> dict[str, tuple[int, ...]]:
    """Returns the shapes of parameters by name."""
    return {name: tuple(value.shape) for name, value in parameters.items()}


def check_shapes(
    found: Shapes,
    expected: Shapes,
    source: str,
    taken: Iterable[tuple[str, str]] | None = None,
) -> None:
    """Checks that parameters are exactly those that a network expects.

    Args:
      found: shapes by name.
      expected: shapes by name.
      source: where `found` comes from, for the message.
      taken: pairs of an expected name and the name in `found` that it is taken from; by default
        each is taken from its own.

    Raises:
      InputError: a parameter is missing, extra or of another shape; all are named.
    """
    pairs = [(name, name) for name in expected] if taken is None else list(taken)
    problems = [f"missing {other}" for _, other in pairs if other not in found]
    problems += [f"extra {name}" for name in found if name not in expected]
    problems += [
        f"{other} has shape {tuple(found[other])}, accepted: {tuple(expected[name])}"
        for name, other in pairs
        if other in found and tuple(found[other]) != tuple(expected[name])
    ]
    if problems:
        raise InputError(f"{source}: {'; '.join(problems)}")
