"""The arguments of `srd surfaces render`."""

import argparse

from srd_jax.commands import arguments
from srd_jax.commands.parsers.surfaces import types
from srd_jax.synthetic.surfaces.names import MODES


def add(commands) -> None:
    """Adds the command."""
    text = "render the projection of a cubic membrane"
    one = arguments.add_command(commands, "render", text, "srd_jax.commands.surfaces.render:run")
    one.add_argument(
        "--type", type=types.kind, required=True, metavar="T", help="G, D, P, I-WP or L"
    )
    one.add_argument(
        "--a", type=arguments.positive, required=True, metavar="NM",
        help="edge of the unit cell; for D that of Fd-3m, twice that of Pn-3m",
    )  # fmt: skip
    types.add_hkl(one, "direction of view, default: 0 0 1; several give a contact sheet")
    one.add_argument(
        "--in-plane", type=types.number, default=0.0, metavar="DEG",
        help="turns the picture counter-clockwise",
    )  # fmt: skip
    _add_structure(one)
    _add_picture(one)


def _add_structure(one: argparse.ArgumentParser) -> None:
    group = one.add_mutually_exclusive_group()
    group.add_argument(
        "--phi", type=types.fraction, metavar="X", help="volume fraction of a channel, default: 0.5"
    )
    group.add_argument("--level", type=types.number, metavar="C", help="instead of --phi")
    one.add_argument(
        "--wall", type=arguments.positive, default=7.0, metavar="NM",
        help="full width of the membrane, default: %(default)s",
    )  # fmt: skip
    one.add_argument(
        "--membrane", nargs=2, type=types.number, action="append", metavar=("NM", "NM"),
        help="instead of --wall: distance from the surface and full width; may be repeated",
    )  # fmt: skip
    one.add_argument(
        "--edge", type=arguments.positive, default=1.0, metavar="NM",
        help="sd of the membrane's soft edge, default: %(default)s",
    )  # fmt: skip
    one.add_argument(
        "--thickness", type=arguments.positive, default=70.0, metavar="NM",
        help="of the section, default: %(default)s",
    )  # fmt: skip
    one.add_argument(
        "--shift", nargs=3, type=types.number, default=(0.0, 0.0, 0.0), metavar=("X", "Y", "Z"),
        help="place of the crystal in the middle of picture and section, cells",
    )  # fmt: skip


def _add_picture(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--nm-per-px", type=arguments.positive, default=1.0, metavar="X",
        help="default: %(default)s",
    )  # fmt: skip
    one.add_argument(
        "--size", nargs=2, type=types.size, default=(256, 256), metavar=("ROWS", "COLUMNS"),
        help="px, default: 256 256",
    )  # fmt: skip
    one.add_argument("--mode", choices=MODES, default="linear", help="default: %(default)s")
    one.add_argument(
        "--absorption", type=arguments.positive, default=0.05, metavar="X",
        help="of a membrane, 1 / nm, for beer-lambert; default: %(default)s",
    )  # fmt: skip
    one.add_argument("--out", type=arguments.path, required=True, metavar="PNG")
