"""The option --shard, which several commands share."""

import argparse
import re

from srd_jax.commands.shards.shard import Shard


def add_option(parser: argparse.ArgumentParser) -> None:
    """Adds the option."""
    parser.add_argument(
        "--shard",
        type=_shard,
        metavar="I/N",
        help="the I-th of N parts of the files, such as 3/10; srd merge joins the results",
    )


def _shard(text: str) -> Shard:
    """Converts a text to a part.

    Raises:
      ArgumentTypeError: it is something else.
    """
    found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text, re.ASCII)
    number, count = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= number <= count:
        raise argparse.ArgumentTypeError(
            f"found {text!r}; accepted is I/N, I from 1 to N, such as 3/10"
        )
    return Shard(number, count)
