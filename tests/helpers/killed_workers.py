"""Lets worker processes of Dask be killed while they read a file that has a mark beside it."""

import os
import signal

from distributed import WorkerPlugin

from srd_jax.measuring import measure_files

ONCE, ALWAYS = ".once", ".always"


class Killing(WorkerPlugin):
    """Patches each worker process, also one that is started again."""

    name = "killing"

    def setup(self, worker):
        open_crops = measure_files.open_crops

        def opening(path):
            if (mark := path.with_suffix(ONCE)).exists():
                mark.unlink()
                os.kill(os.getpid(), signal.SIGKILL)
            if path.with_suffix(ALWAYS).exists():
                os.kill(os.getpid(), signal.SIGKILL)
            return open_crops(path)

        measure_files.open_crops = opening
