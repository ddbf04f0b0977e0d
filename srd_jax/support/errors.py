"""Errors that a user can correct, shown as one line without a traceback."""

import contextlib
import pathlib
import traceback
from collections.abc import Iterator


class InputError(ValueError):
    """Bad input; the message names the file or field, what was found and what is accepted."""


def one_line(error: BaseException) -> str:
    """Returns an error's message as one line, or the name of its type if it has none."""
    # A KeyError's own text is in quotes.
    message = error.args[0] if isinstance(error, KeyError) and error.args else error
    text = " ".join(str(message).split())
    return text or type(error).__name__


def reason(error: InputError, name: object) -> str:
    """Returns an error's message as one line, without the name that `naming` put before it."""
    return one_line(InputError(str(error).removeprefix(f"{name}: ")))


def unexpected(error: BaseException) -> str:
    """Returns a phrase for an exception that no user is to blame for: its type and its place.

    Its own message may hold words that mean nothing outside of the program.
    """
    if isinstance(error, MemoryError):
        return "the memory of this machine doesn't suffice"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "srd_jax" in pathlib.Path(frame.filename).parts]
    place = next(reversed(own or frames), None)
    where = f" in {pathlib.Path(place.filename).name}, line {place.lineno}" if place else ""
    why = f" ({error.strerror})" if isinstance(error, OSError) and error.strerror else ""
    return f"an unexpected {type(error).__name__}{where}{why}"


@contextlib.contextmanager
def naming(name: object) -> Iterator[None]:
    """Puts a name before the message of an InputError that the block raises.

    Args:
      name: of what is read or checked, such as the path of a file.
    """
    try:
        yield
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
