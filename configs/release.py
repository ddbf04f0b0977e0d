"""The released weights: four parts on generated grana alone, each from the one before.

python launch.py --config=configs/release.py --workdir=runs/release
python launch.py --config=configs/release.py --workdir=runs/release --config.preset=full

The result is runs/release/weights.safetensors. No real crop is seen, and no image twice.
"""

from srd_jax.curriculum.config import CurriculumConfig


def get_config() -> CurriculumConfig:
    """Returns the config."""
    return CurriculumConfig(name="release", stages=("release1", "release2", "release3", "release4"))
