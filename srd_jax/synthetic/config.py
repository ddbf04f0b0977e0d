"""Configures generated images by the ranges of their random properties."""

import dataclasses

from srd_jax.imaging import FRAME, MAX_ROWS
from srd_jax.support.errors import InputError
from srd_jax.support.fields import limited

Range = tuple[float, float]


@dataclasses.dataclass
class StripesConfig:
    """Ranges of synthetic stripes, each drawn uniformly.

    Attributes:
      period: px of the frame.
      light_fraction: share of the period that is light.
      noise_sd: sd of an image's normal noise, grey levels of 0..255; (0, 0) for none.
      clean_rectangles: least and greatest number of receptive fields without noise in a noisy
        image.
    """

    kind: str = "stripes"
    period: Range = limited((20.0, 140.0), 2.0)
    light_fraction: Range = limited((0.15, 0.45), 0.0, 1.0)
    noise_sd: Range = limited((0.0, 0.0), 0.0)
    clean_rectangles: tuple[int, int] = limited((1, 4), 0)


@dataclasses.dataclass
class LayersConfig:
    """Ranges of the lamellae's course in a generated granum.

    Attributes:
      tilt: largest tilt of the whole stack to either side, degrees.
      bend: steepest slope of the lamellae's waves, rows per column.
      fan: largest relative change of the period from one end of the lamellae to the other.
      variation: relative sd of the local period.
      faults: least and greatest number of places where the whole stack shifts.
      endings: least and greatest number of layers that end or merge.
    """

    tilt: float = limited(3.0, 0.0, 45.0)
    bend: Range = limited((0.0, 0.15), 0.0, 1.0)
    fan: float = limited(0.1, 0.0, 1.0)
    variation: Range = limited((0.0, 0.05), 0.0, 0.5)
    faults: tuple[int, int] = limited((0, 2), 0, 16)
    endings: tuple[int, int] = limited((0, 3), 0, 16)


@dataclasses.dataclass
class ProfileConfig:
    """Ranges of the grey-value profile across one lamella; widths are shares of the period.

    Attributes:
      lumen_width: distance of a thylakoid's two dark membranes.
      membrane_width: sd of a membrane's dark line.
      lumen_light: lightness of the lumen, in units of a membrane's darkness.
      gap_light: lightness of the gap to the next thylakoid, in the same units.
      overtone: largest amplitude at a half, a third, … of the period over the amplitude at the
        period.
      inverted: share of grana whose membranes are light.
      apart: share of grana whose two membranes lie well apart, and whose overtones aren't limited.
      apart_width: distance of these two membranes; a half would make a half of the period true.
      apart_membrane: sd of their dark lines; the second one's darkness is 0.6 to 1 of the first's.
      bars: share of grana that show hard-edged light bars instead.
      bar_width: width of these bars.
    """

    lumen_width: Range = limited((0.15, 0.5), 0.0, 1.0)
    membrane_width: Range = limited((0.06, 0.18), 0.01, 1.0)
    lumen_light: Range = limited((0.0, 1.0), 0.0)
    gap_light: Range = limited((0.0, 0.6), 0.0)
    overtone: Range = limited((0.05, 0.6), 0.0, 1.0)
    inverted: float = limited(0.15, 0.0, 1.0)
    apart: float = limited(0.0, 0.0, 1.0, later=True)
    apart_width: Range = limited((0.2, 0.42), 0.0, 0.45, later=True)
    apart_membrane: Range = limited((0.05, 0.12), 0.01, 1.0, later=True)
    bars: float = limited(0.0, 0.0, 1.0)
    bar_width: Range = limited((0.15, 0.5), 0.01, 1.0)


@dataclasses.dataclass
class QualityConfig:
    """Ranges of the micrograph's quality; grey levels of 0..255, lengths in px of the crop.

    Attributes:
      bright: share of bright crops, which have low contrast; all others are dark crops.
      bright_mean, dark_mean: mean grey level of bright and of dark crops.
      bright_contrast, dark_contrast: sd of the lamellae's grey level, uniform in its logarithm.
      fade: share of the contrast that is lost in patches.
      layer_spread: relative sd of the contrast from layer to layer.
      shading_sd: sd of slow changes of the grey level.
      noise: sd of the noise over the sd of the lamellae, uniform in its logarithm.
      noise_sd: limits of the noise's sd, whatever the contrast.
      grain: sd of the blur of the noise's fine part.
      coarse_share: share of the noise's variance in its coarse part.
      white_share: share of the fine part's variance that differs from pixel to pixel.
      coarse: scale of the noise's coarse part.
      shot: dependence of the noise on the root of the grey level, from 0 for none to 1 for full.
      defocus: sd of the blur of the lamellae.
      blobs: least and greatest number of dark blobs; blob_radius: their sd; blob_depth: their
        darkness.
      scratches: mean number of straight scratches.
      scan_lines: share of crops with scanner lines; scan_line_sd: their sd.
      jpeg: share of crops that were JPEG files; jpeg_quality: their quality, 1..100.
      stretched: share of crops whose grey levels black..white were stretched to 0..255.
      few_levels: share of crops of few grey levels, such as thresholded ones.
      levels: least and greatest number of these levels.
    """

    bright: float = limited(0.4, 0.0, 1.0)
    bright_mean: Range = limited((150.0, 195.0), 1.0, 255.0)
    dark_mean: Range = limited((50.0, 150.0), 1.0, 255.0)
    bright_contrast: Range = limited((5.0, 14.0), 0.1, 255.0)
    dark_contrast: Range = limited((9.0, 36.0), 0.1, 255.0)
    fade: Range = limited((0.0, 0.9), 0.0, 1.0)
    layer_spread: Range = limited((0.0, 0.4), 0.0, 2.0)
    shading_sd: Range = limited((2.0, 14.0), 0.0, 255.0)
    noise: Range = limited((0.25, 2.5), 0.001, 100.0)
    noise_sd: Range = limited((2.0, 30.0), 0.0, 255.0)
    grain: Range = limited((0.6, 1.6), 0.1, 2.0)
    coarse_share: Range = limited((0.0, 0.5), 0.0, 1.0)
    white_share: Range = limited((0.03, 0.4), 0.0, 1.0)
    coarse: Range = limited((4.0, 16.0), 2.0, 64.0)
    shot: Range = limited((0.0, 1.0), 0.0, 1.0)
    defocus: Range = limited((0.5, 2.5), 0.0, 20.0)
    blobs: tuple[int, int] = limited((0, 24), 0, 32)
    blob_radius: Range = limited((1.2, 5.0), 0.1, 100.0)
    blob_depth: Range = limited((20.0, 110.0), 0.0, 255.0)
    scratches: float = limited(0.15, 0.0, 2.0)
    scan_lines: float = limited(0.15, 0.0, 1.0)
    scan_line_sd: Range = limited((0.5, 3.0), 0.0, 255.0)
    jpeg: float = limited(0.3, 0.0, 1.0)
    jpeg_quality: Range = limited((30.0, 95.0), 1.0, 100.0)
    stretched: float = limited(0.4, 0.0, 1.0)
    black: Range = limited((-10.0, 30.0), -100.0, 100.0)
    white: Range = limited((225.0, 265.0), 150.0, 400.0)
    few_levels: float = limited(0.0, 0.0, 1.0, later=True)
    levels: tuple[int, int] = limited((2, 8), 2, 256, later=True)


@dataclasses.dataclass
class OutlineConfig:
    """Ranges of a granum's outline, which imitates outlines drawn by hand.

    Attributes:
      cut_rows: depth of cut corners and bays of the upper and lower edge, share of the rows.
      cut_columns: depth of cut corners and bays of the left and right edge, share of the columns.
      ragged: share of outlines that are rough; roughness: sd of the roughness, px of the crop.
      stepped: share of rough outlines whose steps are several px long.
      follows: share of outlines that follow the lamellae's bends.
      notches: mean number of notches in an edge.
      notch_depth: depth of a notch, share of the crop.
      joined: share of grana that are stacks of different height joined by a neck.
      holes: mean number of holes.
      rim: share of crops whose outermost pixels are dark, as in cut-outs that were rotated.
      rim_darkness: darkness of these pixels, 1 for black.
    """

    cut_rows: Range = limited((0.0, 0.25), 0.0, 0.4)
    cut_columns: Range = limited((0.0, 0.15), 0.0, 0.4)
    ragged: float = limited(0.4, 0.0, 1.0)
    roughness: Range = limited((0.5, 2.0), 0.0, 10.0)
    stepped: float = limited(0.4, 0.0, 1.0)
    follows: float = limited(0.6, 0.0, 1.0)
    notches: float = limited(0.3, 0.0, 2.0)
    notch_depth: Range = limited((0.02, 0.2), 0.0, 0.4)
    joined: float = limited(0.35, 0.0, 1.0)
    holes: float = limited(0.15, 0.0, 2.0)
    rim: float = limited(0.5, 0.0, 1.0)
    rim_darkness: Range = limited((0.3, 1.0), 0.0, 1.0)


@dataclasses.dataclass
class NegativesConfig:
    """Shares of training crops without measurable lamellae; all other crops are grana.

    Attributes:
      blank: share of crops without lamellae.
      texture: share of patterns without a direction.
      steep: share of lamellae that run far from the horizontal.
      long: share of lamellae so far apart that a frame shows hardly one period.
      angle: of steep lamellae to the horizontal, degrees.
      long_period: period of lamellae far apart, px of the 476-frame.
    """

    blank: float = limited(0.0, 0.0, 1.0)
    texture: float = limited(0.0, 0.0, 1.0)
    steep: float = limited(0.0, 0.0, 1.0)
    long: float = limited(0.0, 0.0, 1.0)
    angle: Range = limited((25.0, 88.0), 0.0, 89.0)
    long_period: Range = limited((260.0, 900.0), 1.0)

    @property
    def share(self) -> float:
        """The share of crops that aren't grana."""
        return self.blank + self.texture + self.steep + self.long


@dataclasses.dataclass
class GranaConfig:
    """Ranges of generated grana that look real.

    Attributes:
      frame_period: period, px of the 476-frame, uniform in its logarithm.
      period: period, px of the crop.
      rows, columns: of the crop.
      period_nm: period, nm; it decides the scale of a written dataset.
      layers, profile, quality, outline: see `LayersConfig` and so on.
      negatives: shares of crops that aren't grana.
    """

    kind: str = "grana"
    frame_period: Range = limited((15.0, 150.0), 2.0, 220.0)
    period: Range = limited((9.0, 36.0), 4.0)
    rows: tuple[int, int] = limited((100, 650), 16)
    columns: tuple[int, int] = limited((200, 1150), 38)
    period_nm: Range = limited((14.0, 30.0), 1.0)
    layers: LayersConfig = dataclasses.field(default_factory=LayersConfig)
    profile: ProfileConfig = dataclasses.field(default_factory=ProfileConfig)
    quality: QualityConfig = dataclasses.field(default_factory=QualityConfig)
    outline: OutlineConfig = dataclasses.field(default_factory=OutlineConfig)
    negatives: NegativesConfig = dataclasses.field(default_factory=NegativesConfig)

    def check(self, path: str) -> None:
        """Checks shares, and that crops of the given rows can show each period of the frame.

        Args:
          path: name of this config in messages.

        Raises:
          InputError: two fields contradict each other.
        """
        if self.negatives.share > 1:
            raise InputError(
                f"{path}.negatives: blank, texture, steep and long sum to "
                f"{self.negatives.share:g}; accepted: shares that sum to at most 1"
            )
        rows = min(self.rows[1], MAX_ROWS)
        shortest = self.period[0] * FRAME[0] / rows
        longest = self.period[1] * FRAME[0] / self.rows[0]
        if self.frame_period[0] < shortest or self.frame_period[1] > longest:
            raise InputError(
                f"{path}.frame_period is {self.frame_period}, but periods of {self.period} px in "
                f"crops of {self.rows} rows become {shortest:.1f} to {longest:.1f} px of the "
                "frame; accepted: a range within these"
            )


def training_grana(odd: bool = True) -> GranaConfig:
    """Returns the ranges of the released network's training grana.

    They are wider than the measured range of periods and tilts, because predictions near the end of
    the training range are biased towards its middle.

    Args:
      odd: whether odd crops are included: one crop in seven has no measurable lamellae, and some
        have hard-edged lamellae, membranes well apart, few grey levels or a strong contrast.
    """
    if not odd:
        return GranaConfig(
            frame_period=(13.5, 168.0), period=(8.0, 36.0), layers=LayersConfig(tilt=8.0)
        )
    return GranaConfig(
        frame_period=(12.5, 180.0),
        period=(7.0, 42.0),
        layers=LayersConfig(tilt=8.0),
        profile=ProfileConfig(apart=0.12, bars=0.06),
        quality=QualityConfig(dark_contrast=(9.0, 60.0), few_levels=0.04),
        negatives=NegativesConfig(0.04, 0.03, 0.05, 0.02),
    )
