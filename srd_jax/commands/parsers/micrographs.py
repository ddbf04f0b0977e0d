"""Arguments that commands of micrographs share."""

import argparse

from srd_jax.commands import arguments

NETWORK, CLASSICAL = DETECTORS = ("network", "classical")


def add_known(parser: argparse.ArgumentParser) -> None:
    """Adds the option."""
    parser.add_argument(
        "--annotations",
        type=arguments.path,
        metavar="DIR",
        help="show known grana beside: a folder with the micrographs and their annotations, as "
        "evaluate-grana takes it",
    )


def add_planning(parser: argparse.ArgumentParser) -> None:
    """Adds the options that numbers depend on."""
    add_scale(parser)
    parser.add_argument(
        "--masks",
        type=arguments.path,
        metavar="DIR",
        help="masks, label images or ROIs of ImageJ, named as the micrographs, in place of what "
        "the detector finds",
    )
    add_detector(parser)
    parser.add_argument(
        "--threshold",
        type=_share,
        metavar="T",
        help="least probability of a granum's pixels, 0 to 1; default: that of the detector",
    )


def _share(text: str) -> float:
    """Converts a text to a number between 0 and 1.

    Raises:
      ArgumentTypeError: it is something else.
    """
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"found {text!r}; accepted is a number between 0 and 1")
    return value


def add_detector(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    parser.add_argument(
        "--detector", choices=DETECTORS, default=NETWORK, help="default: %(default)s"
    )
    parser.add_argument(
        "--weights",
        type=arguments.path,
        metavar="FILE|DIR",
        help="weights file or workdir of the network that finds grana; default: those of the "
        "package",
    )


def add_scale(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    one = parser.add_mutually_exclusive_group()
    one.add_argument(
        "--px-per-nm", type=arguments.positive, metavar="X", help="scale of all micrographs"
    )
    one.add_argument(
        "--nm-per-px", type=arguments.positive, metavar="X", help="the same, as the pixel's size"
    )
    one.add_argument(
        "--bar-nm",
        type=arguments.positive,
        metavar="N",
        help="length of the scale bar that is burnt into each micrograph; it is found and measured",
    )
    parser.add_argument(
        "--scales",
        type=arguments.path,
        metavar="CSV",
        help="scales by file: columns file and px_per_nm or nm_per_px; they count first",
    )
