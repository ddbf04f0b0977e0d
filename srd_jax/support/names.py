"""Finds the files that people mean by names in a table."""

import pathlib
import unicodedata
from collections.abc import Callable, Iterable, Sequence

_Parts = tuple[str, ...]


def parts_of(name: str) -> _Parts:
    """Returns folders and name of a path of any system, in composed Unicode (NFC)."""
    path = unicodedata.normalize("NFC", name).replace("\\", "/")
    return tuple(part for part in path.split("/") if part not in ("", "."))


def _folded(parts: _Parts) -> _Parts:
    return tuple(part.casefold() for part in parts)


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name


def _ends(path: _Parts, name: _Parts) -> bool:
    return path[-len(name) :] == name


def _same_name(path: _Parts, name: _Parts) -> bool:
    return path[-1] == name[-1]


def _without_suffix(path: _Parts, name: _Parts) -> bool:
    return _stem(path[-1]) == name[-1]


# From strict to lenient: a rule is asked only where those before it find nothing.
_RULES: tuple[Callable[[_Parts, _Parts], bool], ...] = (
    _ends,
    _same_name,
    lambda path, name: _ends(_folded(path), _folded(name)),
    lambda path, name: _same_name(_folded(path), _folded(name)),
    _without_suffix,
    lambda path, name: _without_suffix(_folded(path), _folded(name)),
)


class Files:
    """Files that are looked up by name."""

    def __init__(self, paths: Iterable[pathlib.Path]):
        """Takes the paths of the files."""
        self._by_stem: dict[str, list[tuple[_Parts, pathlib.Path]]] = {}
        for path in paths:
            # Under the name and under its stem, by which every rule finds it.
            parts = parts_of(path.as_posix())
            for key in {parts[-1].casefold(), _stem(parts[-1]).casefold()}:
                self._by_stem.setdefault(key, []).append((parts, path))

    def named(self, name: str) -> Sequence[pathlib.Path]:
        """Returns the files that a name means: none, one, or several that it doesn't tell apart.

        The name may be a path of another system or of another folder, differ in capitals or in the
        form of its accents, or lack the suffix.
        """
        parts = parts_of(name)
        if not parts:
            return []
        near = self._by_stem.get(parts[-1].casefold(), [])
        for rule in _RULES:
            if found := [path for path_parts, path in near if rule(path_parts, parts)]:
                return found
        return []
