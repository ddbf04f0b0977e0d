"""States versions, device and memory, and measures copy bandwidth and matrix product."""

import platform
import subprocess

import jax
import jax.numpy as jnp
from common import Results, options_of, seconds_a_call

PACKAGES = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy", "torch")


def main() -> None:
    """Writes one row of versions and one of the device."""
    options = options_of(str(__doc__))
    results = Results(options.out, options.seconds)
    results.rows.clear()
    results.add(python=platform.python_version(), **versions())
    device = jax.devices()[0]
    stats = device.memory_stats() or {}
    results.add(
        device=device.device_kind,
        platform=device.platform,
        number=jax.device_count(),
        memory_bytes=stats.get("bytes_limit"),
        driver=driver(),
    )
    large = 1 << (20 if options.smoke else 30)
    side = 256 if options.smoke else 8192
    results.add(copy_bytes_a_second=copied(large), bfloat16_flop_a_second=multiplied(side))
    results.finish()


def versions() -> dict[str, str]:
    """Returns the installed versions by package."""
    from importlib import metadata

    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def driver() -> str:
    """Returns name and driver of the GPU as nvidia-smi states them, or "none"."""
    command = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "none"


def copied(size: int) -> float:
    """Returns the bytes a second that a copy of `size` bytes reads and writes."""
    one = jnp.zeros(size // 4, jnp.float32)
    change = jax.jit(lambda x: x + 1, donate_argnums=0)
    held = [change(one)]

    def work():
        held[0] = change(held[0])

    return 2 * size / seconds_a_call(work, lambda: jax.block_until_ready(held[0]), 20)


def multiplied(side: int) -> float:
    """Returns the operations a second of a product of bfloat16 matrices of random numbers."""
    one = jax.random.normal(jax.random.key(0), (side, side), jnp.bfloat16)
    product = jax.jit(jnp.matmul)
    held = [product(one, one)]

    def work():
        held[0] = product(one, one)

    return 2 * side**3 / seconds_a_call(work, lambda: jax.block_until_ready(held[0]), 10)


if __name__ == "__main__":
    main()
