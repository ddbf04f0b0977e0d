"""`srd app`: the review of grana in the browser."""

import argparse
import importlib.util
import ipaddress
import pathlib
import socket
import sys
import webbrowser

from srd_jax.analysis.output import folder as folders
from srd_jax.commands import arguments
from srd_jax.commands.micrographs import detectors, review_job
from srd_jax.commands.parsers.app import WORKDIR
from srd_jax.imaging.folders import ANALYSIS_MARK
from srd_jax.imaging.micrographs.finding import find_micrographs
from srd_jax.support.errors import InputError
from srd_jax.support.process import ALL_READ

_NEEDED = ("starlette", "uvicorn", "shapely")
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def run(options: argparse.Namespace) -> int:
    """Runs the command and returns the exit status."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(
            f"srd app: the package {missing[0]} isn't installed; accepted is to install the extra "
            "app: pip install 'srd-jax[app]'"
        )
    detectors.check(options)
    root, paths = _places(options)
    found = arguments.images([str(path) for path in paths], find_micrographs)
    _take(root)
    # Late, as they come with the extra.
    from srd_jax.review.server import application
    from srd_jax.review.server.security import Access
    from srd_jax.review.server.service import Config, Service
    from srd_jax.review.server.uploads import Room
    from srd_jax.review.server.worker import running

    bound = _bound(options.host, options.port)
    port = bound.getsockname()[1]
    given = ["--detector", options.detector]
    given += ["--weights", options.weights] if options.weights else []
    analysis = [*running.program(review_job.__name__), *given]
    room = Room(megabytes=options.max_upload_mb)
    service = Service(Config(root, analysis, tuple(paths), room))
    if not service.read_only:
        service.add([one.absolute() for one in found.images])
    hosts = frozenset(f"{name}:{port}" for name in _names(options.host, options.name))
    access = Access(hosts, cookie=f"srd_{port}", read_only=service.read_only)
    _announce(options, port, access.token, service.read_only)
    application.serve(application.make(service, access), service, bound)
    return ALL_READ


def _places(options: argparse.Namespace) -> tuple[pathlib.Path, list[pathlib.Path]]:
    """Returns the folder of the results, and what else may be read.

    Raises:
      InputError: there are two folders of results.
    """
    paths = [pathlib.Path(path).resolve() for path in options.paths]
    analysed = [path for path in paths if (path / ANALYSIS_MARK).is_file()]
    named = [pathlib.Path(options.workdir).resolve()] if options.workdir else []
    given = list(dict.fromkeys([*named, *analysed]))
    if given[1:]:
        raise InputError(f"{given[1]}: is a second folder of results; accepted is one")
    root = given[0] if given else pathlib.Path(WORKDIR).resolve()
    return root, [path for path in paths if path != root]


def _take(root: pathlib.Path) -> None:
    """Makes a folder of results, or checks that it is one.

    Raises:
      InputError: it isn't, or can't be written.
    """
    try:
        # Marks it, so that what the app puts there doesn't make it another's.
        with folders.opened(str(root)):
            pass
    except InputError as error:
        raise InputError(str(error).replace("--out ", "--workdir ", 1)) from error


def _bound(host: str, port: int) -> socket.socket:
    """Returns a socket that listens.

    Raises:
      InputError: it can't.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(128)
    except OSError as error:
        raise InputError(
            f"--host {host} --port {port}: cannot be listened at ({error.strerror}); accepted is "
            "another --port, such as 0 for any free one, or a name of this machine"
        ) from error
    return bound


def _names(host: str, others: list[str]) -> list[str]:
    """Returns the names by which browsers may reach the app, in small letters."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return [*_LOOPBACK, host.lower(), *map(str.lower, others)]
    names = [*_LOOPBACK, *map(str.lower, others)]
    if address.is_unspecified:
        machine = socket.gethostname()
        names += [machine.lower(), socket.getfqdn().lower()]
        try:
            found = {str(one[4][0]) for one in socket.getaddrinfo(machine, None)}
        except OSError:
            found = set()
        return names + [f"[{one}]" if ":" in one else one for one in sorted(found)]
    return [*names, f"[{address}]" if address.version == 6 else str(address)]


def _announce(options: argparse.Namespace, port: int, token: str, read_only: bool) -> None:
    """Prints the address, and opens it."""
    local = options.host in ("127.0.0.1", "localhost", "::1", "0.0.0.0", "::")
    name = "127.0.0.1" if options.host != "::1" and local else options.host
    shown = f"[{name}]" if ":" in name else name
    address = f"http://{shown}:{port}/?token={token}"
    print(f"srd app: {address}", flush=True)
    if options.host not in ("127.0.0.1", "localhost", "::1"):
        print(f"others may open it by this token; the connection isn't encrypted ({options.host})",
              file=sys.stderr)  # fmt: skip
    if read_only:
        print("another srd app works on this folder; this one only shows it", file=sys.stderr)
    if not options.no_browser:
        webbrowser.open(address)
