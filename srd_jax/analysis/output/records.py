"""Records of analysed micrographs, from which tables are built and runs are resumed."""

import dataclasses
import hashlib
import json
import math
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

from srd_jax.analysis.granum import Analysis, Granum, Value
from srd_jax.support.errors import InputError
from srd_jax.support.fields import from_dict
from srd_jax.support.files import read_json, write_text


@dataclasses.dataclass(frozen=True)
class Record:
    """What is known of an analysed micrograph.

    Attributes:
      made: identity of the file and of the options, see `identity`.
      excluded: numbers of the grana that the pictures show as left out; None while they are drawn.
      analysis: as measured, without regard to `excluded`.
    """

    made: Mapping[str, Any]
    excluded: tuple[int, ...] | None
    analysis: Analysis


def identity(
    path: pathlib.Path, options: Mapping[str, Any], beside: Iterable[pathlib.Path] = ()
) -> dict[str, Any]:
    """Returns all that a result depends on, as JSON gives it back.

    Args:
      path: of the micrograph.
      options: of the analysis of this file: plain values by name.
      beside: other files that are read for it, where they exist.

    Raises:
      OSError: a file can't be read.
    """
    files = {one.name: sha256(one) for one in beside if one.is_file()}
    made = {"file": sha256(path), "files beside": files, **options}
    return json.loads(json.dumps(made, allow_nan=False))


def sha256(path: pathlib.Path) -> str:
    """Returns the digest of a file.

    Raises:
      OSError: it can't be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Returns the names of what two identities differ in."""
    return [name for name in dict.fromkeys((*now, *before)) if now.get(name) != before.get(name)]


def write(path: pathlib.Path, record: Record) -> None:
    """Writes a record whole or not at all.

    Raises:
      InputError: the file can't be written.
    """
    content = {
        "made": record.made,
        "excluded": record.excluded,
        "analysis": dataclasses.asdict(record.analysis),
    }
    text = json.dumps(content, indent=1, allow_nan=False, default=_plain)
    write_text(path, text + "\n")


def read(path: pathlib.Path) -> Record | None:
    """Returns a record; None where there is none that this version reads."""
    try:
        content = read_json(path)
        excluded = content["excluded"]
        return Record(
            dict(content["made"]),
            None if excluded is None else tuple(excluded),
            from_dict(Analysis, content["analysis"], "analysis"),
        )
    except (InputError, KeyError, TypeError, ValueError):
        return None


def _plain(value: Any) -> Any:
    """Returns a number of NumPy as Python's."""
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{type(value).__name__} in a record")


def finite(analysis: Analysis) -> Analysis:
    """Returns an analysis whose numbers are finite; grana with others are low_confidence."""
    grana = tuple(map(_finite, analysis.grana))
    strain = analysis.strain
    if strain is not None and not all(
        map(_is_finite, (strain.amount, strain.axis_deg, strain.probability))
    ):
        strain = None
    return dataclasses.replace(analysis, grana=grana, strain=strain)


def _finite(granum: Granum) -> Granum:
    names = [field.name for field in dataclasses.fields(granum) if field.default is None]
    lost = [name for name in (*names, "detection") if not _is_finite(getattr(granum, name))]
    if not lost:
        return granum
    reasons = [f"{name} isn't a finite number" for name in lost]
    return dataclasses.replace(
        granum,
        **dict.fromkeys(lost),
        status="error" if granum.status == "error" else "low_confidence",
        reason="; ".join(filter(None, [*reasons, granum.reason])),
    )


def _is_finite(value: Any) -> bool:
    if isinstance(value, Value):
        return math.isfinite(value.value) and math.isfinite(value.sd)
    return not isinstance(value, float) or math.isfinite(value)
