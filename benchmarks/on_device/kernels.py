"""Sums the time of a device's kernels by class and name, from a profile of a few calls."""

import collections
import pathlib
import re
import tempfile
from collections.abc import Callable
from typing import Any

import jax
from jax.profiler import ProfileData

# Classes of kernels by patterns of their names, the first that fits.
CLASSES = {
    "convolution": r"conv|cudnn|implicit_gemm|xmma|wgrad|dgrad|fprop",
    "matrix product": r"gemm|cublas|dot|nvjet|cutlass",
    "copy, transpose": r"copy|transpose|memcpy|memset|bitcast",
    "reduction": r"reduce",
    "other fusion": r"fusion|loop|input",
}
CALLS, SHOWN = 5, 40


def profiled(work: Callable[[int], Any], images: int) -> list[dict[str, Any]]:
    """Returns rows of the time by class and of the slowest kernels, µs an image.

    Args:
      work: takes a call's number and returns what to wait for; it has run before.
      images: of a call.
    """
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder):
            for number in range(CALLS):
                last = work(number)
            jax.block_until_ready(last)
        (file,) = pathlib.Path(folder).rglob("*.xplane.pb")
        data = ProfileData.from_file(str(file))
    times, counts = collections.Counter(), collections.Counter()
    for plane in data.planes:
        if not plane.name.startswith("/device:GPU"):
            continue
        for line in plane.lines:
            if not line.name.startswith("Stream"):
                continue
            for event in line.events:
                times[event.name] += event.duration_ns
                counts[event.name] += 1
    scale = 1e-3 / CALLS / images  # from ns to µs an image
    rows = [
        dict(
            kind=kind,
            us_an_image=scale * sum(times[name] for name in names),
            calls=sum(counts[name] for name in names) / CALLS,
        )
        for kind, names in by_class(times).items()
    ]
    return rows + [
        dict(kernel=name[:140], us_an_image=scale * time, calls=counts[name] / CALLS)
        for name, time in times.most_common(SHOWN)
    ]


def by_class(names: collections.Counter) -> dict[str, list[str]]:
    """Returns the names of the kernels of each class."""
    found = collections.defaultdict(list)
    for name in names:
        fitting = (kind for kind, pattern in CLASSES.items() if re.search(pattern, name.lower()))
        found[next(fitting, "other")].append(name)
    return found
