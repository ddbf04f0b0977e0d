"""`srd surfaces evaluate`: fits against the known parameters of drawn pictures."""

import argparse
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

from srd_jax.commands.surfaces import asking
from srd_jax.support import process
from srd_jax.support.errors import InputError, reason, unexpected
from srd_jax.support.files import check_writable, write_table, write_text
from srd_jax.support.terminal import track
from srd_jax.synthetic.surfaces.names import KINDS

ROWS, SUMMARY = "evaluation.csv", "evaluation.md"
_FIELDS = ("cell", "in_plane", "axis", "fraction")
_HEADER = (
    "file", "type", "status", "reason",
    "asked_right", *(f"asked_{name}_error" for name in _FIELDS),
    "searched_right", *(f"searched_{name}_error" for name in _FIELDS),
    "right", *(f"{name}_error" for name in _FIELDS), *(f"{name}_sd" for name in _FIELDS),
)  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Runs the command and returns the exit status."""
    root = pathlib.Path(options.out)
    if root.exists() and not root.is_dir():
        raise InputError(f"--out {root}: is a file; accepted is a folder")
    check_writable(root / ROWS)
    # Late, as JAX takes its time to load.
    from srd_jax.evaluation.surfaces import truth

    known, network = truth.read(options.folder), asking.network(options)
    compared = []
    try:
        for one in track(_compared(known, options.type or KINDS, network), "fitting", len(known)):
            compared.append(one)
            # At once, as a kill leaves no time.
            write_table(root / ROWS, _HEADER, map(_row, compared))
    finally:
        if compared:
            write_text(root / SUMMARY, _text(compared))
    print(_text(compared), end="")
    print(f"tables in {root / ROWS} and {root / SUMMARY}")
    failed = any(one.status == "error" for one in compared)
    return process.SOME_FAILED if failed else process.ALL_READ


def _compared(known: Sequence[Any], kinds: Sequence[str], network: Any) -> Iterator[Any]:
    """Yields the comparison of each picture; an error for one that can't be read or fitted."""
    from srd_jax.analysis.surfaces import region
    from srd_jax.analysis.surfaces.fit import fit
    from srd_jax.evaluation.surfaces import scores
    from srd_jax.imaging.micrographs.reading import read
    from srd_jax.imaging.micrographs.scales import ScaleOptions

    for one in known:
        try:
            scale = ScaleOptions(px_per_nm=1 / one.nm_per_px)
            part = region.whole(read(one.path, options=scale))
            yield scores.compare(one, fit(part, kinds, network=network))
            continue
        except InputError as error:
            why = reason(error, one.path)
        except Exception as error:
            why = f"could not be fitted ({unexpected(error)})"
        yield scores.Compared(one, "error", reason=why)


def _row(one: Any) -> list[Any]:
    def numbers(errors: Any) -> list[Any]:
        if errors is None:
            return [None] * (1 + len(_FIELDS))
        values = [getattr(errors, name) if errors.right else None for name in _FIELDS]
        return ["yes" if errors.right else "no", *values]

    sds = one.sds if one.refined is not None else [None] * len(_FIELDS)
    start = [one.known.path.name, one.known.kind, one.status, one.reason]
    found = [*numbers(one.asked), *numbers(one.searched), *numbers(one.refined)]
    return [*start, *found, *sds]


def _text(compared: Sequence[Any]) -> str:
    """Returns both tables as Markdown, and counts of the statuses."""
    from srd_jax.evaluation.surfaces import scores

    parts = []
    for rows in (scores.summary(compared), scores.coverage(compared)):
        header, *body = rows
        lines = [header, ["---"] * len(header), *body]
        parts.append("".join(f"| {' | '.join(line)} |\n" for line in lines))
    counts = ", ".join(
        f"{sum(one.status == status for one in compared)} {status}"
        for status in ("ok", "low_confidence", "error")
    )
    wrong = [one for one in compared if one.refined is not None and not one.refined.right]
    trusted = sum(one.status == "ok" for one in wrong)
    parts.append(f"{counts}; {len(wrong)} of a wrong type, {trusted} of them ok\n")
    return "\n".join(["Median errors of those whose type is right:\n", *parts])
