"""`srd merge`: joins the results of parts of a folder."""

import argparse
import os
import pathlib

from srd_jax.commands import saving
from srd_jax.support import process
from srd_jax.support.errors import InputError


def run(options: argparse.Namespace) -> int:
    """Runs the command and returns the exit status."""
    parts = [pathlib.Path(part) for part in options.parts]
    for part in parts:
        if not part.exists():
            raise InputError(f"{part}: doesn't exist; accepted are results made with --shard")
        if part.is_dir() != parts[0].is_dir():
            raise InputError(
                f"{part}: is a {_kind(part)}, but {parts[0]} a {_kind(parts[0])}; accepted are "
                "tables of srd predict, or folders of srd analyse"
            )
    places = [os.path.realpath(part) for part in parts]
    if twice := [
        part for part, place in zip(parts, places, strict=True) if places.count(place) > 1
    ]:
        raise InputError(f"{twice[-1]}: is given twice; accepted is each part once")
    if saving.to_standard_output(options.out):
        raise InputError(f"{options.out}: isn't a path; accepted is that of a new table or folder")
    # Late, as one of them takes its time to load.
    from srd_jax.commands.shards import analyses, tables

    merge = analyses.merge if parts[0].is_dir() else tables.merge
    print(f"{merge(options.out, options.parts)}; results in {options.out}")
    return process.ALL_READ


def _kind(path: pathlib.Path) -> str:
    return "folder" if path.is_dir() else "file"
