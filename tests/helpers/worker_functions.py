"""Functions that worker processes of tests apply; as a program, starts one that waits.

python -m helpers.worker_functions PATH: the worker writes its number to PATH.
"""

import os
import pathlib
import signal
import sys
import time

from srd_jax.support import parallel


def squared(number):
    return number**2


def killed_by(number):
    """Kills its process at 3 and at 4, and takes its time before at the first."""
    if number in (3, 4):
        time.sleep(0.2 * (number == 3))
        os.kill(os.getpid(), signal.SIGKILL)
    return number**2


def raising(number):
    if number == 2:
        raise ValueError("two")
    return number


def waiting(path):
    """Tells its process by a file, and waits for ever."""
    path.write_text(str(os.getpid()))
    time.sleep(600)


if __name__ == "__main__":
    list(parallel.ordered(waiting, [pathlib.Path(sys.argv[1])], 1, 1, str))
