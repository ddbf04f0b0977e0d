import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from srd_jax.networks.modules import (
    as_function,
    check_shapes,
    parameter_shapes,
    parameters_of,
    shapes_of,
)
from srd_jax.support.errors import InputError


def build():
    return nnx.Linear(3, 2, rngs=nnx.Rngs(0))


def test_a_module_is_a_pure_function_of_its_parameters():
    kernel, bias = np.arange(6.0).reshape(3, 2), np.array([10.0, 20.0])
    x = np.array([[1.0, 2.0, 3.0]])
    apply = jax.jit(as_function(build))
    parameters = {"kernel": jnp.asarray(kernel), "bias": jnp.asarray(bias)}
    np.testing.assert_allclose(apply(parameters, x), x @ kernel + bias, rtol=1e-6)
    slope = jax.grad(lambda p: apply(p, x).sum())(parameters)
    np.testing.assert_allclose(slope["kernel"], np.repeat(x.T, 2, axis=1), rtol=1e-6)


def test_shapes_are_those_of_the_drawn_parameters():
    expected = {"kernel": (3, 2), "bias": (2,)}
    assert parameter_shapes(build) == shapes_of(parameters_of(build())) == expected


def test_check_shapes_accepts_tuples_and_lists():
    check_shapes({"a": (2, 3)}, {"a": (2, 3)}, "w")
    with pytest.raises(InputError, match="w: missing b; extra a"):
        check_shapes({"a": (2, 3)}, {"b": (2, 3)}, "w")


def test_check_shapes_of_parameters_taken_under_another_name():
    found, expected = {"a": (2, 3), "c": (4,)}, {"a": (2, 3), "b": (2, 3), "c": (5,)}
    pairs = [("a", "a"), ("b", "a"), ("c", "c")]
    with pytest.raises(InputError, match=r"w: c has shape \(4,\), accepted: \(5,\)$"):
        check_shapes(found, expected, "w", pairs)
    check_shapes(found, expected | {"c": (4,)}, "w", pairs)
    with pytest.raises(InputError, match=r"w: missing d; extra c$"):
        check_shapes(found, {"a": (2, 3)}, "w", [("a", "d")])
