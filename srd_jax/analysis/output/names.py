"""Names the files that are written for each micrograph."""

import collections
import hashlib
import os
import pathlib
import unicodedata
from collections.abc import Callable, Sequence

# Bytes of a name; file systems take 255, and a number, a suffix and a temporary file add to it.
_LONGEST = 160


def output_names(paths: Sequence[pathlib.Path]) -> dict[pathlib.Path, str]:
    """Returns a name for each micrograph, which no other one has, in letters of any case.

    It is the stem of the file; where files share it, that of the path below their common folder,
    joined by _; where they share that, too, with a digest. So names don't depend on the order.

    Args:
      paths: of different files.
    """
    # Without following links, whose own names count.
    absolute = {path: pathlib.Path(os.path.abspath(path)) for path in paths}  # noqa: PTH100
    root = os.path.commonpath([path.parent for path in absolute.values()])
    relative = {path: one.relative_to(root) for path, one in absolute.items()}
    level = dict.fromkeys(paths, 0)
    while True:
        names = {path: _FORMS[level[path]](relative[path]) for path in paths}
        counts = collections.Counter(map(_folded, names.values()))
        shared = [
            path
            for path in paths
            if counts[_folded(names[path])] > 1 and level[path] < len(_FORMS) - 1
        ]
        if not shared:
            return names
        for path in shared:
            level[path] += 1


def _folded(name: str) -> str:
    # File systems may take names for equal that differ in case or in the form of accents.
    return unicodedata.normalize("NFC", name).casefold()


def _stem(path: pathlib.Path) -> str:
    return _short(path.stem)


def _joined(path: pathlib.Path) -> str:
    return _short("_".join(path.with_suffix("").parts))


def _with_digest(path: pathlib.Path) -> str:
    return f"{_joined(path)}-{_digest(path.as_posix())}"


_FORMS: tuple[Callable[[pathlib.Path], str], ...] = (_stem, _joined, _with_digest)


def _short(name: str) -> str:
    """Returns a name that file systems take: a long one's beginning, and a digest of all of it."""
    content = os.fsencode(name)
    if len(content) <= _LONGEST:
        return name
    return f"{content[:_LONGEST].decode('utf-8', 'ignore')}-{_digest(name)}"


def _digest(text: str) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:8]
