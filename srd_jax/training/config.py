"""Configuration of a training run, whatever the task: its length, optimiser, start and end.

Fields stay mutable so that command-line flags can set them. Flags arrive after __post_init__, so
whoever runs a config calls `support.fields.checked` once.
"""

import dataclasses
import operator
import pathlib

from srd_jax.support.errors import InputError
from srd_jax.support.fields import choice, limited

CHECKPOINTS = ("best", "last")
PARAMETERS = ("averaged", "last")
SCHEDULES = ("constant", "cosine", "step")
PRECISIONS = ("default", "high", "highest")
OPTIMIZERS = ("adamw", "muon")


@dataclasses.dataclass
class OptimizerConfig:
    """An optimiser with gradient clipping and an exponential average of the parameters.

    Attributes:
      name: adamw, or muon for the convolutions' kernels with adamw for all other parameters.
      learning_rate: its peak.
      weight_decay: decoupled, times the learning rate.
      clip_norm: the gradient's global norm is clipped to it.
      schedule: constant, cosine (to zero at the end of the run) or step; each after the warm-up.
      warmup_steps: steps over which the rate rises linearly from zero.
      step_epochs: epochs at which the step schedule multiplies the rate by step_factor.
      step_factor: see step_epochs.
      average_decay: of the exponential average; less during the first steps.
    """

    name: str = choice("muon", OPTIMIZERS)
    learning_rate: float = limited(2e-3, 0.0)
    weight_decay: float = limited(0.01, 0.0)
    clip_norm: float = limited(1.0, 1e-12)
    schedule: str = choice("cosine", SCHEDULES)
    warmup_steps: int = limited(100, 0)
    step_epochs: tuple[int, ...] = (100, 150)
    step_factor: float = limited(0.1, 0.0)
    average_decay: float = limited(0.99, 0.0, 0.999999)

    def check(self, path: str) -> None:
        """Checks that the epochs of the step schedule rise; a repeated one would count once.

        Raises:
          InputError: they don't.
        """
        epochs = self.step_epochs
        if list(epochs) != sorted(set(epochs)) or any(epoch < 1 for epoch in epochs):
            raise InputError(f"{path}.step_epochs is {epochs}; accepted: rising, each at least 1")


@dataclasses.dataclass
class ValidationConfig:
    """A fixed set of images: drawn once from its own seed, or the crops that training leaves.

    Attributes:
      images: how many are drawn; of crops, `data.validation_share` decides.
      frame: rows and columns.
      seed: of drawn images.
      batch_size: images at once.
      every_epochs: epochs from one validation to the next.
      pictures: drawn at the end of the run, of the first images.
    """

    images: int = limited(102, 1)
    frame: tuple[int, int] = (476, 476)
    seed: int = limited(1_000_003, 0, 2**31 - 1)
    batch_size: int = limited(6, 1)
    every_epochs: int = limited(1, 1)
    pictures: int = limited(3, 0)

    def check(self, path: str) -> None:
        """Checks that the numbers of images fit each other.

        Raises:
          InputError: they don't.
        """
        check_divides(self, path, "batch_size", "images")
        if self.pictures > self.images:
            raise InputError(
                f"{path}.pictures is {self.pictures}, {path}.images is {self.images}: "
                "the first must not exceed the second"
            )


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
    checkpoint: str = choice("best", CHECKPOINTS)
    parameters: str = choice("averaged", PARAMETERS)
    clones: tuple[CloneConfig, ...] = ()
    new: tuple[str, ...] = ()

    def check(self, path: str) -> None:
        """Checks that parts are named only where there is a run to start from.

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
    """When a run ends before its last epoch, and which parameters it keeps to choose among.

    A run is judged by the task's score on the validation set, by the averaged parameters; without
    a validation set by the score in training, averaged over the last `smoothing_epochs`.

    Attributes:
      patience_epochs: the run ends after so many epochs without a better score; 0 for never.
      smoothing_epochs: see above.
      keep_epochs: epochs whose averaged parameters are kept.
      keep_minima: so many of the best local optima of the smoothed training score are kept too.
      unlabelled: folder of crops without known truth, which helps to choose; where it is empty,
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


@dataclasses.dataclass
class RunConfig:
    """One training run. An epoch is steps_per_epoch batches of batch_size examples.

    The config of a task extends it and names the task in its field `kind`.
    """

    kind: str = ""
    name: str = "run"
    seed: int = limited(0, 0, 2**31 - 1)
    batch_size: int = limited(16, 1)
    steps_per_epoch: int = limited(50, 1)
    epochs: int = limited(40, 1)
    log_every_steps: int = limited(10, 1)
    matmul_precision: str = choice("default", PRECISIONS)
    keep_checkpoints: int = limited(2, 1)
    optimizer: OptimizerConfig = dataclasses.field(default_factory=OptimizerConfig)
    validation: ValidationConfig = dataclasses.field(default_factory=ValidationConfig)
    start: StartConfig = dataclasses.field(default_factory=StartConfig)
    end: EndConfig = dataclasses.field(default_factory=EndConfig)

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return self.epochs * self.steps_per_epoch

    def check(self, path: str) -> None:
        """Checks the run's length against the intervals within it.

        Raises:
          InputError: two fields contradict each other.
        """
        if self.kind != type(self).kind:
            raise InputError(
                f"{path}.kind is {self.kind!r}; accepted: {type(self).kind!r} "
                "(the config file decides it)"
            )
        check_divides(self, path, "log_every_steps", "steps_per_epoch")
        if self.optimizer.warmup_steps >= self.steps:
            raise InputError(
                f"{path}.optimizer.warmup_steps is {self.optimizer.warmup_steps}, but the run has "
                f"{self.steps} steps (epochs x steps_per_epoch); the warm-up must be shorter"
            )


def check_divides(config: object, path: str, divisor: str, whole: str) -> None:
    """Checks that one field divides another.

    Raises:
      InputError: it doesn't.
    """
    small, large = operator.attrgetter(divisor, whole)(config)
    if large % small:
        raise InputError(
            f"{path}.{divisor} is {small}, {path}.{whole} is {large}: "
            "the first must divide the second"
        )


def start_workdir(config: RunConfig, workdir: pathlib.Path) -> pathlib.Path | None:
    """Returns the workdir, or the weights file, that a run starts from; None from scratch."""
    if config.start.workdir:
        return pathlib.Path(config.start.workdir)
    return workdir.absolute().parent / config.start.stage if config.start.stage else None
