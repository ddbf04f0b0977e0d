"""Packs the folder of an analysis, with the reviewed tables, into one file."""

import pathlib
import zipfile

# What lies in the folder for the app alone, and what was handed in.
_LEFT_OUT = ("app", "uploads")
# These are compressed already.
_PACKED = (".png", ".jpg", ".tif", ".zip", ".xlsx")


def pack(root: pathlib.Path, target: pathlib.Path) -> None:
    """Writes a zip of all results below a folder; links are left out."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as packed:
        for path in sorted(root.rglob("*")):
            parts = path.relative_to(root).parts
            hidden = any(part.startswith(".") for part in parts)
            if parts[0] in _LEFT_OUT or hidden or path.is_symlink() or not path.is_file():
                continue
            plain = path.suffix.lower() not in _PACKED
            kind = zipfile.ZIP_DEFLATED if plain else zipfile.ZIP_STORED
            packed.write(path, "/".join(("srd", *parts)), kind)
