"""Runs `srd analyse` with a pipeline that draws its results; as a program, may kill itself.

python -m helpers.analysing LOG KILL ARGUMENT…: appends a line to LOG for each micrograph that is
analysed; before the KILLth file is put into its place, or after it if KILL is negative, the process
gets SIGKILL; 0 for never.
"""

import os
import pathlib
import signal
import sys
import unittest.mock

from helpers import analyses
from srd_jax import cli
from srd_jax.analysis.output import records
from srd_jax.analysis.output.run import Plan
from srd_jax.analysis.report import granum_picture
from srd_jax.commands.micrographs import planning
from srd_jax.support import files


def make(log):
    """A stand-in for `planning.make`."""

    def made(options, paths, excluded):
        def analyse(micrograph):
            with log.open("a") as file:
                file.write(f"{pathlib.Path(micrograph.name).name}\n")
            return analyses.analyse(micrograph)

        fixed = {"threshold": options.threshold}
        plan = Plan(analyses.read, analyse, lambda path: records.identity(path, fixed), excluded)
        return plan, {"srd_jax": "0.1.0", "threshold": str(options.threshold)}

    return made


def run(log, *arguments, put=files._put):
    """Runs the command, and returns its exit status."""
    with (
        unittest.mock.patch.object(planning, "make", make(log)),
        unittest.mock.patch.object(granum_picture, "_traced", analyses.traced),
        unittest.mock.patch.object(files, "_put", put),
    ):
        return cli.main(["analyse", *map(str, arguments)])


def killing(number):
    """Puts files into their places until it is time to be killed."""
    count = 0

    def put(*places):
        nonlocal count
        count += 1
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)
        before(*places)
        if count == -number:
            os.kill(os.getpid(), signal.SIGKILL)

    before = files._put
    return put


if __name__ == "__main__":
    sys.exit(run(pathlib.Path(sys.argv[1]), *sys.argv[3:], put=killing(int(sys.argv[2]))))
