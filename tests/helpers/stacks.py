"""Drawn stacks of a known number of layers, for the tests of counting and tracing."""

import numpy as np


def phase_of(shape, period, tilt=0.0, bend=0.0, stretch=0.0, start=0.0):
    """Returns a phase in turns, (rows, columns), that grows by 1 from membrane to membrane.

    Args:
      shape: rows and columns.
      period: vertical distance of membranes in the middle, px.
      tilt: slope of the membranes, rows per column.
      bend: height of a wave of the membranes along the columns, px.
      stretch: relative change of the distance from the first row to the last.
      start: phase in the middle.
    """
    rows, columns = (np.arange(size) - (size - 1) / 2 for size in shape)
    down = rows[:, None] - tilt * columns - bend * np.sin(2 * np.pi * columns / shape[1])
    return start + down / period * (1 + stretch * down / shape[0])


def membranes_at(phase, noise=0.0, width=0.12, seed=0):
    """Returns grey values 0..1 with a dark membrane at each whole turn of a phase."""
    away = phase - np.round(phase)
    grey = 0.7 - 0.4 * np.exp(-((away / width) ** 2) / 2)
    return np.clip(grey + np.random.default_rng(seed).normal(0, noise, phase.shape), 0, 1)


def stack(layers, period, columns=200, noise=0.0, margin=0.0, seed=0, **course):
    """Draws a granum of a number of layers between its first and last membrane.

    Args:
      layers, period: their number, and their distance in px.
      columns: width, px.
      noise, seed: of the grey values.
      margin: sd of the mask's upper and lower edge about the outer membranes, periods.
      course: see `phase_of`.

    Returns:
      Grey values, mask, and the phase: 0 at the first membrane, `layers` at the last.
    """
    shape = (round((layers + 4) * period), columns)
    phase = phase_of(shape, period, start=layers / 2, **course)
    top, bottom = margin * np.random.default_rng(seed + 1000).normal(size=2)
    mask = (phase >= top) & (phase <= layers + bottom)
    return membranes_at(phase, noise, seed=seed), mask, phase
