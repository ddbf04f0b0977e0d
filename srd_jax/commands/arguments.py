"""What the commands share: exit statuses, types of arguments, a message."""

import argparse

from srd_jax import rows

ALL_READ, SOME_FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
NO_WEIGHTS = (
    "no weights given; train some (python launch.py --config=configs/quickstart.py "
    "--workdir=runs/quickstart, then --weights runs/quickstart) or import released ones "
    "(srd import-weights FILE --out weights.safetensors, then --weights weights.safetensors)"
)


def positive(text: str) -> float:
    """Returns the number above 0 that a text states.

    Raises:
      ArgumentTypeError: it states none.
    """
    try:
        value = float(text)
        rows.check_scale(value)
    except ValueError:  # of which InputError is one
        raise argparse.ArgumentTypeError(
            f"found {text!r}; accepted is a number above 0, such as 1.302"
        ) from None
    return value


def count(text: str) -> int:
    """Returns the whole number from 1 on that a text states.

    Raises:
      ArgumentTypeError: it states none.
    """
    value = int(text) if text.isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"found {text!r}; accepted is a whole number from 1 on")
    return value
