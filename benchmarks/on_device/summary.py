"""Writes summary.md from the results of all parts."""

import pathlib
from collections.abc import Callable
from typing import Any

from srd_jax.support.files import read_json, write_text

Row = dict[str, Any]
SLOWEST = 15  # kernels shown


def write_summary(folder: pathlib.Path) -> None:
    """Writes the tables of the parts that have results."""
    found = {
        name: read_json(folder / f"{name}.json")["rows"]
        for name in SECTIONS
        if (folder / f"{name}.json").exists()
    }
    parts = ["# On an accelerator\n", "Made by `python benchmarks/accelerator.py`.\n"]
    for name, make in SECTIONS.items():
        if found.get(name):
            parts.append(f"## {name}\n\n{make(found[name], found)}")
    write_text(folder / "summary.md", "\n".join(parts))


def table(rows: list[Row]) -> str:
    """Returns rows as a Markdown table; its columns are all keys in order."""
    if not rows:
        return ""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    lines = [columns, ["---"] * len(columns)]
    lines += [[_text(row.get(column, "")) for column in columns] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e5 else f"{value:.3e}"
    return str(value)


def lists(rows: list[Row], _) -> str:
    """Returns every row as lines of name and value."""
    return "".join(f"- {key}: {_text(value)}\n" for row in rows for key, value in row.items())


def plain(rows: list[Row], _) -> str:
    """Returns rows as one table."""
    return table(rows)


def by_case(rows: list[Row], found: dict[str, list[Row]]) -> str:
    """Returns rates beside the limits of memory and arithmetic, and the PyTorch twin's best.

    The limit of memory is the compiler's bytes over the measured bandwidth of a copy; that of
    arithmetic its operations over the measured rate of a bfloat16 matrix product.
    """
    device = {key: value for row in found.get("about", []) for key, value in row.items()}
    bandwidth, rate = (device.get(key) for key in ("copy_bytes_a_second", "bfloat16_flop_a_second"))
    shown = []
    for row in rows:
        one = {key: row.get(key) for key in ("what", "dtype", "batch", "columns", "error")}
        if row.get("error") is None:
            del one["error"]
            one |= {key: row[key] for key in ("ms_an_image", "images_a_second")}
            one |= {key: row[key] for key in ("gflop_an_image", "mbytes_an_image")}
            if bandwidth and rate:
                one["ms_of_memory"] = 1e3 * 1e6 * row["mbytes_an_image"] / bandwidth
                one["ms_of_arithmetic"] = 1e3 * 1e9 * row["gflop_an_image"] / rate
                one["share_of_memory_limit"] = one["ms_of_memory"] / row["ms_an_image"]
            same = ("what", "dtype", "batch", "columns")
            twins = [
                twin["ms_an_image"]
                for twin in found.get("torch_rates", [])
                if all(twin[key] == row[key] for key in same)
            ]
            if twins:
                one["best_torch_over_ours"] = min(twins) / row["ms_an_image"]
            one["compile_s"] = row["compile_seconds"]
        shown.append(one)
    return table(shown)


def by_kernel(rows: list[Row], _) -> str:
    """Returns the time by class, and the slowest kernels, for each case."""
    parts, same = [], ("what", "dtype", "batch", "columns")
    for case in dict.fromkeys(tuple(row[key] for key in same) for row in rows):
        own = [row for row in rows if tuple(row[key] for key in same) == case]
        own = [{key: value for key, value in row.items() if key not in same} for row in own]
        kinds, kernels = ([row for row in own if key in row] for key in ("kind", "kernel"))
        title = "{}, {}, batch {}, {} columns".format(*case)
        parts.append(f"{title}:\n\n{table(kinds)}\n{table(kernels[:SLOWEST])}")
    return "\n".join(parts)


SECTIONS: dict[str, Callable[[list[Row], dict[str, list[Row]]], str]] = {
    "about": lists,
    "parity": plain,
    "rates": by_case,
    "torch_rates": plain,
    "kernels": by_kernel,
    "curriculum": plain,
    "training": plain,
}
