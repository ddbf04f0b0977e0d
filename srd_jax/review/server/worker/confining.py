"""Limits the memory and time of the process that calls it."""

import contextlib
import os


def confine(memory_bytes: int, seconds: int, file_bytes: int = 4_000_000_000) -> None:
    """Limits this process, where the system can: addresses, processor time, sizes of files.

    Args:
      memory_bytes: of addresses, which are more than what is used of them.
      seconds: of processor time, after which the system kills the process.
      file_bytes: largest file that may be written.
    """
    with contextlib.suppress(OSError, AttributeError):  # Windows
        os.nice(5)
    try:
        import resource  # absent on Windows
    except ImportError:
        return
    limits = {
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_FSIZE: file_bytes,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 256,
    }
    for name, most in limits.items():
        # macOS knows some of them only; a lower hard limit of the user stays.
        with contextlib.suppress(ValueError, OSError):
            hard = resource.getrlimit(name)[1]
            least = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(name, (least, least))
