"""Makes safe names of files out of those that a browser sends."""

import pathlib
import unicodedata
from collections.abc import Collection
from urllib.parse import unquote

from srd_jax.imaging.formats import MICROSCOPE_SUFFIXES, SUFFIXES

ACCEPTED = (*SUFFIXES, *MICROSCOPE_SUFFIXES)
_LONGEST = 80  # characters, and as many bytes as two each
_KEPT = "-_ ()"
# Names of devices on Windows, with any suffix (Microsoft, Naming Files, Paths, and Namespaces).
_DEVICES = {"con", "prn", "aux", "nul", "conin$", "conout$"} | {
    f"{device}{digit}" for device in ("com", "lpt") for digit in "0123456789"
}


def name_of(header: str) -> str:
    """Returns the name that a browser sent, percent-encoded: its last part, in composed Unicode."""
    name = unicodedata.normalize("NFKC", unquote(header, errors="replace"))
    return name.replace("\\", "/").rpartition("/")[2]


def suffix_of(name: str) -> str:
    """Returns the suffix of a name in small letters if it is one of micrographs, else ""."""
    suffix = pathlib.PurePosixPath(name.strip()).suffix.lower()
    return suffix if suffix in ACCEPTED else ""


def safe_stem(name: str) -> str:
    """Returns a name without its suffix, of letters, digits and few signs; never empty.

    It has no dots, begins with a letter or a digit, and isn't that of a device.
    """
    stem = name.strip()
    stem = stem[: len(stem) - len(suffix_of(name))]
    kept = "".join(one if _is_kept(one) else "_" for one in stem)
    kept = kept.strip(_KEPT)[:_LONGEST].encode()[: 2 * _LONGEST].decode("utf-8", "ignore")
    kept = kept.strip(_KEPT) or "micrograph"
    return f"{kept}_" if kept.casefold() in _DEVICES else kept


def _is_kept(one: str) -> bool:
    return one in _KEPT or unicodedata.category(one)[0] in "LN"


def free_stem(stem: str, taken: Collection[str]) -> str:
    """Returns a stem, with a number behind it if another one has it, in letters of any case."""
    known = {folded(one) for one in taken}
    number, free = 1, stem
    while folded(free) in known:
        number += 1
        free = f"{stem}-{number}"
    return free


def folded(name: str) -> str:
    """Returns a name as file systems compare them, which may ignore case and form of accents."""
    return unicodedata.normalize("NFC", name).casefold()
