"""Trains the whole curriculum: stages 1 to 6, each from the one before, in one workdir.

python launch.py --config=configs/curriculum.py --workdir=runs/all
python launch.py --config=configs/curriculum.py --workdir=runs/full --config.preset=full
python launch.py --config=configs/curriculum.py --workdir=runs/smoke --config.preset=smoke

The same command resumes a stopped curriculum. `--config.data.dir=DIR` takes real crops instead of
drawn ones. `--config.stages="('stage1','stage2','stage4')"` skips stages.
The preset fast takes an hour and a half on two CPU cores; the README has its scores.
"""

from srd_jax.curriculum.config import CurriculumConfig


def get_config() -> CurriculumConfig:
    """Returns the config."""
    return CurriculumConfig()
