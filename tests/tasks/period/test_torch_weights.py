import hashlib
import os
import pickle

import numpy as np
import pytest
from helpers.torch_files import lightning, synthetic, write, write_checkpoint
from safetensors.numpy import load_file

from srd_jax.networks.receptive_field import Block
from srd_jax.support.errors import InputError
from srd_jax.tasks.period.config import ModelConfig
from srd_jax.tasks.period.model import as_function, parameter_shapes
from srd_jax.tasks.period.torch_weights import export_weights, import_weights, read_tensors
from srd_jax.tasks.period.weights import PeriodWeights

FRAME = (476, 46)


def assert_same(found, expected):
    assert sorted(found) == sorted(expected)
    for name, value in expected.items():
        assert found[name].dtype == value.dtype
        np.testing.assert_array_equal(found[name], value, err_msg=name)


def fails(function, *arguments):
    with pytest.raises(InputError) as caught:
        function(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("suffix", [".npz", ".safetensors", ".ckpt", ".pt", ".pth", ".NPZ"])
def test_reads_every_format(tmp_path, suffix):
    path = write(tmp_path / f"weights{suffix.lower()}", synthetic())
    path = path.rename(tmp_path / f"weights{suffix}")
    assert_same(read_tensors(path), synthetic())


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("channels_last", [False, True])
def test_reads_strided_checkpoints_of_both_byte_orders(tmp_path, order, channels_last):
    content = lightning(synthetic(), channels_last=channels_last)
    path = write_checkpoint(tmp_path / "a.ckpt", content, order)
    assert_same(read_tensors(path), synthetic())


def test_reads_a_bare_state_dict(tmp_path):
    content = lightning(synthetic())["state_dict"]
    assert_same(read_tensors(write_checkpoint(tmp_path / "a.pt", content)), synthetic())


@pytest.mark.parametrize("suffix", [".npz", ".safetensors", ".ckpt"])
@pytest.mark.parametrize("options", [{}, {"heads": 3, "hidden": 5}, {"confidence": False}])
def test_round_trip_is_exact(tmp_path, suffix, options):
    source = write(tmp_path / f"released{suffix}", synthetic(**options))
    weights = import_weights(source)
    assert weights.model == ModelConfig(**{"confidence": True} | options)
    shapes = {name: value.shape for name, value in weights.parameters.items()}
    assert shapes == parameter_shapes(weights.model)
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    assert weights.origin == {"file": source.name, "sha256": digest}
    export_weights(weights, tmp_path / "out.safetensors")
    assert_same(load_file(tmp_path / "out.safetensors"), synthetic(**options))
    again = import_weights(tmp_path / "out.safetensors")
    assert again.model == weights.model
    assert_same(again.parameters, weights.parameters)


def reference_forward(tensors, image):
    """The network in float64 NumPy, from PyTorch's names: period and sd, px."""
    tensors = {name: value.astype(np.float64) for name, value in tensors.items()}
    features = ((image - 0.2845) / 0.1447)[None]
    pool_after = {2: (2, 2), 6: (2, 1), 10: (2, 1), 14: (2, 1), 16: (2, 1), 18: (2, 1)}
    for i in range(0, 20, 2):
        kernel = tensors[f"seq.{i}.weight"]
        rows, columns = features.shape[1] - 2, features.shape[2] - 2
        features = tensors[f"seq.{i}.bias"][:, None, None] + sum(
            np.einsum(
                "oi,ihw->ohw",
                kernel[:, :, r, c],
                features[:, r : r + rows, c : c + columns],
                optimize=True,
            )
            for r in range(3)
            for c in range(3)
        )
        if i not in pool_after:
            features = np.maximum(features, 0)
            continue
        high, wide = pool_after[i]
        rows, columns = features.shape[1] // high, features.shape[2] // wide
        cut = features[:, : rows * high, : columns * wide]
        features = cut.reshape(32, rows, high, columns, wide).max((2, 4))
    flat = features.reshape(32, -1)
    answers = []
    for end in ("", "_sd"):
        energy = tensors[f"query{end}"][0] @ flat
        attention = np.exp(energy - energy.max(1, keepdims=True))
        attention /= attention.sum(1, keepdims=True)
        pooled = (flat @ attention.T).ravel()  # index channel · heads + head
        hidden = tensors[f"linear{end}1.weight"] @ pooled + tensors[f"linear{end}1.bias"]
        hidden = np.maximum(hidden, 0)
        answer = tensors[f"linear{end}2.weight"] @ hidden + tensors[f"linear{end}2.bias"]
        answers.append(answer[0])
    return 220 / answers[0], np.exp(answers[1])


def stripes():
    """Noisy stripes of 37 px under an elliptic mask, grey 0..1."""
    random = np.random.default_rng(5)
    rows, columns = np.indices(FRAME)
    image = 0.5 + 0.4 * np.sin(2 * np.pi * rows / 37) + random.normal(0, 0.1, FRAME)
    inside = ((rows - 238) / 230) ** 2 + ((columns - 23) / 22) ** 2 < 1
    return np.clip(image, 0, 1).astype(np.float32) * inside


def assert_forward_agrees(path, tensors):
    weights, image = import_weights(path), stripes()
    found = as_function(weights.model)(weights.parameters, image[None], with_attention=True)
    period, sd = reference_forward(tensors, image.astype(np.float64))
    assert 5 < period < 500
    np.testing.assert_allclose(found.period, [period], rtol=1e-5)
    np.testing.assert_allclose(found.sd, [sd], rtol=1e-5)
    assert found.attention.shape == (1, 2, 2, 5, 5)
    np.testing.assert_allclose(found.attention.sum((3, 4)), 1, rtol=1e-5)


def test_forward_of_imported_weights_is_the_reference_network(tmp_path):
    tensors = synthetic()
    assert_forward_agrees(write(tmp_path / "a.npz", tensors), tensors)


@pytest.fixture
def released(reference_dir):
    """The released weights without their suffix."""
    return reference_dir / "reference" / "period_model"


def test_released_files_agree_and_round_trip(tmp_path, released):
    with np.load(released.with_suffix(".npz")) as file:
        tensors = dict(file.items())
    weights = import_weights(released.with_suffix(".npz"))
    assert weights.model.confidence
    assert_same(import_weights(released.with_suffix(".ckpt")).parameters, weights.parameters)
    export_weights(weights, tmp_path / "out.safetensors")
    assert_same(load_file(tmp_path / "out.safetensors"), tensors)
    assert_same(import_weights(tmp_path / "out.safetensors").parameters, weights.parameters)
    assert sum(value.size for value in weights.parameters.values()) == 84_738


def test_forward_of_released_weights_is_the_reference_network(released):
    with np.load(released.with_suffix(".npz")) as file:
        assert_forward_agrees(released.with_suffix(".ckpt"), dict(file.items()))


def test_missing_extra_and_misshapen_tensors_are_named(tmp_path):
    tensors = synthetic()
    del tensors["seq.6.bias"], tensors["linear_sd2.bias"]
    tensors["batch_norm.weight"] = np.zeros(3, np.float32)
    tensors["seq.4.weight"] = tensors["seq.4.weight"][:, :, :2]
    message = fails(import_weights, write(tmp_path / "a.npz", tensors))
    assert "a.npz: " in message
    assert "missing seq.6.bias" in message
    assert "missing linear_sd2.bias" in message
    assert "extra batch_norm.weight" in message
    assert "seq.4.weight has shape (32, 32, 2, 3), accepted: (32, 32, 3, 3)" in message


@pytest.mark.parametrize("name", ["query", "linear1.weight"])
def test_a_missing_tensor_that_tells_a_size_is_named(tmp_path, name):
    tensors = synthetic()
    del tensors[name]
    assert f"missing {name}" in fails(import_weights, write(tmp_path / "a.npz", tensors))
    tensors[name] = np.zeros(3, np.float32)
    assert f"{name} has shape (3,)" in fails(import_weights, write(tmp_path / "a.npz", tensors))


def test_other_number_types_and_nan_are_refused(tmp_path):
    tensors = synthetic() | {"query": synthetic()["query"].astype(np.float64)}
    message = fails(import_weights, write(tmp_path / "a.npz", tensors))
    assert "query is float64; accepted: float32" in message
    tensors = synthetic()
    tensors["linear2.bias"][0] = np.nan
    assert "linear2.bias holds NaN" in fails(import_weights, write(tmp_path / "a.npz", tensors))


class Command:
    """Runs a command where it is unpickled."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def test_a_malicious_pickle_is_refused_and_not_executed(tmp_path):
    witness = tmp_path / "executed"
    content = lightning(synthetic()) | {"callbacks": Command(f"touch {witness}")}
    path = write_checkpoint(tmp_path / "a.ckpt", content)
    message = fails(import_weights, path)
    assert f"{os.system.__module__}.system, which was not executed" in message
    assert not witness.exists()
    # Where a pickle is trusted, the same object does run.
    pickle.loads(pickle.dumps(content["callbacks"]))
    assert witness.exists()


def test_a_pickle_inside_the_npz_is_refused(tmp_path):
    witness = tmp_path / "executed"
    command = np.array([Command(f"touch {witness}")], dtype=object)
    path = tmp_path / "a.npz"
    np.savez(path, **synthetic() | {"query": command})
    assert "a.npz: not an .npz of plain arrays" in fails(import_weights, path)
    assert not witness.exists()


def test_a_storage_shorter_than_its_tensor_is_refused(tmp_path):
    content = lightning(synthetic())
    content["state_dict"]["linear1.weight"].shape = (8, 65)
    path = write_checkpoint(tmp_path / "a.ckpt", content)
    assert "linear1.weight's storage" in fails(read_tensors, path)


@pytest.mark.parametrize(
    ("field", "value"), [("offset", -1), ("shape", (8, -64)), ("strides", (64, -1))]
)
def test_negative_lengths_are_refused(tmp_path, field, value):
    content = lightning(synthetic())
    setattr(content["state_dict"]["linear1.weight"], field, value)
    path = write_checkpoint(tmp_path / "a.ckpt", content)
    assert "linear1.weight has the length or stride -" in fails(read_tensors, path)


def test_checkpoints_without_tensors_are_refused(tmp_path):
    path = write_checkpoint(tmp_path / "a.ckpt", {"state_dict": {"query": 3}})
    assert "a.ckpt: query is a int; accepted: tensors" in fails(read_tensors, path)
    path = write_checkpoint(tmp_path / "a.ckpt", [1, 2])
    assert "it holds a list; accepted: a state_dict" in fails(read_tensors, path)


@pytest.mark.parametrize("suffix", [".npz", ".ckpt", ".safetensors"])
@pytest.mark.parametrize("damage", ["text", "cut", "empty"])
def test_broken_files_are_refused(tmp_path, suffix, damage):
    path = write(tmp_path / f"a{suffix}", synthetic())
    data = path.read_bytes()
    path.write_bytes({"text": b"no weights here\n", "cut": data[:-300], "empty": b""}[damage])
    assert f"a{suffix}: not a" in fails(read_tensors, path)


def test_damaged_storage_bytes_are_noticed(tmp_path):
    path = write(tmp_path / "a.ckpt", synthetic())
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)
    assert "a.ckpt: not a PyTorch file (Bad CRC-32" in fails(read_tensors, path)


def test_missing_files_and_unknown_suffixes_are_refused(tmp_path):
    assert "no such weights file" in fails(read_tensors, tmp_path / "none.npz")
    message = fails(read_tensors, tmp_path / "weights.h5")
    assert "'.h5'; accepted: .npz, .safetensors, .ckpt" in message


def test_export_refuses_what_the_names_do_not_tell(tmp_path):
    weights = import_weights(write(tmp_path / "a.npz", synthetic()))
    path = tmp_path / "out.safetensors"
    other = ModelConfig(confidence=True)
    other.encoder.blocks = (Block(2, (2, 2)), *other.encoder.blocks[1:-1], Block(1, (1, 1)))
    message = fails(export_weights, PeriodWeights(weights.parameters, other, {}), path)
    assert "model.encoder.blocks" in message
    other = ModelConfig(confidence=True, grey_mean=0.5)
    message = fails(export_weights, PeriodWeights(weights.parameters, other, {}), path)
    assert "model.grey_mean, which is 0.5; accepted: 0.2845" in message
    message = fails(export_weights, PeriodWeights(weights.parameters, ModelConfig(), {}), path)
    assert "extra sd_pool.queries" in message
    assert "'.npz'; accepted: .safetensors" in fails(export_weights, weights, tmp_path / "out.npz")
    assert not path.exists()
