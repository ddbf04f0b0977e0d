"""Micrographs of striped grana whose outlines, directions and periods are known."""

import dataclasses

import numpy as np

from srd_jax.analysis.maps import Maps
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.synthetic.scenes.batch import REACH_NM


@dataclasses.dataclass(frozen=True)
class Stack:
    """A rectangular granum; px, degrees counter-clockwise from the horizontal as seen."""

    x: float
    y: float
    width: float
    height: float
    direction: float
    period: float


def own(stack, x, y):
    """Coordinates along and across the lamellae of a granum."""
    turn = np.deg2rad(stack.direction)
    right, down = x - stack.x, y - stack.y
    return right * np.cos(turn) - down * np.sin(turn), right * np.sin(turn) + down * np.cos(turn)


def depth(stack, x, y):
    """The distance to the outline, positive inside."""
    along, across = own(stack, x, y)
    return np.minimum(stack.width / 2 - abs(along), stack.height / 2 - abs(across))


def drawn(stacks, shape=(400, 500), px_per_nm=0.67, noise=0.05, seed=0):
    """A micrograph in 8 bits."""
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    grey = np.full(shape, 0.6)
    for stack in stacks:
        _, across = own(stack, x, y)
        dark = np.exp(-((np.sin(np.pi * across / stack.period) / 0.5) ** 2))
        grey = np.where(depth(stack, x, y) > 0, 0.6 - 0.3 * dark, grey)
    grey += np.random.default_rng(seed).normal(0, noise, shape)
    grey = np.clip(np.round(255 * grey), 0, 255).astype(np.uint8)
    return Micrograph("drawn.png", grey, px_per_nm, "given")


def true_maps(stacks, shape=(400, 500), px_per_nm=0.67, scale=0.3):
    """The maps that a perfect detector would return, soft at the outlines."""
    rows, columns = (round(length * scale) for length in shape)
    y, x = (np.mgrid[:rows, :columns] + 0.5) / scale
    reach = REACH_NM * px_per_nm
    found = np.zeros((5, rows, columns), np.float32)
    found[4] = np.log(10)
    for stack in stacks:
        near = depth(stack, x, y)
        soft = 1 / (1 + np.exp(np.clip(-near * scale * 2, -60, 60)))
        better = soft > found[0]
        turn = 2 * np.deg2rad(stack.direction)
        values = (soft, np.clip(near / reach, 0, 1), np.cos(turn), np.sin(turn))
        for index, value in enumerate((*values, np.log(stack.period))):
            found[index] = np.where(better & (soft > 0.05), value, found[index])
    return Maps(*found, scale=scale)
