"""The whole review app, but that grana are drawn instead of found and measured by geometry alone.

python -m helpers.drawn_review serve ROOT: prints the address and serves until it is ended.
python -m helpers.drawn_review job ROOT [--tables]: the analysis that it runs.
"""

import contextlib
import os
import pathlib
import socket
import subprocess
import sys
import unittest.mock

from helpers import analyses, review_app
from srd_jax.analysis.output import records
from srd_jax.analysis.output.run import Plan
from srd_jax.analysis.report import granum_picture
from srd_jax.commands.micrographs import planning, review_job
from srd_jax.review.server import application
from srd_jax.review.server.security import Access
from srd_jax.review.server.worker import running

_MODULE = "helpers.drawn_review"


@contextlib.contextmanager
def served(root):
    """Runs the app in a process of its own; yields the address with the token."""
    paths = [pathlib.Path(__file__).parent.parent, *filter(None, [os.environ.get("PYTHONPATH")])]
    process = subprocess.Popen(
        [*running.program(_MODULE), "serve", str(root)],
        env={**running.environment(), "PYTHONPATH": os.pathsep.join(map(str, paths))},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _serve(root):
    bound = socket.create_server(("127.0.0.1", 0))
    host = f"127.0.0.1:{bound.getsockname()[1]}"
    service = review_app.service_of(pathlib.Path(root), analysis=[*running.program(_MODULE), "job"])
    access = Access(frozenset({host}))
    print(f"http://{host}/?token={access.token}", flush=True)
    application.serve(application.make(service, access), service, bound)
    return 0


def _planned(options, paths, excluded):
    """A stand-in for `planning.make`."""
    fixed = {"srd_jax": "0.1.0", "px_per_nm": None, "bar_nm": None}

    def made(path):
        return records.identity(path, fixed)

    return Plan(analyses.read, analyses.analyse, made, excluded), fixed


def _job(root, *options):
    with (
        unittest.mock.patch.object(planning, "make", _planned),
        unittest.mock.patch.object(granum_picture, "_traced", analyses.traced),
    ):
        return review_job.main([root, *options])


if __name__ == "__main__":
    sys.exit({"serve": _serve, "job": _job}[sys.argv[1]](*sys.argv[2:]))
