"""Arguments that commands share: their types and checks."""

import argparse
import dataclasses
import os
import pathlib
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from srd_jax.imaging import annotations
from srd_jax.measuring import BATCH_SIZE, result
from srd_jax.support.errors import InputError
from srd_jax.support.files import check_writable
from srd_jax.support.names import Files, parts_of

if TYPE_CHECKING:
    from srd_jax.imaging.folders import Found

_WEIGHTS = "weights file or workdir of a run"


def positive(text: str) -> float:
    """Converts a text to a number above 0.

    Raises:
      ArgumentTypeError: it is something else.
    """
    try:
        value = float(text)
        result.check_scale(value)
    except ValueError:  # of which InputError is one
        raise argparse.ArgumentTypeError(
            f"found {text!r}; accepted is a number above 0, such as 1.302"
        ) from None
    return value


def path(text: str) -> str:
    """Checks the text of a path.

    Raises:
      ArgumentTypeError: it is empty, as a variable without a value is.
    """
    if not text.strip():
        raise argparse.ArgumentTypeError(f"found {text!r}; accepted is a path")
    return text


def count(text: str) -> int:
    """Converts a text to a whole number from 1 on.

    Raises:
      ArgumentTypeError: it is something else.
    """
    value = int(text) if text.isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"found {text!r}; accepted is a whole number from 1 on")
    return value


def seed(text: str) -> int:
    """Converts a text to a seed of random numbers.

    Raises:
      ArgumentTypeError: it isn't a whole number of at most 31 bits.
    """
    value = int(text) if text.isdecimal() else -1
    if not 0 <= value < 2**31:
        raise argparse.ArgumentTypeError(
            f"found {text!r}; accepted is a whole number from 0 to {2**31 - 1}"
        )
    return value


def _weights_path(text: str) -> pathlib.Path:
    """Converts a text to a path; "released" stands for the weights of the package."""
    if text != "released":
        return pathlib.Path(text)
    from srd_jax.tasks.period import weights

    return weights.RELEASED


def add_command(commands, name: str, text: str, command: str) -> argparse.ArgumentParser:
    """Adds a command and returns its parser.

    Args:
      commands: of the command line, from `add_subparsers`.
      name: of the command.
      text: what it does.
      command: "module:function" that carries it out and returns the exit status; it is imported
        only then.
    """
    parser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(command=command)
    return parser


def add_paths(parser: argparse.ArgumentParser) -> None:
    """Adds the paths of the crops."""
    parser.add_argument("paths", nargs="+", type=path, metavar="PATH", help="image or folder")


def add_weights(parser: argparse.ArgumentParser, text: str = _WEIGHTS, **options: Any) -> None:
    """Adds --weights, with other options of `add_argument` if given."""
    parser.add_argument(
        "--weights",
        type=_weights_path,
        metavar="FILE|DIR",
        help=f"{text}; default: released, those of the package",
        **options,
    )


def add_batch_size(parser: argparse.ArgumentParser) -> None:
    """Adds --batch-size."""
    parser.add_argument(
        "--batch-size",
        type=count,
        default=BATCH_SIZE,
        metavar="N",
        help="crops measured at once, default: %(default)s",
    )


def add_network_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of methods with a network, and the limits of status ok."""
    plain = result.DEFAULT_LIMITS
    parser.add_argument(
        "--tta",
        action="store_true",
        help="test-time augmentation: measure each crop in its four flips, and all rows of a high "
        "one in windows, by the network",
    )
    parser.add_argument(
        "--max-sd-nm",
        type=positive,
        metavar="X",
        help=f"greater sds are low_confidence where the scale is known, default: {plain.sd_nm:g}",
    )
    parser.add_argument(
        "--max-relative-sd",
        type=positive,
        metavar="X",
        help="greater sds, over the period, are low_confidence where no scale is known, "
        f"default: {plain.relative_sd:g}",
    )
    parser.add_argument(
        "--period-nm",
        type=positive,
        nargs=2,
        metavar=("MIN", "MAX"),
        help="other periods are low_confidence where the scale is known, "
        f"default: {plain.period_nm[0]:g} {plain.period_nm[1]:g}",
    )


def check_network_options(options: argparse.Namespace, network: bool) -> None:
    """Checks that the options of a network are given only with one.

    Args:
      options: of the command line.
      network: whether a method with a network is chosen.

    Raises:
      InputError: they are given without one.
    """
    given = {
        "--tta": options.tta,
        "--max-sd-nm": options.max_sd_nm,
        "--max-relative-sd": options.max_relative_sd,
    }
    if names := [name for name, value in given.items() if value and not network]:
        raise InputError(f"{names[0]}: found without a network; accepted with one only")


def limits(options: argparse.Namespace) -> result.Limits:
    """Returns the limits of status ok: the given ones, else the defaults.

    Raises:
      InputError: the shortest period is above the longest one.
    """
    given = {
        "sd_nm": options.max_sd_nm,
        "relative_sd": options.max_relative_sd,
        "period_nm": options.period_nm and tuple(options.period_nm),
    }
    found = dataclasses.replace(
        result.DEFAULT_LIMITS, **{name: value for name, value in given.items() if value is not None}
    )
    low, high = found.period_nm
    if low > high:
        raise InputError(f"--period-nm {low:g} {high:g}: accepted is the shorter one first")
    return found


def images(paths: Sequence[str], find: "Callable[[Sequence[str]], Found] | None" = None) -> "Found":
    """Returns the images among files and folders; on stderr, a line on what isn't read.

    Args:
      paths: files and folders.
      find: finds the images; None for `folders.find_images`.

    Raises:
      InputError: see `folders.find_images`.
    """
    if find is None:
        from srd_jax.imaging.folders import find_images as find
    found = find(paths)
    for line in (*found.passed_over, *found.unread):
        print(" ".join(line.split()), file=sys.stderr)
    return found


def known(path: str, files: Sequence[pathlib.Path]) -> dict[pathlib.Path, annotations.Known]:
    """Returns what annotations tell of files, and names on stderr the rows that match no file.

    Args:
      path: of the CSV of annotations, or of the folder that holds it.
      files: images.

    Raises:
      InputError: the CSV can't be read, a row of it is bad, it names none of the files, or it
        doesn't tell two of them apart.
    """
    from srd_jax.imaging.dataset import ANNOTATIONS

    csv = pathlib.Path(path, ANNOTATIONS) if pathlib.Path(path).is_dir() else pathlib.Path(path)
    rows = annotations.read_known(csv)
    images, places = Files(files), {os.path.realpath(file): file for file in files}
    found: dict[pathlib.Path, annotations.Known] = {}
    lost = []
    for row in rows:
        # From the CSV's folder first, as a set of grana has it.
        place = os.path.realpath(csv.parent.joinpath(*parts_of(row.name)))
        named = [places[place]] if place in places else images.named(row.name)
        if named[1:]:
            raise InputError(
                f"{csv}: tells images by their names, but {len(named)} of yours are named "
                f"{named[0].name}; accepted is one of each name"
            )
        if named and (before := found.setdefault(named[0], row)) is not row:
            raise InputError(
                f"{csv}: rows {before.line} ({before.name}) and {row.line} ({row.name}) both mean "
                f"{named[0]}; accepted is one row an image"
            )
        if not named:
            lost.append(row)
    if not found:
        raise InputError(
            f"{csv}: holds the period of none of the {len(files)} images; accepted are images "
            f"named as in its column granum_image, the first of yours is {files[0].name}"
        )
    if lost:
        print(
            f"{csv}: {len(lost)} of {len(rows)} rows match no image, first row {lost[0].line} "
            f"({lost[0].name})",
            file=sys.stderr,
        )
    return found


def check_target(out: str, inputs: Iterable[str | os.PathLike[str]], suffix: str = "") -> None:
    """Checks that --out can be written and isn't an input.

    Args:
      out: its path.
      inputs: paths of files that are read.
      suffix: that its name must have, "" for any.

    Raises:
      InputError: it can't, or is, or is named otherwise.
    """
    if os.path.realpath(out) in {os.path.realpath(path) for path in inputs}:
        raise InputError(f"--out {out}: would replace an input; accepted is another file's path")
    if not out.lower().endswith(suffix):
        raise InputError(f"{out}: has another suffix; accepted is a path ending in {suffix}")
    check_writable(out)


def check_folder(flag: str, folder: pathlib.Path, ending: str) -> None:
    """Checks that pictures can be written into a folder.

    Args:
      flag: that names the folder.
      folder: of the pictures.
      ending: of their names.

    Raises:
      InputError: it is a file, or can't be written to.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{flag} {folder}: is a file; accepted is a folder")
    check_writable(folder / f"crop{ending}")
