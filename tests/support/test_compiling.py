import jax
import jax.numpy as jnp
import numpy as np
import pytest

from srd_jax.support import compiling


@pytest.fixture(autouse=True)
def _options_asked_anew():
    compiling.compiler_options.cache_clear()
    yield
    compiling.compiler_options.cache_clear()


def test_jit_takes_the_arguments_of_jax_jit():
    traces = []

    def power(base, exponent):
        traces.append(exponent)
        return base**exponent

    compiled = compiling.jit(power, static_argnames="exponent")
    for _ in range(2):
        np.testing.assert_allclose(compiled(jnp.arange(4.0), exponent=3), np.arange(4.0) ** 3)
    assert traces == [3]


def test_an_option_that_this_xla_does_not_know_is_left_out(monkeypatch):
    if jax.default_backend() != "cpu":
        pytest.skip("the options are those of the CPU back end")
    monkeypatch.setattr(compiling, "_CPU_OPTIONS", {"xla_no_such_option": "1"})
    assert compiling.compiler_options() == {}
    assert compiling.jit(lambda x: x + 1)(1) == 2


def test_other_platforms_get_no_options(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "tpu")
    assert compiling.compiler_options() == {}


@pytest.mark.parametrize("platform", ["cpu", "gpu"])
@pytest.mark.parametrize("count", [1, 5])
def test_over_images_gives_what_the_function_gives(monkeypatch, platform, count):
    images = np.random.default_rng(0).normal(size=(count, 3, 4)).astype(np.float32)
    batches = []

    def function(batch):
        batches.append(batch.shape[0])
        return {"mean": batch.mean((1, 2)), "rows": (batch.max(2), None)}

    monkeypatch.setattr(jax, "default_backend", lambda: platform)
    found = compiling.over_images(function, jnp.asarray(images))
    assert set(batches) == ({1} if platform == "cpu" else {count})
    np.testing.assert_allclose(found["mean"], images.mean((1, 2)), rtol=1e-5)
    np.testing.assert_array_equal(found["rows"][0], images.max(2))
    assert found["rows"][1] is None
