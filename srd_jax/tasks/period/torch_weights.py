"""Imports and exports weights in the format of GRANA's released PyTorch network.

PyTorch's names are `seq.N` (convolutions, kernels out × in × rows × columns), `query`, `linear1`,
`linear2`, and `query_sd`, `linear_sd1`, `linear_sd2` of the confidence branch. A checkpoint is a
pickle, which can run any code where it is loaded; the reader here lets it build tensors only.
"""

import hashlib
import os
import pathlib
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import safetensors
from safetensors.numpy import save as serialize

from srd_jax.networks.modules import check_shapes
from srd_jax.support.errors import InputError, one_line
from srd_jax.support.files import whole_file
from srd_jax.tasks.period.config import EncoderConfig, ModelConfig
from srd_jax.tasks.period.model import parameter_shapes
from srd_jax.tasks.period.weights import PeriodWeights, folded

_STORAGES = {
    "FloatStorage": "f4",
    "DoubleStorage": "f8",
    "HalfStorage": "f2",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
_LAYERS = {
    "period_pool": "query",
    "period_regressor.hidden": "linear1",
    "period_regressor.output": "linear2",
    "sd_pool": "query_sd",
    "sd_regressor.hidden": "linear_sd1",
    "sd_regressor.output": "linear_sd2",
}


def import_weights(path: str | os.PathLike[str]) -> PeriodWeights:
    """Returns the weights of a file with PyTorch's names; see read_tensors for the formats.

    The encoder is the default one, because the file doesn't hold its pools. The tensors tell the
    numbers of heads and of hidden units, and whether there is a confidence branch.

    Raises:
      InputError: the file cannot be read, or a tensor is missing, extra, of another shape, not
        float32 or not finite; the message names all that are missing, extra or of another shape.
    """
    path = pathlib.Path(path)
    tensors = read_tensors(path)
    model = _model_of(tensors)
    shapes = parameter_shapes(model)
    expected = {_torch_name(n): _to_torch(_blank(shape), n).shape for n, shape in shapes.items()}
    check_shapes({name: tensor.shape for name, tensor in tensors.items()}, expected, str(path))
    for name, tensor in tensors.items():
        if tensor.dtype != np.float32:
            raise InputError(f"{path}: {name} is {tensor.dtype}; accepted: float32")
        if not np.isfinite(tensor).all():
            raise InputError(f"{path}: {name} holds NaN or infinity; accepted: finite values")
    parameters = {name: _from_torch(tensors[_torch_name(name)], name) for name in shapes}
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return PeriodWeights(parameters, model, {"file": path.name, "sha256": digest})


def export_weights(weights: PeriodWeights, path: str | os.PathLike[str]) -> None:
    """Writes weights as safetensors under PyTorch's names, whole or not at all.

    The sd's calibration has no name in PyTorch's format and is folded into the sd's regressor.

    Raises:
      InputError: the network differs from GRANA's in a way that such a file can't state, a
        parameter is missing, extra or of another shape, or the file cannot be written.
    """
    path = pathlib.Path(path)
    if path.suffix.lower() != ".safetensors":
        raise InputError(f"{path}: its suffix is {path.suffix!r}; accepted: .safetensors")
    model, reference = weights.model, ModelConfig()
    for name, found, accepted in (
        ("encoder.blocks", model.encoder.blocks, reference.encoder.blocks),
        ("encoder.channels", model.encoder.channels, reference.encoder.channels),
        ("grey_mean", model.grey_mean, reference.grey_mean),
        ("grey_sd", model.grey_sd, reference.grey_sd),
    ):
        if found != accepted:
            raise InputError(
                f"{path}: a file with PyTorch's names does not hold model.{name}, which is "
                f"{found}; accepted: {accepted}"
            )
    shapes = {name: np.shape(value) for name, value in weights.parameters.items()}
    check_shapes(shapes, parameter_shapes(model), f"weights for {path}")
    with whole_file(path) as temporary:
        temporary.write_bytes(serialize(torch_tensors(folded(weights)), {"format": "pt"}))


def torch_tensors(parameters: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Returns parameters, or their gradients, under PyTorch's names and in its layout."""
    return {
        _torch_name(name): np.ascontiguousarray(_to_torch(np.asarray(value), name))
        for name, value in parameters.items()
    }


def _model_of(tensors: dict[str, np.ndarray]) -> ModelConfig:
    model = ModelConfig(encoder=EncoderConfig())
    query, hidden = tensors.get("query"), tensors.get("linear1.weight")
    # The comparison of all shapes, later, names a tensor that is missing or of another rank.
    if query is not None and query.ndim == 3:
        model.heads = max(1, query.shape[1])
    if hidden is not None and hidden.ndim == 2:
        model.hidden = max(1, hidden.shape[0])
    model.confidence = any(name.startswith(("query_sd", "linear_sd")) for name in tensors)
    return model


def _blank(shape: tuple[int, ...]) -> np.ndarray:
    return np.broadcast_to(np.float32(0.0), shape)


def _torch_name(name: str) -> str:
    layer, kind = name.rsplit(".", 1)
    if layer.startswith("encoder.convolutions."):
        # Every convolution is followed by one module, a ReLU or a pool.
        torch_layer = f"seq.{2 * int(layer.rsplit('.', 1)[1])}"
    else:
        torch_layer = _LAYERS[layer]
    return torch_layer + {"queries": "", "kernel": ".weight", "bias": ".bias"}[kind]


def _to_torch(value: np.ndarray, name: str) -> np.ndarray:
    if name.endswith(".queries"):
        return value[None]
    return value.transpose(3, 2, 0, 1) if value.ndim == 4 else value.T


def _from_torch(tensor: np.ndarray, name: str) -> np.ndarray:
    if name.endswith(".queries"):
        value = tensor[0]
    else:
        value = tensor.transpose(2, 3, 1, 0) if tensor.ndim == 4 else tensor.T
    return np.ascontiguousarray(value)


def read_tensors(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Returns the tensors of a .npz, .safetensors or PyTorch file (.ckpt, .pt, .pth) by name.

    In a PyTorch file that holds more than tensors, these are `state_dict`. Nothing in a file is
    executed: a pickle that names anything but tensors is refused.

    Raises:
      InputError: the file is missing, broken, of another format, or holds more than data.
    """
    path = pathlib.Path(path)
    if path.suffix.lower() not in _READERS:
        raise InputError(f"{path}: its suffix is {path.suffix!r}; accepted: {', '.join(_READERS)}")
    if not path.is_file():
        raise InputError(f"{path}: no such weights file")
    return _READERS[path.suffix.lower()](path)


def _read_npz(path: pathlib.Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            tensors = dict(file.items())
    except Exception as error:  # NumPy raises a dozen types on broken files
        raise InputError(
            f"{path}: not an .npz of plain arrays ({one_line(error)}); "
            "accepted: arrays of numbers by name, no pickled objects"
        ) from None
    for name, tensor in tensors.items():
        if not isinstance(tensor, np.ndarray):
            raise InputError(f"{path}: {name} is no array; accepted: arrays of numbers by name")
    return tensors


def _read_safetensors(path: pathlib.Path) -> dict[str, np.ndarray]:
    try:
        with safetensors.safe_open(path, framework="np") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, safetensors.SafetensorError, TypeError, ValueError) as error:
        raise InputError(
            f"{path}: not a safetensors file ({one_line(error)}); "
            "accepted: float32 tensors by PyTorch's names"
        ) from None


class _Storage(NamedTuple):
    key: str
    dtype: str


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _TensorUnpickler(pickle.Unpickler):
    """Builds containers and descriptions of tensors; every other global is refused."""

    def find_class(self, module: str, name: str) -> Any:
        """Returns the stand-in for a global of the pickle."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            # A new function, so that a pickle that sets attributes on it changes nothing here.
            return lambda *arguments: _Tensor(*arguments[:4])
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        raise InputError(
            f"its pickle names {module}.{name}, which was not executed; "
            "accepted: tensors and plain containers, as of a saved state_dict"
        )

    def persistent_load(self, pid: Any) -> _Storage:
        """Returns the description of a storage, ("storage", type, key, device, elements)."""
        kind, dtype, key, *_ = pid
        if kind != "storage" or dtype not in _STORAGES.values() or not isinstance(key, str):
            raise InputError(f"its pickle refers to {pid!r}; accepted: storages of tensors")
        return _Storage(key, dtype)


def _read_checkpoint(path: pathlib.Path) -> dict[str, np.ndarray]:
    try:
        with zipfile.ZipFile(path) as archive:
            pickles = [n for n in archive.namelist() if pathlib.PurePosixPath(n).name == "data.pkl"]
            if len(pickles) != 1:
                raise InputError(f"{len(pickles)} data.pkl in it; accepted: a PyTorch file, one")
            folder = pickles[0].removesuffix("data.pkl")
            with archive.open(pickles[0]) as file:
                content = _TensorUnpickler(file).load()
            if isinstance(content, dict) and "state_dict" in content:
                content = content["state_dict"]
            if not isinstance(content, dict):
                raise InputError(f"it holds a {type(content).__name__}; accepted: a state_dict")
            return {str(n): _tensor(content[n], str(n), archive, folder) for n in content}
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except Exception as error:  # a broken zip or pickle may raise any
        raise InputError(
            f"{path}: not a PyTorch file ({one_line(error)}); "
            "accepted: the zip that torch.save and Lightning write"
        ) from None


def _tensor(value: Any, name: str, archive: zipfile.ZipFile, folder: str) -> np.ndarray:
    """Returns the array of a tensor's description, a read-only view of its storage."""
    if not isinstance(value, _Tensor) or not isinstance(value.storage, _Storage):
        raise InputError(f"{name} is a {type(value).__name__}; accepted: tensors")
    storage, offset, shape, strides = value
    for number in (offset, *shape, *strides):
        if not isinstance(number, int) or number < 0:
            raise InputError(f"{name} has the length or stride {number!r}; accepted: 0 or more")
    order = ">" if _byte_order(archive, folder) == b"big" else "<"
    data = np.frombuffer(archive.read(f"{folder}data/{storage.key}"), order + storage.dtype)
    last = sum((length - 1) * step for length, step in zip(shape, strides, strict=True))
    if 0 not in shape and offset + last >= len(data):
        raise InputError(
            f"{name}'s storage {storage.key} has {len(data)} values; "
            f"accepted: at least {offset + last + 1}, for the shape {shape}"
        )
    view = np.lib.stride_tricks.as_strided(
        data[offset:],
        shape,
        [step * data.itemsize for step in strides],
        writeable=False,
    )
    return view.astype(view.dtype.newbyteorder("="), copy=False)


def _byte_order(archive: zipfile.ZipFile, folder: str) -> bytes:
    name = f"{folder}byteorder"
    return archive.read(name).strip() if name in archive.namelist() else b"little"


_READERS = {
    ".npz": _read_npz,
    ".safetensors": _read_safetensors,
    ".ckpt": _read_checkpoint,
    ".pt": _read_checkpoint,
    ".pth": _read_checkpoint,
}
