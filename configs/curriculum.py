"""The whole curriculum: stages 1 to 6, each from the one before, in one workdir.

python launch.py --config=configs/curriculum.py --workdir=runs/all
python launch.py --config=configs/curriculum.py --workdir=runs/full --config.preset=full

The same command goes on wherever it was stopped. `--config.stages="('stage1','stage2','stage4')"`
skips stages; `--config.data.dir=DIR` takes real crops instead of drawn ones.
The preset fast takes an hour and a half on two CPU cores; see the README for its figures.
"""

from srd_jax.curriculum.config import CurriculumConfig


def get_config() -> CurriculumConfig:
    """Returns the config."""
    return CurriculumConfig()
