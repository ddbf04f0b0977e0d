"""Chooses the annotations that are grana by their labels, in formats whose users name them."""

from collections.abc import Iterable

from srd_jax.evaluation.micrographs.truth import POSSIBLE, SURE
from srd_jax.support.errors import InputError

_GRANUM, _DOUBTFUL = "gran", ("possible", "doubtful", "uncertain", "unsure", "maybe")


def certainties(labels: Iterable[str]) -> dict[str, str]:
    """Returns the labels that mean grana, and whether these are sure or possible.

    A label with "gran" in it means grana, possible ones if it also has a word such as "possible". A
    single label means grana whatever it is called.

    Raises:
      InputError: there are several labels, and none has "gran" in it.
    """
    known = list(dict.fromkeys(labels))
    chosen = [label for label in known if _GRANUM in label.lower()]
    if known and not chosen:
        if len(known) > 1:
            raise InputError(
                f"the labels are {', '.join(known)}; accepted: a single one, or grana with "
                f"{_GRANUM!r} in their label"
            )
        chosen = known
    return {
        label: POSSIBLE if any(word in label.lower() for word in _DOUBTFUL) else SURE
        for label in chosen
    }
