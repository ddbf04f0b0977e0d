"""Trains the released weights: four parts on generated grana alone, each from the one before.

python launch.py --config=configs/release.py --workdir=runs/release
python launch.py --config=configs/release.py --workdir=runs/release_full --config.preset=full
python launch.py --config=configs/release.py --workdir=runs/release_smoke --config.preset=smoke

The result is weights.safetensors in the workdir. No real crop is seen, and no image twice. The
preset full is made for a GPU or TPU: 3.8 million images in large batches, bfloat16.
"""

from srd_jax.curriculum.config import CurriculumConfig


def get_config() -> CurriculumConfig:
    """Returns the config."""
    return CurriculumConfig(name="release", stages=("release1", "release2", "release3", "release4"))
