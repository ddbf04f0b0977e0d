"""Runs `srd predict` and stops it at a moment; as a program, kills itself.

python -m helpers.predicting NUMBER ARGUMENT…: while the line of the NUMBERth file is written, half
of it, the process gets SIGKILL.
"""

import json
import os
import signal
import sys
import unittest.mock

from helpers.command import run
from srd_jax.support import journal


def stopped(number, *arguments):
    """Runs the command until so many files are done, when Ctrl-C is pressed."""
    append, calls = journal.Journal.append, []

    def appending(self, entry):
        append(self, entry)
        calls.append(entry)
        if len(calls) == number:
            raise KeyboardInterrupt

    with unittest.mock.patch.object(journal.Journal, "append", appending):
        assert run("predict", *arguments) == 130


def _killing(number):
    append, calls = journal.Journal.append, []

    def appending(self, entry):
        calls.append(entry)
        if len(calls) == number:
            text = json.dumps(entry).encode()
            os.write(self._file, text[: len(text) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        append(self, entry)

    return appending


if __name__ == "__main__":
    with unittest.mock.patch.object(journal.Journal, "append", _killing(int(sys.argv[1]))):
        sys.exit(run("predict", *sys.argv[2:]))
