"""Configures drawn micrographs by the ranges of their random properties; lengths in nm."""

import dataclasses

from srd_jax.support.fields import limited
from srd_jax.synthetic.config import Range


@dataclasses.dataclass
class StacksConfig:
    """Ranges of the grana of a chloroplast.

    Attributes:
      density: share of places in a chloroplast that have a granum.
      lamellae: fewest and most thylakoids, uniform in the logarithm.
      width: of a granum, uniform in the logarithm.
      period: distance of its lamellae, nm.
      period_spread: relative sd of the period from granum to granum of a micrograph.
      turned: share of grana whose direction isn't their surroundings'.
      tilt: sd of the direction around the surroundings', degrees.
      curve: largest curvature of the lamellae, 1 / nm.
      fan: largest relative change of the period along the lamellae.
      oblique: share of grana cut obliquely, whose lamellae blur out.
      touching: share of grana that touch another one.
      darker: mean and sd of how much darker than the stroma a granum is, in units of its stripes.
      stripes: amplitude of the stripes, grey levels of 255, uniform in the logarithm.
      membrane: sd of a membrane's dark line, nm.
      apart: share of micrographs whose two membranes a thylakoid lie well apart.
    """

    density: Range = limited((0.15, 0.9), 0.0, 1.0)
    lamellae: Range = limited((3.0, 32.0), 2.0, 60.0)
    width: Range = limited((120.0, 800.0), 50.0)
    period: Range = limited((14.0, 28.0), 8.0)
    period_spread: float = limited(0.05, 0.0, 0.5)
    turned: float = limited(0.15, 0.0, 1.0)
    tilt: float = limited(6.0, 0.0, 90.0)
    curve: float = limited(6e-4, 0.0, 0.01)
    fan: float = limited(0.1, 0.0, 1.0)
    oblique: float = limited(0.3, 0.0, 1.0)
    touching: float = limited(0.25, 0.0, 1.0)
    darker: tuple[float, float] = (1.0, 0.8)
    stripes: Range = limited((9.0, 48.0), 0.1, 255.0)
    membrane: Range = limited((2.2, 4.2), 0.5)
    apart: float = limited(0.15, 0.0, 1.0)


@dataclasses.dataclass
class ScenesConfig:
    """Ranges of drawn micrographs.

    Attributes:
      stacks: of the grana.
      without: share of micrographs that show no granum.
      long_axis, short_axis: of a chloroplast, half lengths.
      stroma_lamellae: share of the stroma that single thylakoids cross.
      bundles: share of the stroma that bundles of thylakoids cross; they are no grana.
      bundle_distance: of a bundle's thylakoids, in periods of the grana.
      strain: largest relative change of lengths by the knife's compression.
      px_per_nm: scale of whole micrographs, uniform in the logarithm.
      size: rows and columns of whole micrographs, px.
      mean: grey level of the stroma.
      spread: sd of the grey levels of the other parts around it.
      noise: sd of the noise over the stripes' amplitude, at the working scale, uniform in the
        logarithm.
      noise_sd: limits of the noise's sd, grey levels.
      defocus: sd of the blur, nm, uniform in the logarithm.
      coarse: share of micrographs so coarse or unsharp that lamellae can't be seen; grana count
        there if they are dark.
      coarse_blur: sd of the blur of these, nm.
      dark: how much darker than the stroma they are then, over the noise's sd.
      visible: amplitude of the stripes over the noise's sd, after the blur, from which grana count.
      marked: share of micrographs with folds, knife marks or burnt-in marks, for each of them.
      jpeg: share that were JPEG files.
    """

    stacks: StacksConfig = dataclasses.field(default_factory=StacksConfig)
    without: float = limited(0.1, 0.0, 1.0)
    long_axis: Range = limited((900.0, 3200.0), 200.0)
    short_axis: Range = limited((500.0, 1500.0), 200.0)
    stroma_lamellae: Range = limited((0.1, 0.9), 0.0, 1.0)
    bundles: Range = limited((0.1, 0.8), 0.0, 1.0)
    bundle_distance: Range = limited((1.5, 3.2), 1.0)
    strain: float = limited(0.14, 0.0, 0.5)
    px_per_nm: Range = limited((0.3, 1.2), 0.1, 4.0)
    size: tuple[int, int] = limited((1536, 2048), 64)
    mean: Range = limited((70.0, 175.0), 0.0, 255.0)
    spread: float = limited(28.0, 0.0, 128.0)
    noise: Range = limited((0.15, 1.3), 0.001)
    noise_sd: Range = limited((2.0, 26.0), 0.0)
    defocus: Range = limited((1.0, 5.0), 0.0)
    coarse: float = limited(0.2, 0.0, 1.0)
    coarse_blur: Range = limited((6.0, 12.0), 0.0)
    dark: float = limited(0.8, 0.0)
    visible: float = limited(0.45, 0.0)
    marked: float = limited(0.12, 0.0, 1.0)
    jpeg: float = limited(0.25, 0.0, 1.0)
