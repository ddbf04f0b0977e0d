"""Options of XLA by which programs are compiled in half of the time, and those of the package."""

from importlib import metadata

# The CPU's older fusions compile faster; later versions don't have them and refuse the flag.
_OLDER = metadata.version("jaxlib").startswith("0.10.")

FLAGS = "--xla_backend_optimization_level=0"
FULL: dict[str, str | bool] = {"xla_backend_optimization_level": "3"}
if _OLDER:
    FLAGS += " --xla_cpu_use_fusion_emitters=false"
    FULL["xla_cpu_use_fusion_emitters"] = True
