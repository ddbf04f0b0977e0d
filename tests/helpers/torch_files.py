"""Files of PyTorch weights, written without PyTorch."""

import io
import pickle
import sys
import types
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
from safetensors.numpy import save_file

ORDER = [f"seq.{2 * i}.{kind}" for i in range(10) for kind in ("weight", "bias")]


def synthetic(heads=2, hidden=8, confidence=True):
    """Random tensors under PyTorch's names, scaled so that the features are near 1."""
    random = np.random.default_rng(3)
    tensors = {}
    for name in ORDER:
        channels = 1 if name.startswith("seq.0.") else 32
        shape = (32, channels, 3, 3) if name.endswith("weight") else (32,)
        tensors[name] = random.normal(0, (1.5 / (9 * channels)) ** 0.5, shape)
    for end, last in (("", 4.0), ("_sd", 2.0))[: 1 + confidence]:
        tensors[f"query{end}"] = random.normal(0, 0.3, (1, heads, 32))
        tensors[f"linear{end}1.weight"] = random.normal(0, 0.1, (hidden, 32 * heads))
        tensors[f"linear{end}1.bias"] = random.normal(0, 0.1, hidden)
        tensors[f"linear{end}2.weight"] = random.normal(0, 0.3, (1, hidden))
        tensors[f"linear{end}2.bias"] = np.array([last])
    return {name: value.astype(np.float32) for name, value in tensors.items()}


class FakeTensor:
    """A tensor as torch.save sees it: a strided window onto a storage."""

    def __init__(self, array, offset=3, channels_last=False):
        axes = (0, 2, 3, 1) if channels_last and array.ndim == 4 else tuple(range(array.ndim))
        dense = np.ascontiguousarray(array.transpose(axes))
        steps = [step // dense.itemsize for step in dense.strides]
        self.shape, self.offset = array.shape, offset
        self.strides = tuple(steps[axes.index(axis)] for axis in range(array.ndim))
        self.storage = np.concatenate([np.full(offset, 7, dense.dtype), dense.ravel()])


class CheckpointPickler(pickle.Pickler):
    """Writes tensors as torch does: a rebuild function and a persistent id for the storage."""

    def __init__(self, file):
        super().__init__(file, protocol=2)
        self.storages = []

    def persistent_id(self, obj):
        if not isinstance(obj, np.ndarray):
            return None
        self.storages.append(obj)
        key = str(len(self.storages) - 1)
        return ("storage", sys.modules["torch"].FloatStorage, key, "cuda:0", obj.size)

    def reducer_override(self, obj):
        if not isinstance(obj, FakeTensor):
            return NotImplemented
        arguments = (obj.storage, obj.offset, obj.shape, obj.strides, False, OrderedDict())
        return sys.modules["torch._utils"]._rebuild_tensor_v2, arguments


def write_checkpoint(path, content, order="little"):
    """Writes a PyTorch checkpoint without PyTorch."""

    def _rebuild_tensor_v2():
        raise AssertionError

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    fakes = {"torch": types.ModuleType("torch"), "torch._utils": types.ModuleType("torch._utils")}
    fakes["torch"].FloatStorage = type("FloatStorage", (), {"__module__": "torch"})
    fakes["torch._utils"]._rebuild_tensor_v2 = _rebuild_tensor_v2
    data = io.BytesIO()
    with pytest.MonkeyPatch.context() as patch:
        for name, module in fakes.items():
            patch.setitem(sys.modules, name, module)
        pickler = CheckpointPickler(data)
        pickler.dump(content)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", data.getvalue())
        archive.writestr("archive/byteorder", order)
        for key, storage in enumerate(pickler.storages):
            kind = "<f4" if order == "little" else ">f4"
            archive.writestr(f"archive/data/{key}", storage.astype(kind).tobytes())
    return path


def lightning(tensors, **options):
    state = OrderedDict((name, FakeTensor(value, **options)) for name, value in tensors.items())
    state._metadata = OrderedDict({"": {"version": 1}})
    return {"epoch": 3, "state_dict": state, "hyper_parameters": {"lr": 1e-3}, "loops": [None]}


def write(path, tensors):
    if path.suffix == ".npz":
        np.savez(path, **tensors)
    elif path.suffix == ".safetensors":
        save_file(tensors, path)
    else:
        write_checkpoint(path, lightning(tensors))
    return path
