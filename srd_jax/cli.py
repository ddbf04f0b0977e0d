"""Command line: `srd` or `python -m srd_jax`."""

import argparse
import pathlib
import sys
from collections.abc import Callable, Sequence

import rich.console
import rich.progress

from srd_jax import images, predict, results, torch_weights, weights
from srd_jax.errors import InputError
from srd_jax.files import check_writable

ALL_READ, SOME_FAILED, USAGE = 0, 1, 2
NO_WEIGHTS = (
    "no weights given; train some (python launch.py --config=configs/quickstart.py, then "
    "--weights runs/quickstart) or import released ones (srd import-weights FILE --out "
    "weights.safetensors, then --weights weights.safetensors)"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit status: 0 all read, 1 some failed, 2 usage."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="srd", description="Measures the stacking repeat distance of chloroplast grana."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_predict(commands)
    for name, text, command, flag in (
        (
            "import-weights",
            "read released PyTorch weights (.npz, .ckpt, .safetensors)",
            _import_weights,
            "--out",
        ),
        ("export-weights", "write weights under their PyTorch names", _export_weights, "--torch"),
    ):
        one = commands.add_parser(name, help=text, description=text)
        one.add_argument("source", metavar="FILE")
        one.add_argument(flag, dest="target", required=True, metavar="OUT.safetensors")
        one.set_defaults(command=command)
    return parser


def _add_predict(commands) -> None:
    text = "measure crops of grana: images, or folders of them with their subfolders"
    one = commands.add_parser("predict", help=text, description=text)
    one.add_argument("paths", nargs="+", metavar="PATH")
    one.add_argument("--weights", metavar="FILE|DIR", help="weights file or workdir of a run")
    one.add_argument("--px-per-nm", type=_positive, metavar="X", help="scale of all images")
    one.add_argument("--out", default="results.csv", metavar="CSV", help="default: %(default)s")
    one.add_argument("--overlay", metavar="DIR", help="folder for pictures of the attention")
    one.add_argument("--batch-size", type=_count, default=8, metavar="N")
    one.set_defaults(command=_predict)


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text}: accepted is a number above 0")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text}: accepted is a whole number from 1 on")
    return value


def _predict(options: argparse.Namespace) -> int:
    if options.weights is None:
        raise InputError(NO_WEIGHTS)
    paths = images.find_images(options.paths)
    check_writable(options.out)
    overlay = None if options.overlay is None else pathlib.Path(options.overlay)
    if overlay is not None:
        check_writable(overlay / "picture.png")
    estimator = predict.load(options.weights, options.batch_size)
    rows: list[predict.Row] = []
    console = rich.console.Console()
    try:
        _measure(estimator, paths, options.px_per_nm, overlay, rows)
    finally:  # what is measured is kept, whatever stops the rest
        results.write_csv(options.out, rows)
    results.print_table(console, rows)
    failed = sum(row.status == "error" for row in rows)
    print(f"{len(rows) - failed} of {len(rows)} measured; results in {options.out}", end="")
    print(f", overlays in {overlay}" if overlay else "")
    return SOME_FAILED if failed else ALL_READ


def _measure(
    estimator: predict.Estimator,
    paths: Sequence[pathlib.Path],
    px_per_nm: float | None,
    overlay: pathlib.Path | None,
    rows: list[predict.Row],
) -> None:
    """Appends a row a file, and writes overlays, behind a progress bar."""
    root = results.common_root(paths)
    measured = predict.measure_files(
        estimator, paths, px_per_nm, with_attention=overlay is not None
    )
    bar = rich.console.Console(stderr=True)
    for one in rich.progress.track(measured, "measuring", len(paths), console=bar, transient=True):
        rows.append(one.row)
        if overlay is not None:
            results.write_overlay(overlay, root, one, estimator.weights.model.geometry)


def _import_weights(options: argparse.Namespace) -> int:
    found = torch_weights.import_weights(options.source)
    weights.save(options.target, found)
    count = sum(value.size for value in found.parameters.values())
    print(f"{count:,} weights in {len(found.parameters)} tensors written to {options.target}")
    return ALL_READ


def _export_weights(options: argparse.Namespace) -> int:
    torch_weights.export_weights(weights.load(options.source), options.target)
    print(f"written under PyTorch's names to {options.target}")
    return ALL_READ
