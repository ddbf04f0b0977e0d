"""Configures a run that learns to find grana on micrographs: network, drawn tiles, loss."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from srd_jax.networks.receptive_field import multiple_of
from srd_jax.support.errors import InputError
from srd_jax.support.fields import check_choice, check_number, choice, limited
from srd_jax.synthetic.scenes.config import ScenesConfig
from srd_jax.training.config import RunConfig, ValidationConfig

# Words for the losses of granum or not, by name; `losses.GRANUM` holds their functions.
GRANUM_LOSSES = {
    "bce": "binary cross entropy",
    "dice": "Dice loss",
    "focal": "focal loss",
    "tversky": "Tversky loss, a missed px counts more than a wrong one",
    "bce_dice": "binary cross entropy and Dice loss",
    "bce_tversky": "binary cross entropy and Tversky loss",
    "focal_dice": "focal and Dice loss",
    "bce_dice_focal": "binary cross entropy, Dice loss and 0.15 focal loss",
}
DIRECTION_LOSSES = ("vector", "cosine")


@dataclasses.dataclass
class ModelConfig:
    """The network.

    Attributes:
      channels: of each level of the U-Net, from the finest, which is only encoded.
      group: channels that are normalised together; divides the channels of all coarser levels.
      initial_period: period that an untrained network predicts, px of the tile.
    """

    channels: tuple[int, ...] = (16, 24, 48, 96, 128)
    group: int = limited(8, 1)
    initial_period: float = limited(8.0, 1.0)

    @property
    def multiple(self) -> int:
        """The number of px that divides the sides of a tile."""
        return multiple_of(len(self.channels))

    def check(self, path: str) -> None:
        """Checks the channels of the levels.

        Raises:
          InputError: there are fewer than two levels, or groups don't divide the channels.
        """
        if len(self.channels) < 2:
            raise InputError(
                f"{path}.channels is {self.channels}; accepted: at least two levels of channels"
            )
        for level, number in enumerate(self.channels):
            check_number(f"{path}.channels[{level}]", number, 1)
            if level and number % self.group:
                raise InputError(
                    f"{path}.channels[{level}] is {number}; accepted: a multiple of "
                    f"{path}.group, {self.group}"
                )


@dataclasses.dataclass
class LossConfig:
    """The loss, a weighted sum.

    Attributes:
      granum: of granum or not, one of GRANUM_LOSSES; its weight is 1.
      direction: vector (squared error of the doubled direction's cosine and sine, so that the
        length of a predicted one is its confidence) or cosine (1 − cosine of the error).
      distance_weight: of the distance to the outline.
      direction_weight: of the direction.
      period_weight: of the period's logarithm.
    """

    granum: str = choice("bce_dice", GRANUM_LOSSES)
    direction: str = choice("vector", DIRECTION_LOSSES)
    distance_weight: float = limited(2.0, 0.0)
    direction_weight: float = limited(1.0, 0.0)
    period_weight: float = limited(2.0, 0.0)


@dataclasses.dataclass
class MicrographsConfig(RunConfig):
    """A run that learns to find grana on micrographs, with direction and period of their lamellae.

    Attributes:
      size: rows and columns of training tiles, px.
      model: the network.
      source: of the tiles.
      loss: the loss.
      validation: its frame is the size of validation tiles.
    """

    kind: str = "micrographs"
    name: str = "micrographs"
    batch_size: int = limited(8, 1)
    size: int = limited(256, 1)
    model: ModelConfig = dataclasses.field(default_factory=ModelConfig)
    source: ScenesConfig = dataclasses.field(default_factory=ScenesConfig)
    loss: LossConfig = dataclasses.field(default_factory=LossConfig)
    validation: ValidationConfig = dataclasses.field(
        default_factory=lambda: ValidationConfig(
            images=64, frame=(256, 256), batch_size=8, pictures=8
        )
    )

    def check(self, path: str) -> None:
        """Checks the sizes of tiles against the network, and that no candidates are kept.

        Raises:
          InputError: two fields contradict each other.
        """
        super().check(path)
        rows, columns = self.validation.frame
        if rows != columns:
            raise InputError(
                f"{path}.validation.frame is {rows}x{columns}; accepted: as many rows as columns"
            )
        for name, size in (("size", self.size), ("validation.frame", rows)):
            if size % self.model.multiple:
                raise InputError(
                    f"{path}.{name} is {size}; accepted: a multiple of {self.model.multiple}, for "
                    f"{len(self.model.channels)} levels of {path}.model.channels"
                )
        if self.end.keeps:
            raise InputError(
                f"{path}.end keeps candidates, which this task can't compare; accepted: no "
                "keep_epochs and keep_minima 0"
            )


def of_preset(preset: str, presets: Mapping[str, Mapping[str, Any]]) -> MicrographsConfig:
    """Returns the config of a preset.

    Args:
      preset: its name.
      presets: fields of the config by preset.

    Raises:
      InputError: there is no such preset.
    """
    check_choice("preset", preset, tuple(presets))
    return MicrographsConfig(**presets[preset])
