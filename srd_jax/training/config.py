"""Configuration of how a stage of training begins and how it ends."""

import dataclasses

from srd_jax.support.errors import InputError
from srd_jax.support.fields import did_you_mean, limited

CHECKPOINTS = ("best", "last")
PARAMETERS = ("averaged", "last")


@dataclasses.dataclass
class CloneConfig:
    """A new part of the network that begins as a copy of another part.

    Attributes:
      part: name of the new part, a prefix of parameter names up to a dot.
      source: name of the part that is copied.
      scale: factor on each copied number.
    """

    part: str
    source: str
    scale: float = 1.0


@dataclasses.dataclass
class StartConfig:
    """Where the first parameters come from: another run's workdir, or scratch if both are empty.

    Attributes:
      workdir: of the run to start from, or a weights file, which has no other parameters than its
        own.
      stage: name of a workdir beside this run's own; used where `workdir` is empty.
      checkpoint: best or last.
      parameters: averaged or last (as the optimiser left them).
      clones: parts that the other run's network hasn't, copied from parts that it has.
      new: parts that the other run's network hasn't, drawn at random.
    """

    workdir: str = ""
    stage: str = ""
    checkpoint: str = "best"
    parameters: str = "averaged"
    clones: tuple[CloneConfig, ...] = ()
    new: tuple[str, ...] = ()


# The confidence branch as the reference makes it of the period's (GRANA: Bukat, Bukowicki et al.
# 2025, Plant Physiology kiaf212).
CONFIDENCE_CLONES = (
    CloneConfig("sd_pool", "period_pool"),
    CloneConfig("sd_regressor.hidden", "period_regressor.hidden"),
    CloneConfig("sd_regressor.output", "period_regressor.output", 0.1),
)


@dataclasses.dataclass
class EndConfig:
    """When a run ends before its last epoch, and which parameters it keeps to choose among.

    The error is the validation MAE of the averaged parameters; without a validation set it is the
    training MAE, averaged over the last `smoothing_epochs`.

    Attributes:
      patience_epochs: the run ends after so many epochs without a lower error; 0 for never.
      smoothing_epochs: see above.
      keep_epochs: epochs whose averaged parameters are kept.
      keep_minima: so many of the deepest local minima of the smoothed training MAE are kept too.
      unlabelled: folder of crops without known periods, which helps to choose; where it is empty,
        crops are drawn on first use into the folder `unlabelled` beside the run's workdir.
    """

    patience_epochs: int = limited(0, 0)
    smoothing_epochs: int = limited(10, 1)
    keep_epochs: tuple[int, ...] = ()
    keep_minima: int = limited(0, 0)
    unlabelled: str = ""

    @property
    def keeps(self) -> bool:
        """Whether parameters are kept to choose among."""
        return bool(self.keep_epochs or self.keep_minima)


def check_start(start: StartConfig, path: str) -> None:
    """Checks what the limits of single fields leave open.

    Raises:
      InputError: a value is none of its choices, or parts are named without a run to start from.
    """
    for name, choices in (("checkpoint", CHECKPOINTS), ("parameters", PARAMETERS)):
        value = getattr(start, name)
        if value not in choices:
            raise InputError(
                f"{path}.{name} is {value!r}; accepted: {', '.join(choices)}"
                + did_you_mean(value, choices)
            )
    if (start.clones or start.new) and not (start.workdir or start.stage):
        raise InputError(
            f"{path}.clones and {path}.new name parts, but {path}.workdir and {path}.stage are "
            "empty; accepted: a run to start from, or no parts (all are new then)"
        )
