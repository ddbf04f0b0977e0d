"""Compiles a training step for an H100 without having one, and lists what its kernels move.

    pip install 'jax[cuda13]'
    JAX_SKIP_CUDA_CONSTRAINTS_CHECK=1 JAX_PLATFORMS=cpu python benchmarks/without_device.py
      [--dtype bfloat16] [--batch 64] [--columns 476] [--drawing]

Shows which arrays are stored, how often they are read, and how long compiling takes, before a GPU
is at hand. Without one, no algorithm of a library can be tuned, so matrix products are cuBLAS's.

Needs: jax for CUDA (pip install 'jax[cuda13]'), no GPU.
Takes: about 2 min on 2 cores.
Writes: the kernels and their bytes to the terminal.
"""

import argparse
import math
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "on_device"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import jax
from jax.experimental import topologies
from jax.sharding import SingleDeviceSharding
from rates import config_of, noise

from srd_jax.support import compiling
from srd_jax.tasks.make import make_task
from srd_jax.tasks.period import model
from srd_jax.training import optimizer, steps

# Source: NVIDIA H100 Tensor Core GPU Architecture (white paper), in XLA's names.
H100 = """
gpu_device_info {
  threads_per_block_limit: 1024 threads_per_warp: 32 shared_memory_per_block: 49152
  shared_memory_per_core: 233472 threads_per_core_limit: 2048 core_count: 132 fpus_per_core: 128
  block_dim_limit_x: 2147483647 block_dim_limit_y: 65535 block_dim_limit_z: 65535
  memory_bandwidth: 3352320000000 l2_cache_size: 52428800 clock_rate_ghz: 1.98
  device_memory_size: 84978434048 shared_memory_per_block_optin: 232448
  cuda_compute_capability { major: 9 minor: 0 }
  registers_per_core_limit: 65536 registers_per_block_limit: 65536
}
platform_name: "CUDA"
dnn_version_info { major: 9 minor: 10 patch: 0 }
runtime_version { major: 13 minor: 0 }
device_description_str: "NVIDIA H100 80GB HBM3"
"""
OPTIONS = {"xla_gpu_enable_triton_gemm": False, "xla_gpu_autotune_level": 0}
BYTES = {"pred": 1, "s8": 1, "u8": 1, "bf16": 2, "f16": 2, "s32": 4, "u32": 4, "f32": 4, "s64": 8}
# Instructions of a compiled program that move nothing.
FREE = ("parameter", "get-tuple-element", "tuple", "bitcast", "constant")
INSTRUCTION = re.compile(r"^\s+(?:ROOT )?%(\S+) = (.*?) ([\w-]+)\((.*?)\)[,\n]", re.MULTILINE)


def compiled(dtype: str, batch: int, columns: int, drawing: bool) -> str:
    """Returns the compiled program of a training step as text."""
    # Some functions ask for the back end while they are traced.
    jax.default_backend = lambda: "gpu"
    device = topologies.get_topology_desc(
        platform="cuda", topology_name="h100", target_config=H100, topology="1x1x1"
    ).devices[0]
    config = config_of(dtype, batch, columns, smoke=False)
    task, update = make_task(config, pathlib.Path()), optimizer.make(config)

    def first():
        parameters = model.random_parameters(config.model, jax.random.key(0))
        state = steps.TrainState(
            jax.numpy.int32(0), parameters, parameters, update.init(parameters)
        )
        return state, noise(config), jax.random.key(0)

    def step(state, images, key):
        images = task.source.train((), state.step, key) if drawing else images
        return steps.train_step(config, task, update, state, images, key)

    placed = SingleDeviceSharding(device)
    arguments = jax.tree.map(
        lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=placed), jax.eval_shape(first)
    )
    lowered = jax.jit(step).trace(*arguments).lower(lowering_platforms=("cuda",))
    return lowered.compile(compiler_options=compiling._GPU_OPTIONS | OPTIONS).as_text()


def moved(program: str) -> list[tuple[int, str, str]]:
    """Returns the bytes that each instruction reads and writes, its kind and its results."""
    entry = program[program.index("ENTRY") :]
    found = INSTRUCTION.findall(entry)
    sizes = {name: size(shape) for name, shape, *_ in found}
    rows = []
    for name, shape, kind, operands in found:
        if kind not in FREE:
            read = sum(sizes.get(one, 0) for one in re.findall(r"%([\w.-]+)", operands))
            rows.append((read + sizes[name], name, shape))
    return sorted(rows, reverse=True)


def size(shape: str) -> int:
    """Returns the bytes of an array or of a tuple of arrays."""
    arrays = re.findall(r"(\w+)\[([\d,]*)\]", shape)
    return sum(
        BYTES.get(kind, 0) * math.prod(int(n) for n in lengths.split(",") if n)
        for kind, lengths in arrays
    )


def main() -> None:
    """Prints the compile time, the bytes of an image and the instructions that move most."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--dtype", default="bfloat16", help="bfloat16, tf32 or float32")
    parser.add_argument("--batch", type=int, default=64, help="%(default)s")
    parser.add_argument("--columns", type=int, default=476, help="%(default)s")
    parser.add_argument("--drawing", action="store_true", help="draws the images in the step")
    parser.add_argument("--shown", type=int, default=25, help="%(default)s")
    options = parser.parse_args()
    began = time.monotonic()
    program = compiled(options.dtype, options.batch, options.columns, options.drawing)
    print(f"compiled in {time.monotonic() - began:.0f} s")
    rows = moved(program)
    print(f"{sum(row[0] for row in rows) / options.batch / 1e6:.0f} MB an image, of which")
    for total, name, shape in rows[: options.shown]:
        print(f"{total / options.batch / 1e6:8.1f} MB  {name}  {shape[:70]}")


if __name__ == "__main__":
    main()
