"""Configures a training run of any task: its length, optimiser, validation, start and end.

Fields are mutable, so that command-line flags can set them. Flags set them after __post_init__, so
a function that runs a config first calls `support.fields.checked`.
"""

import dataclasses
import math
import pathlib

from srd_jax.support.errors import InputError
from srd_jax.support.fields import choice, limited

_CHECKPOINTS = ("best", "last")
_PARAMETERS = ("averaged", "last")
_SCHEDULES = ("constant", "cosine", "step")
_PRECISIONS = ("default", "high", "highest")
_OPTIMIZERS = ("adamw", "muon")


@dataclasses.dataclass
class OptimizerConfig:
    """The optimiser, its learning rate, and the exponential average of the parameters.

    Attributes:
      name: adamw, or muon for the convolutions' kernels with adamw for all other parameters.
      learning_rate: peak of the learning rate.
      weight_decay: decoupled weight decay, times the learning rate.
      clip_norm: greatest global norm of the gradient; a longer gradient is clipped to it.
      schedule: constant, cosine (to zero at the end of the run) or step; each after the warm-up.
      warmup_steps: steps over which the rate rises linearly from zero.
      step_epochs: epochs at which the step schedule multiplies the rate by step_factor.
      step_factor: see step_epochs.
      average_decay: decay of the exponential average; it is smaller during the first steps.
    """

    name: str = choice("muon", _OPTIMIZERS)
    learning_rate: float = limited(2e-3, 0.0)
    weight_decay: float = limited(0.01, 0.0)
    clip_norm: float = limited(1.0, 1e-12)
    schedule: str = choice("cosine", _SCHEDULES)
    warmup_steps: int = limited(100, 0)
    step_epochs: tuple[int, ...] = (100, 150)
    step_factor: float = limited(0.1, 0.0)
    average_decay: float = limited(0.99, 0.0, 0.999999)

    def check(self, path: str) -> None:
        """Checks that the step schedule's epochs rise; a repeated one would count only once.

        Raises:
          InputError: they don't.
        """
        epochs = self.step_epochs
        if list(epochs) != sorted(set(epochs)) or any(epoch < 1 for epoch in epochs):
            raise InputError(f"{path}.step_epochs is {epochs}; accepted: rising, each at least 1")


@dataclasses.dataclass
class ValidationConfig:
    """The fixed validation set: images drawn from their own seed, or crops kept from training.

    Attributes:
      images: number of drawn images; the number of crops follows from `data.validation_share`.
      frame: rows and columns of an image.
      seed: of drawn images.
      batch_size: images at once.
      every_epochs: epochs from one validation to the next.
      pictures: number of images of which figures are drawn at the end of the run.
    """

    images: int = limited(102, 1)
    frame: tuple[int, int] = (476, 476)
    seed: int = limited(1_000_003, 0, 2**31 - 1)
    batch_size: int = limited(6, 1)
    every_epochs: int = limited(1, 1)
    pictures: int = limited(3, 0)

    def check(self, path: str) -> None:
        """Checks images against batch_size and pictures.

        Raises:
          InputError: they contradict each other.
        """
        _check_divides(self, path, "batch_size", "images")
        if self.pictures > self.images:
            raise InputError(
                f"{path}.pictures is {self.pictures}, {path}.images is {self.images}: "
                "the first must not exceed the second"
            )


@dataclasses.dataclass
class CloneConfig:
    """A new part of the network that starts as a copy of another part.

    Attributes:
      part: name of the new part, a prefix of parameter names up to a dot.
      source: name of the copied part.
      scale: factor on the copied parameters.
    """

    part: str
    source: str
    scale: float = limited(1.0, -math.inf)


@dataclasses.dataclass
class StartConfig:
    """The run whose parameters a run starts from; without workdir and stage it starts from scratch.

    Attributes:
      workdir: of the run to start from; or a weights file, where checkpoint and parameters are
        ignored.
      stage: name of a workdir beside the run's own; used where `workdir` is empty.
      checkpoint: best or last.
      parameters: averaged, or last for the parameters as the optimiser left them.
      clones: parts that the other network lacks, copied from parts that it has.
      new: parts that the other network lacks, drawn at random.
    """

    workdir: str = ""
    stage: str = ""
    checkpoint: str = choice("best", _CHECKPOINTS)
    parameters: str = choice("averaged", _PARAMETERS)
    clones: tuple[CloneConfig, ...] = ()
    new: tuple[str, ...] = ()

    def check(self, path: str) -> None:
        """Checks that clones and new parts are named only where there is a run to start from.

        Raises:
          InputError: there is none.
        """
        if (self.clones or self.new) and not (self.workdir or self.stage):
            raise InputError(
                f"{path}.clones and {path}.new name parts, but {path}.workdir and {path}.stage "
                "are empty; accepted: a run to start from, or no parts (all are new then)"
            )


@dataclasses.dataclass
class EndConfig:
    """Early stopping, and the parameters that are kept as candidates.

    Early stopping follows the validation score of the averaged parameters. Without held-out
    examples, it follows the training score, averaged over the last `smoothing_epochs`.

    Attributes:
      patience_epochs: epochs without a better score after which the run ends; 0 for never.
      smoothing_epochs: see above.
      keep_epochs: epochs whose averaged parameters are kept.
      keep_minima: number of best local optima of the smoothed training score that are kept too.
      unlabelled: folder of crops without known truth that candidates are compared on; where it is
        empty, crops are drawn on first use into the folder `unlabelled` beside the run's workdir.
    """

    patience_epochs: int = limited(0, 0)
    smoothing_epochs: int = limited(10, 1)
    keep_epochs: tuple[int, ...] = ()
    keep_minima: int = limited(0, 0)
    unlabelled: str = ""

    @property
    def keeps(self) -> bool:
        """Whether candidates are kept."""
        return bool(self.keep_epochs or self.keep_minima)


@dataclasses.dataclass
class RunConfig:
    """A training run. An epoch is steps_per_epoch batches of batch_size examples.

    The config of a task extends this class and names the task in its field `kind`.
    """

    kind: str = ""
    name: str = "run"
    seed: int = limited(0, 0, 2**31 - 1)
    batch_size: int = limited(16, 1)
    steps_per_epoch: int = limited(50, 1)
    epochs: int = limited(40, 1)
    log_every_steps: int = limited(10, 1)
    matmul_precision: str = choice("default", _PRECISIONS)
    keep_checkpoints: int = limited(2, 1)
    optimizer: OptimizerConfig = dataclasses.field(default_factory=OptimizerConfig)
    validation: ValidationConfig = dataclasses.field(default_factory=ValidationConfig)
    start: StartConfig = dataclasses.field(default_factory=StartConfig)
    end: EndConfig = dataclasses.field(default_factory=EndConfig)

    @property
    def steps(self) -> int:
        """The number of steps of the whole run."""
        return self.epochs * self.steps_per_epoch

    def check(self, path: str) -> None:
        """Checks the run's length against the logging interval and the warm-up.

        Raises:
          InputError: two fields contradict each other.
        """
        if self.kind != type(self).kind:
            raise InputError(
                f"{path}.kind is {self.kind!r}; accepted: {type(self).kind!r} "
                "(the config file decides it)"
            )
        _check_divides(self, path, "log_every_steps", "steps_per_epoch")
        if self.optimizer.warmup_steps >= self.steps:
            raise InputError(
                f"{path}.optimizer.warmup_steps is {self.optimizer.warmup_steps}, but the run has "
                f"{self.steps} steps (epochs x steps_per_epoch); the warm-up must be shorter"
            )


def _check_divides(config: object, path: str, divisor: str, whole: str) -> None:
    """Checks that one field divides another.

    Raises:
      InputError: it doesn't.
    """
    small, large = getattr(config, divisor), getattr(config, whole)
    if large % small:
        raise InputError(
            f"{path}.{divisor} is {small}, {path}.{whole} is {large}: "
            "the first must divide the second"
        )


def start_workdir(config: RunConfig, workdir: pathlib.Path) -> pathlib.Path | None:
    """Returns the workdir or weights file that a run starts from, or None for from scratch."""
    if config.start.workdir:
        return pathlib.Path(config.start.workdir)
    return workdir.absolute().parent / config.start.stage if config.start.stage else None
