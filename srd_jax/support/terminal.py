"""Lines and progress bars on the terminal."""

from collections.abc import Iterable
from typing import TypeVar

import rich.console
import rich.progress
from rich.text import Text

T = TypeVar("T")


def printable(text: str, encoding: str = "utf-8") -> str:
    """Returns a text with question marks for characters that an encoding lacks."""
    return text.encode(encoding, "replace").decode(encoding)


def print_line(console: rich.console.Console, line: Text) -> None:
    """Prints a line unbroken, with question marks for what the terminal's encoding lacks."""
    line.plain = printable(line.plain, console.encoding)
    console.print(line, soft_wrap=True)


def track(items: Iterable[T], word: str, total: int | None = None) -> Iterable[T]:
    """Returns the items, each of which moves a progress bar on stderr that shows the time left.

    The bar vanishes at the end; there is none where stderr isn't a terminal.

    Args:
      items: to go through once.
      word: before the bar, such as "drawing".
      total: number of items; None takes their length.
    """
    console = rich.console.Console(stderr=True)
    return rich.progress.track(
        items, word, total, console=console, transient=True, disable=not console.is_terminal
    )
