"""Lines and progress bars on the terminal."""

from collections.abc import Iterable
from typing import TypeVar

import rich.console
import rich.progress
from rich.text import Text

_T = TypeVar("_T")


def printable(text: str, encoding: str = "utf-8") -> str:
    """Replaces the characters that an encoding lacks by question marks."""
    return text.encode(encoding, "replace").decode(encoding)


def print_line(console: rich.console.Console, line: Text) -> None:
    """Prints a line without breaking it; see `printable` for the terminal's encoding."""
    line.plain = printable(line.plain, console.encoding)
    console.print(line, soft_wrap=True)


def track(items: Iterable[_T], word: str, total: int | None = None) -> Iterable[_T]:
    """Shows a progress bar with the time left while a loop takes the items.

    The bar is drawn on stderr if that is a terminal, and vanishes at the end.

    Args:
      items: of the loop.
      word: before the bar, such as "drawing".
      total: number of items; None takes their length.

    Returns:
      The same items.
    """
    console = rich.console.Console(stderr=True)
    return rich.progress.track(
        items, word, total, console=console, transient=True, disable=not console.is_terminal
    )
