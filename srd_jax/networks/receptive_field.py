"""Computes the receptive field of a convolutional encoder, and the frames that fit its grid.

All lengths are in px of the frame, as (rows, columns).
"""

import dataclasses
import itertools
import math

from srd_jax.support.errors import InputError

Size = tuple[int, int]


@dataclasses.dataclass(frozen=True)
class Block:
    """Consecutive VALID convolutions, then one max-pool whose stride is its window."""

    convolutions: int
    pool: Size
    kernel: int = 3


@dataclasses.dataclass(frozen=True)
class Geometry:
    """Receptive field of one position of the grid, and stride from one position to the next."""

    receptive_field: Size
    stride: Size

    def grid(self, height: int, width: int) -> Size:
        """Returns the number of positions (rows, columns) that a frame gives.

        Raises:
          InputError: the frame leaves a remainder; the message names the nearest two frames that
            leave none.
        """
        if not self.aligns(height, width):
            nearest = " and ".join(f"{h}x{w}" for h, w in self.nearest_aligned(height, width))
            raise InputError(
                f"frame {height}x{width} does not align with the receptive field "
                f"{self.receptive_field[0]}x{self.receptive_field[1]} at stride "
                f"{self.stride[0]}x{self.stride[1]}; the nearest frames that do: {nearest}"
            )
        rows, columns = (
            (size - field) // stride + 1
            for size, field, stride in zip(
                (height, width), self.receptive_field, self.stride, strict=True
            )
        )
        return rows, columns

    def aligns(self, height: int, width: int) -> bool:
        """Tells whether the grid covers a frame without remainder."""
        return all(
            size >= field and (size - field) % stride == 0
            for size, field, stride in zip(
                (height, width), self.receptive_field, self.stride, strict=True
            )
        )

    def nearest_aligned(self, height: int, width: int) -> tuple[Size, Size]:
        """Returns the two aligned frames nearest to a frame (Euclidean distance), nearest first."""
        candidates = itertools.product(
            self._aligned_lengths(height, axis=0), self._aligned_lengths(width, axis=1)
        )
        first, second, *_ = sorted(
            candidates, key=lambda frame: math.hypot(frame[0] - height, frame[1] - width)
        )
        return first, second

    def _aligned_lengths(self, size: int, axis: int) -> tuple[int, ...]:
        field, stride = self.receptive_field[axis], self.stride[axis]
        below = max(0, (size - field) // stride)
        return tuple(field + n * stride for n in range(max(0, below - 1), below + 3))


def geometry_of(blocks: tuple[Block, ...]) -> Geometry:
    """Returns the geometry of an encoder from its blocks.

    The recurrence is r ← r + (k − 1)·s for a layer of window k at stride s, and s ← s·k after a
    pool (Araujo, Norris and Sim 2019, "Computing receptive fields of convolutional neural
    networks", doi:10.23915/distill.00021).
    """
    field, stride = [1, 1], [1, 1]
    for block in blocks:
        for axis in range(2):
            field[axis] += block.convolutions * (block.kernel - 1) * stride[axis]
            field[axis] += (block.pool[axis] - 1) * stride[axis]
            stride[axis] *= block.pool[axis]
    return Geometry(receptive_field=(field[0], field[1]), stride=(stride[0], stride[1]))


def multiple_of(levels: int) -> int:
    """Returns the number of px that divides the sides of an image for so many levels of a U-Net."""
    return 2 ** (levels - 1)
