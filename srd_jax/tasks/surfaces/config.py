"""Configures a run that learns the structure of cubic membranes: network, pictures, loss."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from srd_jax.support.errors import InputError
from srd_jax.support.fields import check_choice, check_number, choice, limited
from srd_jax.synthetic.surfaces.config import SurfacesConfig
from srd_jax.training.config import RunConfig, ValidationConfig

# Words for the losses by name; `losses.POSE` and `losses.ERROR` hold their functions.
POSE_LOSSES = {
    "soft": "cross entropy with shares that fall with the angle to the true orientation",
    "nearest": "cross entropy with the nearest cell of the grid",
    "focal": "focal loss with the same shares as soft",
}
ERROR_LOSSES = {
    "gaussian": "negative log likelihood of a normal distribution",
    "laplace": "negative log likelihood of a Laplace distribution",
    "student": "negative log likelihood of Student's t, 4 degrees of freedom",
}


@dataclasses.dataclass
class GridConfig:
    """The grid of orientations.

    Attributes:
      axes: of view of a cubic crystal; of a hexagonal one there are twice as many.
      turns: of the picture, over half a turn.
    """

    axes: int = limited(24, 1)
    turns: int = limited(48, 4)


@dataclasses.dataclass
class ModelConfig:
    """The network.

    Attributes:
      grid: of orientations; the spectrum has as many directions as the grid has turns.
      radii: of the spectrum.
      wavelengths: shortest and longest of the spectrum, px.
      spectrum_channels: of the levels that read the spectrum; each halves the radii.
      image_channels: of the levels that read the picture, the first one at half of its resolution;
        each other one halves its sides again.
      hidden: channels at a direction.
      group: channels that are normalised together; divides all others.
      initial_cell: cell that an untrained network predicts, px.
    """

    grid: GridConfig = dataclasses.field(default_factory=GridConfig)
    radii: int = limited(56, 1)
    wavelengths: tuple[float, float] = limited((4.0, 128.0), 2.0)
    spectrum_channels: tuple[int, ...] = (24, 40, 56)
    image_channels: tuple[int, ...] = (16, 32, 48, 64)
    hidden: int = limited(128, 1)
    group: int = limited(8, 1)
    initial_cell: float = limited(44.0, 1.0)

    def check(self, path: str) -> None:
        """Checks channels against groups, and radii against levels.

        Raises:
          InputError: they contradict each other.
        """
        for name in ("spectrum_channels", "image_channels"):
            if not getattr(self, name):
                raise InputError(f"{path}.{name} is empty; accepted: at least one level")
            for level, number in enumerate(getattr(self, name)):
                self._check_channels(f"{path}.{name}[{level}]", number, path)
        self._check_channels(f"{path}.hidden", self.hidden, path)
        levels = len(self.spectrum_channels)
        if self.radii % 2**levels:
            raise InputError(
                f"{path}.radii is {self.radii}; accepted: a multiple of {2**levels}, for {levels} "
                f"levels of {path}.spectrum_channels"
            )
        if self.wavelengths[0] >= self.wavelengths[1]:
            raise InputError(f"{path}.wavelengths is {self.wavelengths}; accepted: rising")

    def _check_channels(self, name: str, number: int, path: str) -> None:
        check_number(name, number, 1)
        if number % self.group:
            raise InputError(
                f"{name} is {number}; accepted: a multiple of {path}.group, {self.group}"
            )


@dataclasses.dataclass
class LossConfig:
    """The loss, a weighted sum; errors are those at cells of the grid near the true orientation.

    Attributes:
      pose: of kind and orientation, one of POSE_LOSSES; its weight is 1.
      error: of numbers with an sd, one of ERROR_LOSSES.
      spread_deg: sd of the shares that cells get by their angle to the true orientation, degrees.
      cell_weight: of the logarithm of the cell.
      fraction_weight: of the volume fraction.
      turn_weight: of the angle in the plane of the picture.
      tilt_weight: of the axis of view.
    """

    pose: str = choice("soft", POSE_LOSSES)
    error: str = choice("student", ERROR_LOSSES)
    spread_deg: float = limited(5.0, 0.1, 60.0)
    # Small, or else the orientation isn't learned: their gradients are far greater than its own.
    cell_weight: float = limited(0.1, 0.0)
    fraction_weight: float = limited(0.03, 0.0)
    turn_weight: float = limited(0.03, 0.0)
    tilt_weight: float = limited(0.02, 0.0)


@dataclasses.dataclass
class CubicMembranesConfig(RunConfig):
    """A run that learns kind, cell, volume fraction and orientation of cubic membranes.

    Attributes:
      size: rows and columns of training pictures, px.
      samples: along the beam, of drawn pictures.
      model: the network.
      source: of the pictures.
      loss: the loss.
      validation: its frame is the size of validation pictures.
    """

    kind: str = "surfaces"
    name: str = "surfaces"
    batch_size: int = limited(20, 1)
    size: int = limited(128, 8)
    samples: int = limited(32, 1)
    model: ModelConfig = dataclasses.field(default_factory=ModelConfig)
    source: SurfacesConfig = dataclasses.field(default_factory=SurfacesConfig)
    loss: LossConfig = dataclasses.field(default_factory=LossConfig)
    validation: ValidationConfig = dataclasses.field(
        default_factory=lambda: ValidationConfig(
            images=500, frame=(128, 128), batch_size=20, pictures=8
        )
    )

    def check(self, path: str) -> None:
        """Checks the sizes of pictures, and that no candidates are kept.

        Raises:
          InputError: a size isn't a multiple of 8, or candidates are kept.
        """
        super().check(path)
        sizes = {"size": self.size}
        sizes |= {f"validation.frame[{i}]": n for i, n in enumerate(self.validation.frame)}
        for name, size in sizes.items():
            if size % 8:
                raise InputError(f"{path}.{name} is {size}; accepted: a multiple of 8")
        if self.end.keeps:
            raise InputError(
                f"{path}.end keeps candidates, which this task can't compare; accepted: no "
                "keep_epochs and keep_minima 0"
            )


def of_preset(preset: str, presets: Mapping[str, Mapping[str, Any]]) -> CubicMembranesConfig:
    """Returns the config of a preset.

    Args:
      preset: its name.
      presets: fields of the config by preset.

    Raises:
      InputError: there is no such preset.
    """
    check_choice("preset", preset, tuple(presets))
    return CubicMembranesConfig(**presets[preset])
