"""Hands over parameters from one run to the next: each is copied, cloned or new."""

import dataclasses

import numpy as np

from srd_jax.networks.modules import Shapes, check_shapes, shapes_of
from srd_jax.networks.parameters import Parameters
from srd_jax.support.errors import InputError
from srd_jax.training.config import CloneConfig, StartConfig


@dataclasses.dataclass(frozen=True)
class HandOver:
    """Parameters to start from, and the origin of each.

    Attributes:
      parameters: all parameters of the starting network by name.
      copied: names of parameters that the other run has.
      cloned: clones, each with the names of its parameters.
      new: names of parameters drawn at random.
    """

    parameters: dict[str, np.ndarray]
    copied: tuple[str, ...]
    cloned: tuple[tuple[CloneConfig, tuple[str, ...]], ...]
    new: tuple[str, ...]

    @property
    def lines(self) -> list[str]:
        """The counts of copied, cloned and new parameters, in words."""
        lines = [f"copied: {_count(self.parameters, self.copied)}"]
        for clone, names in self.cloned:
            scale = "" if clone.scale == 1.0 else f", times {clone.scale:g}"
            lines.append(
                f"cloned: {clone.part} from {clone.source}{scale}: {_count(self.parameters, names)}"
            )
        if self.new:
            lines.append(f"new: {', '.join(self.new)}: {_count(self.parameters, self.new)}")
        return lines


def hand_over(
    found: Parameters,
    expected: Shapes,
    initial: Parameters,
    start: StartConfig,
    source: str,
) -> HandOver:
    """Returns the parameters that a run starts from, matched by name and shape.

    Args:
      found: parameters of the other run, by name.
      expected: shapes of the starting network's parameters, by name.
      initial: random parameters of the starting network, by name; read only for `start.new`.
      start: names the parts that are cloned or new.
      source: origin of `found`, for messages.

    Raises:
      InputError: a parameter is missing, extra or of another shape (all are named); or the other
        run doesn't lack a part that is to be cloned or new.
    """
    origin: dict[str, tuple[str, CloneConfig | None]] = {name: (name, None) for name in expected}
    lacking = [name for name in expected if name not in found]
    for clone in start.clones:
        for name in _parts(lacking, clone.part, source):
            origin[name] = (clone.source + name.removeprefix(clone.part), clone)
    new = [name for part in start.new for name in _parts(lacking, part, source)]
    taken = {name: origin[name] for name in expected if name not in new}
    pairs = [(name, other) for name, (other, _) in taken.items()]
    check_shapes(shapes_of(found), expected, source, pairs)
    parameters = {}
    for name in expected:
        if name in taken:
            other, clone = taken[name]
            value = np.asarray(found[other])
            parameters[name] = value if clone is None else value * np.float32(clone.scale)
        else:
            parameters[name] = np.asarray(initial[name])
    return HandOver(
        parameters,
        tuple(name for name, (_, clone) in taken.items() if clone is None),
        tuple(
            (clone, tuple(name for name, (_, made) in taken.items() if made is clone))
            for clone in start.clones
        ),
        tuple(new),
    )


def _parts(lacking: list[str], part: str, source: str) -> list[str]:
    """Returns the names in a part, all of which the other run must lack."""
    names = [name for name in lacking if name == part or name.startswith(f"{part}.")]
    if not names:
        raise InputError(
            f"{source}: config.start makes {part} anew, but the run to start from has it or the "
            f"network hasn't; accepted: a part among {', '.join(lacking) or 'none, all are copied'}"
        )
    return names


def _count(parameters: Parameters, names: tuple[str, ...]) -> str:
    numbers = sum(int(np.size(parameters[name])) for name in names)
    return f"{len(names)} parameters ({numbers:,} numbers)"
