import dataclasses
import math

import pytest
from helpers.membrane_runs import tiny
from helpers.training_runs import ROOT, one_line

from srd_jax.support.errors import InputError
from srd_jax.support.fields import checked
from srd_jax.synthetic.surfaces.config import SurfacesConfig
from srd_jax.tasks.config_files import read_config
from srd_jax.tasks.surfaces.config import CubicMembranesConfig, LossConfig, ModelConfig
from srd_jax.tasks.surfaces.model import parameter_shapes
from srd_jax.training.config import EndConfig, ValidationConfig

FILE = ROOT / "configs" / "surfaces.py"


@pytest.mark.parametrize("preset", ["smoke", "fast", "full"])
def test_presets_are_valid(preset):
    assert read_config(FILE, preset, CubicMembranesConfig).name == "surfaces"


def test_a_preset_that_is_none_is_named():
    with pytest.raises(InputError, match=r"preset is 'fats'; accepted: .* did you mean fast") as e:
        read_config(FILE, "fats", CubicMembranesConfig)
    assert one_line(e.value).startswith(str(FILE))


def test_the_network_is_small():
    count = sum(map(math.prod, parameter_shapes(ModelConfig()).values()))
    assert count < 1.5e6


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 36}, "config.size is 36; accepted: a multiple of 8"),
        (
            {"validation": ValidationConfig(images=5, batch_size=5, frame=(32, 33), pictures=0)},
            "config.validation.frame[1] is 33; accepted: a multiple of 8",
        ),
        ({"model": ModelConfig(radii=20)}, "config.model.radii is 20; accepted: a multiple of 8"),
        ({"model": ModelConfig(image_channels=())}, "config.model.image_channels is empty"),
        ({"model": ModelConfig(hidden=20)}, "config.model.hidden is 20; accepted: a multiple of"),
        (
            {"model": ModelConfig(spectrum_channels=(8, 12))},
            "config.model.spectrum_channels[1] is 12; accepted: a multiple of config.model.group",
        ),
        (
            {"model": ModelConfig(wavelengths=(8.0, 8.0))},
            "config.model.wavelengths is (8.0, 8.0); accepted: rising",
        ),
        ({"loss": LossConfig(pose="sfot")}, "did you mean soft?"),
        ({"loss": LossConfig(error="normal")}, "accepted: gaussian, laplace, student"),
        ({"source": SurfacesConfig(kinds=("X",))}, "config.source.kinds[0] is 'X'; accepted: G, D"),
        ({"end": EndConfig(keep_minima=2)}, "config.end keeps candidates"),
        ({"kind": "period"}, "config.kind is 'period'; accepted: 'surfaces'"),
    ],
)
def test_mistakes_are_named(changes, message):
    with pytest.raises(InputError) as error:
        checked(dataclasses.replace(tiny(), **changes))
    assert message in one_line(error.value)
