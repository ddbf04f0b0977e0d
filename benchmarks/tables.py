"""Prints and writes tables of measurements, with the machine and the settings that made them."""

import argparse
import importlib.metadata
import json
import math
import os
import pathlib
import platform
import statistics
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from srd_jax.support.files import PNG_TEXT, whole_file, write_text
from srd_jax.support.version import __version__

BUSY = 0.5  # load beyond which times don't hold

# Kind, such as machine or versions → name → value.
Setting = dict[str, dict[str, Any]]


class Table(NamedTuple):
    """A table; its numbers are rounded where it is printed only."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


def add_out(parser: argparse.ArgumentParser, files: str = "md, json") -> None:
    """Adds the option --out, whose folder is made at once, before anything is measured."""
    parser.add_argument("--out", type=_folder, metavar="DIR", help=f"folder for NAME.{{{files}}}")


def _folder(text: str) -> pathlib.Path:
    try:
        pathlib.Path(text).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise argparse.ArgumentTypeError(
            f"{text} is no folder and can't be made one ({error.strerror}); accepted: a folder"
        ) from error
    return pathlib.Path(text)


def machine() -> dict[str, str]:
    """Returns processor, cores, memory, system and the state of transparent huge pages."""
    processor = platform.processor() or platform.machine()
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        processor = models[0] if models else processor
    pages = pathlib.Path("/sys/kernel/mm/transparent_hugepage/enabled")
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": processor,
        "cores": str(cores()),
        "memory": f"{memory / 1e9:.0f} GB",
        "system": platform.platform(),
        "transparent huge pages": pages.read_text().strip() if pages.is_file() else "none",
    }


def cores() -> int:
    """Returns the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def versions(packages: Iterable[str] = ()) -> dict[str, str]:
    """Returns the versions of Python, JAX, NumPy, this package and others by name."""
    others = {name: importlib.metadata.version(name) for name in ("jax", "numpy", *packages)}
    return {"python": platform.python_version(), **others, "srd_jax": __version__}


def started(options: argparse.Namespace, packages: Iterable[str] = ()) -> Setting:
    """Returns the setting of a run that begins now, and warns where the machine is busy.

    Args:
      options: of the command line; all but --out are settings.
      packages: whose versions matter, beside those of `versions`.
    """
    load = os.getloadavg()[0]
    if load > BUSY:
        print(
            f"the machine is busy (load {load:.1f}): times and their ratios do not hold; "
            f"measure where the load is at most {BUSY}",
            file=sys.stderr,
        )
    chosen = {name: value for name, value in vars(options).items() if name != "out"}
    return {
        "machine": machine(),
        "versions": versions(packages),
        "settings": chosen,
        "load": {"before": round(load, 2)},
    }


def paired_ratio(values: Sequence[float], others: Sequence[float]) -> float:
    """Returns the median over rounds of a value over another one of the same round."""
    return statistics.median(a / b for a, b in zip(values, others, strict=True))


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Returns median, minimum and maximum."""
    return statistics.median(values), min(values), max(values)


def text(value: Any) -> str:
    """Returns the text of a value, numbers with three digits or all before the point."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)


def markdown(table: Table) -> str:
    """Returns a table in Markdown, its title above; columns of numbers align to the right."""
    lines = [f"**{table.title}**", "", _line(table.columns)]
    marks = ["---" if _is_words(column) else "---:" for column in zip(*table.rows, strict=True)]
    lines.append(_line(marks or ["---"] * len(table.columns)))
    lines += [_line([text(value) for value in row]) for row in table.rows]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _is_words(column: Iterable[Any]) -> bool:
    return any(isinstance(value, str) for value in column)


def described(setting: Setting) -> str:
    """Returns a setting as a list in Markdown, a line for each kind."""
    kinds = []
    for kind, values in setting.items():
        kinds.append(f"- {kind}: " + "; ".join(f"{name} {v}" for name, v in values.items()))
    return "\n".join(kinds) + "\n"


def publish(
    name: str,
    setting: Setting,
    found: Sequence[Table],
    out: pathlib.Path | None,
    samples: Any = None,
    figure: Figure | None = None,
    quiet: bool = False,
) -> None:
    """Prints tables with their setting, and writes NAME.md, NAME.json and NAME.png to a folder.

    Args:
      name: of the script.
      setting: of `started`; the load of now is added.
      found: the tables.
      out: the folder; None writes nothing.
      samples: all that was measured, as plain values, for the JSON file.
      figure: the plot, if there is one.
      quiet: prints nothing.
    """
    # Beside others' work, it is that of the measurement itself.
    setting = setting | {"load": setting["load"] | {"after": round(os.getloadavg()[0], 2)}}
    page = "\n".join([*map(markdown, found), described(setting)])
    if not quiet:
        print(page, flush=True)
    if out is None:
        return
    picture = f"\n![{name}]({name}.png)\n" if figure else ""
    write_text(out / f"{name}.md", f"# {name}\n\n{page}{picture}")
    content = {"setting": setting, "tables": [table._asdict() for table in found]}
    content |= {} if samples is None else {"samples": samples}
    write_text(out / f"{name}.json", json.dumps(content, indent=2, default=str) + "\n")
    if figure:
        with whole_file(out / f"{name}.png") as path:
            figure.savefig(path, dpi=150, bbox_inches="tight", metadata=PNG_TEXT)
