"""A program that decodes one file with limited memory and time, and prints what it found as JSON.

`check PATH MEMORY SECONDS` tells size and scale; `tiles PATH MEMORY SECONDS FOLDER KIND` writes the
tiles: KIND is inner, without information strips, as the analysis sees it, or whole.
"""

import dataclasses
import json
import pathlib
import sys
from collections.abc import Sequence
from typing import Any

from srd_jax.review.server.worker.confining import confine
from srd_jax.support.errors import InputError, reason, unexpected

CHECK, TILES = "check", "tiles"
INNER, WHOLE = "inner", "whole"


def main(given: Sequence[str]) -> int:
    """Carries out one task; the answer has the field error if it failed."""
    task, path, memory, seconds, *rest = given
    confine(int(memory), int(seconds))
    try:
        answer = _check(pathlib.Path(path)) if task == CHECK else _tiles(pathlib.Path(path), *rest)
    except InputError as error:
        answer = {"error": reason(error, path)}
    except MemoryError:
        answer = {"error": "needs more memory than a file gets; accepted are smaller micrographs"}
    except Exception as error:
        answer = {"error": f"could not be decoded ({unexpected(error)})"}
    print(json.dumps(answer), flush=True)
    return 0


def _check(path: pathlib.Path) -> dict[str, Any]:
    # Late, after the limits are set.
    from srd_jax.imaging.micrographs import reading

    found = reading.read(path)
    rows, columns = found.grey.shape
    scale = {"px_per_nm": found.px_per_nm, "source": found.source}
    return {"rows": rows, "columns": columns, **scale, "notes": list(found.notes)}


def _tiles(path: pathlib.Path, folder: str, kind: str) -> dict[str, Any]:
    from srd_jax.imaging.micrographs import grey, reading
    from srd_jax.review.server.worker import pyramid

    if kind == WHOLE:
        shown, _ = grey.to_grey(reading.read_picture(path))
    else:
        shown = reading.read(path).grey
    return dataclasses.asdict(pyramid.write(pathlib.Path(folder), shown))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
