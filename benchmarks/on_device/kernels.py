"""Profiles training with drawing, and sums the time of the device's kernels by class and name."""

import collections
import pathlib
import re
import tempfile

import jax
from common import Results, options_of
from jax.profiler import ProfileData
from rates import config_of, training

# Classes of kernels by patterns of their names, the first that fits.
CLASSES = {
    "convolution": r"conv|cudnn|implicit_gemm|xmma|cutlass.*(fprop|dgrad|wgrad)|nhwc|wgrad|dgrad",
    "matrix product": r"gemm|cublas|dot|nvjet|cutlass",
    "copy, transpose": r"copy|transpose|memcpy|memset|bitcast",
    "reduction": r"reduce",
    "other fusion": r"fusion|loop|input",
}
CALLS, SHOWN = 5, 40


def main() -> None:
    """Writes a row for each class and for each of the slowest kernels, for two widths."""
    options = options_of(str(__doc__))
    results = Results(options)
    shapes = ((4, 62),) if options.smoke else ((64, 476), (256, 142))
    for batch, columns in shapes:
        if results.has(columns=columns):
            continue
        config = config_of("bfloat16", batch, columns, options.smoke)
        for drawing in (False, True):
            times, counts = profiled(training(config, drawing)[1])
            key = dict(columns=columns, drawing=drawing)
            scale = 1e-3 / CALLS / batch  # from ns to µs an image
            for name, kernels in by_class(times).items():
                total = sum(times[kernel] for kernel in kernels)
                results.add(**key, kind=name, kernels=len(kernels), us_an_image=total * scale)
            for kernel, time in times.most_common(SHOWN):
                number = counts[kernel] / CALLS
                results.add(**key, kernel=kernel[:120], calls=number, us_an_image=time * scale)
        jax.clear_caches()
    results.finish()


def profiled(work) -> tuple[collections.Counter, collections.Counter]:
    """Returns the total ns and the number of calls of each kernel."""
    for number in range(2):
        jax.block_until_ready(work(number))
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder):
            for number in range(CALLS):
                last = work(number)
            jax.block_until_ready(last)
        (file,) = pathlib.Path(folder).rglob("*.xplane.pb")
        data = ProfileData.from_file(str(file))
    times, counts = collections.Counter(), collections.Counter()
    print([(plane.name, [line.name for line in plane.lines]) for plane in data.planes])
    for plane in data.planes:
        if not plane.name.startswith("/device:GPU"):
            continue
        for line in plane.lines:
            if not line.name.startswith("Stream"):
                continue
            for event in line.events:
                times[event.name] += event.duration_ns
                counts[event.name] += 1
    return times, counts


def by_class(times: collections.Counter) -> dict[str, list[str]]:
    """Returns the names of the kernels of each class."""
    found = collections.defaultdict(list)
    for name in times:
        fitting = (kind for kind, pattern in CLASSES.items() if re.search(pattern, name.lower()))
        found[next(fitting, "other")].append(name)
    return found


if __name__ == "__main__":
    main()
