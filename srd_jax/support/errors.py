"""Errors that a user can mend: shown as one line, never as a traceback."""


class InputError(ValueError):
    """Bad input. The message names the file or field, what was found and what is accepted."""


def one_line(error: BaseException) -> str:
    """Returns an error's message folded into one line, with its type where it has no text."""
    # A KeyError's own text is in quotes.
    message = error.args[0] if isinstance(error, KeyError) and error.args else error
    text = " ".join(str(message).split())
    return text or type(error).__name__
