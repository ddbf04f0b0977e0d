"""Counts operations and bytes of one training image: by hand, and as the compiler does.

python benchmarks/cost.py [--batch 4] [--columns 476]

By hand, each convolution with what follows it (bias, ReLU or max-pool) reads and writes memory
once: forward its input and output; backward the gradient of its output, what decides where that
goes (the ReLU's output, a byte for each maximum) and its input, and it writes the gradient of its
input. The compiler counts every array that one of its kernels reads or writes, in the program for
the device at hand. A CPU computes bfloat16 in float32; GPU libraries' work isn't counted.

Needs: the package alone.
Takes: about 2 min on 2 cores.
Writes: a table to the terminal.
"""

import argparse
import pathlib
import sys
from typing import NamedTuple

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "on_device"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import jax
from rates import config_of, training

from srd_jax.tasks.period.config import EncoderConfig, ModelConfig

SIZES = {"float32": 4, "bfloat16": 2}  # bytes of a number


class Layer(NamedTuple):
    """A convolution with what follows it; shapes are (rows, columns, channels) of an image."""

    kernel: int
    taken: tuple[int, int, int]
    convolved: tuple[int, int, int]
    given: tuple[int, int, int]


def layers(config: EncoderConfig, frame: tuple[int, int]) -> list[Layer]:
    """Returns the layers of an encoder."""
    found, shape = [], (*frame, 1)
    for block in config.blocks:
        for position in range(block.convolutions):
            rows, columns = (size - block.kernel + 1 for size in shape[:2])
            convolved = given = rows, columns, config.channels
            if position == block.convolutions - 1:
                given = rows // block.pool[0], columns // block.pool[1], config.channels
            found.append(Layer(block.kernel, shape, convolved, given))
            shape = given
    return found


def size(shape: tuple[int, int, int]) -> int:
    """Returns the number of values."""
    return shape[0] * shape[1] * shape[2]


def forward_operations(layer: Layer) -> int:
    """Returns multiplications and additions of a convolution."""
    return 2 * layer.kernel**2 * layer.taken[2] * size(layer.convolved)


def training_operations(found: list[Layer]) -> int:
    """Returns the operations of forward pass and both gradients; the image needs no gradient."""
    forward = [forward_operations(layer) for layer in found]
    return 3 * sum(forward) - forward[0]


def training_bytes(found: list[Layer], number: int) -> int:
    """Returns the bytes read and written, for numbers of `number` bytes."""
    total = 0
    for i, layer in enumerate(found):
        taken, given = number * size(layer.taken), number * size(layer.given)
        choice = given if layer.given == layer.convolved else size(layer.given)
        total += (taken + given) + (given + choice + taken) + (taken if i else 0)
        total += choice if layer.given != layer.convolved else 0  # written in the forward pass
    return total


def compiled(dtype: str, batch: int, columns: int) -> tuple[float, float]:
    """Returns operations and bytes of an image that the compiler counts in a training step."""
    program, _ = training(config_of(dtype, batch, columns, smoke=False))
    cost = program.cost_analysis()
    return cost.get("flops", 0.0) / batch, cost.get("bytes accessed", 0.0) / batch


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--batch", type=int, default=4, help="%(default)s")
    parser.add_argument("--columns", type=int, default=476, help="%(default)s")
    options = parser.parse_args()
    found = layers(ModelConfig().encoder, (476, options.columns))
    forward = sum(map(forward_operations, found)) / 1e9
    print(f"{jax.devices()[0].device_kind}, jax {jax.__version__}, batch {options.batch}")
    print(f"forward pass by hand: {forward:.2f} GFLOP an image of {options.columns} columns")
    print("| training | GFLOP by hand | compiled | MB by hand | compiled |\n|---|---|---|---|---|")
    for dtype, number in SIZES.items():
        operations, moved = compiled(dtype, options.batch, options.columns)
        hand = training_operations(found) / 1e9, training_bytes(found, number) / 1e6
        print(
            f"| {dtype} | {hand[0]:.2f} | {operations / 1e9:.2f} | {hand[1]:.0f} | "
            f"{moved / 1e6:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
