"""Configures drawn projections of cubic membranes by the ranges of their random properties."""

import dataclasses

from srd_jax.support.fields import check_choice, limited
from srd_jax.synthetic.config import Range
from srd_jax.synthetic.surfaces.names import KINDS


@dataclasses.dataclass
class LookConfig:
    """Ranges of what specimen, microscope and file make of a projection.

    Attributes:
      strain: largest relative stretch along one direction, by as much less across it.
      bent: sd of the displacement of distorted lattices, cells; (0, 0) for none.
      bent_scale: over which it changes, cells.
      domains: share of pictures in which a second domain begins.
      overlaid: share of pictures on which another domain lies at the same place of the section.
      fade: largest share of the contrast that patches lose.
      absorption: of all membrane along the thickest column, as -ln of the transmitted share.
      blur: sd of the point spread, px.
      mean: grey level.
      contrast: sd of the pattern, grey levels of 255, uniform in the logarithm.
      noise: sd of the noise over that of the pattern, uniform in the logarithm.
      shading: sd of slow changes of the grey value over that of the pattern.
      slope: largest linear change of the grey value across the picture, over the pattern's sd.
      plastoglobules: fewest and most, dark round drops.
      plastoglobule_radius: nm.
      specks: fewest and most grains of stain.
      bounded: share of pictures in which the lattice ends.
      edges: share of pictures that the edge of the section crosses.
      masked: share of pictures with a mask; others count as a whole.
      ragged: sd of the mask's outline, px.
      jpeg: share that were JPEG files.
    """

    strain: float = limited(0.03, 0.0, 0.3)
    bent: Range = limited((0.0, 0.05), 0.0, 0.5)
    bent_scale: Range = limited((1.5, 5.0), 0.5)
    domains: float = limited(0.15, 0.0, 1.0)
    overlaid: float = limited(0.1, 0.0, 1.0)
    fade: float = limited(0.6, 0.0, 1.0)
    absorption: Range = limited((0.05, 2.5), 0.001)
    blur: Range = limited((0.4, 2.0), 0.05, 8.0)
    mean: Range = limited((70.0, 175.0), 0.0, 255.0)
    contrast: Range = limited((7.0, 45.0), 0.1, 128.0)
    noise: Range = limited((0.12, 1.3), 0.001)
    shading: Range = limited((0.0, 0.8), 0.0)
    slope: float = limited(2.0, 0.0)
    plastoglobules: tuple[int, int] = limited((0, 4), 0, 16)
    plastoglobule_radius: Range = limited((12.0, 45.0), 1.0)
    specks: tuple[int, int] = limited((0, 12), 0, 64)
    bounded: float = limited(0.3, 0.0, 1.0)
    edges: float = limited(0.06, 0.0, 1.0)
    masked: float = limited(0.5, 0.0, 1.0)
    ragged: Range = limited((0.0, 3.0), 0.0)
    jpeg: float = limited(0.25, 0.0, 1.0)


@dataclasses.dataclass
class SurfacesConfig:
    """Ranges of drawn projections of cubic membranes.

    Attributes:
      kinds: of the surfaces; pictures take them in turn, one that stands twice gets twice as many.
      cell: edge a of the unit cell, nm; see `levels` for its convention.
      fraction: of the smaller channel in the volume; the sign of the level is drawn.
      wall: full width of the membrane, nm.
      thickness: of the section, nm.
      edge: sd of the membrane's soft edges, nm.
      filling: density of the channel over the membrane's.
      filled: share of pictures with such a density.
      px_nm: nm a pixel, uniform in the logarithm.
      look: see `LookConfig`.
    """

    kinds: tuple[str, ...] = KINDS
    cell: Range = limited((60.0, 100.0), 5.0)
    fraction: Range = limited((0.1, 0.5), 0.02, 0.5)
    wall: Range = limited((5.0, 10.0), 0.5)
    thickness: Range = limited((40.0, 110.0), 1.0)
    edge: Range = limited((0.7, 2.5), 0.1)
    filling: Range = limited((-0.15, 0.3), -1.0, 1.0)
    filled: float = limited(0.5, 0.0, 1.0)
    px_nm: Range = limited((1.2, 2.5), 0.05)
    look: LookConfig = dataclasses.field(default_factory=LookConfig)

    def check(self, path: str) -> None:
        """Checks the kinds.

        Args:
          path: name of this config in messages.

        Raises:
          InputError: none is given, or one is unknown.
        """
        for i, kind in enumerate(self.kinds or ("",)):
            check_choice(f"{path}.kinds[{i}]", kind, KINDS)
