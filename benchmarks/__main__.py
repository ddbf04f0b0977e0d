"""Lists the scripts of benchmarks/, or runs one of them.

    python -m benchmarks                   # each one's purpose, needs, duration and results
    python -m benchmarks NAME [ARGS ...]   # as python benchmarks/NAME.py [ARGS ...] does

The facts stand in the docstring of each script, in lines that begin with the words of FACTS. They
are read without importing it, so that the list needs no package.
"""

import ast
import difflib
import pathlib
import runpy
import sys
import textwrap
from collections.abc import Sequence

FOLDER = pathlib.Path(__file__).resolve().parent
FACTS = ("Needs", "Takes", "Writes")
WIDTH = 100


def described(path: pathlib.Path) -> dict[str, str]:
    """Returns the first sentence of a script's docstring, as "Does", and its facts by name."""
    lines = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").splitlines()
    facts = dict(line.split(": ", 1) for line in lines if line.startswith(tuple(map(_mark, FACTS))))
    return {"Does": lines[0] if lines else ""} | facts


def _mark(fact: str) -> str:
    return f"{fact}: "


def scripts(folder: pathlib.Path = FOLDER) -> dict[str, dict[str, str]]:
    """Returns the description of each script by its name; modules without facts are helpers."""
    found = {path.stem: described(path) for path in sorted(folder.glob("*.py"))}
    return {name: facts for name, facts in found.items() if set(FACTS) & set(facts)}


def listed(found: dict[str, dict[str, str]]) -> str:
    """Returns the list of all scripts as text."""
    lines = ["usage: python -m benchmarks NAME [ARGS ...]; NAME --help shows its options"]
    for name, facts in found.items():
        lines += ["", name, *_wrapped("  ", facts["Does"])]
        for fact in FACTS:
            lines += _wrapped(f"  {fact.lower() + ':':<8}", facts.get(fact, "not stated"))
    return "\n".join(lines)


def _wrapped(head: str, text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=head, subsequent_indent=" " * len(head))


def main(arguments: Sequence[str]) -> int:
    """Lists all scripts or runs one; returns the exit status."""
    found = scripts()
    if not arguments or arguments[0] in ("-h", "--help"):
        print(listed(found))
        return 0
    name = arguments[0].removesuffix(".py")
    if name not in found:
        near = ", ".join(difflib.get_close_matches(name, found) or found)
        print(f"{arguments[0]} isn't a script of benchmarks/; accepted: {near}", file=sys.stderr)
        return 2
    # As where Python runs a file: its own folder comes first, for the modules beside it.
    sys.path.insert(0, str(FOLDER))
    sys.argv = [str(FOLDER / f"{name}.py"), *arguments[1:]]
    runpy.run_path(sys.argv[0], run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
