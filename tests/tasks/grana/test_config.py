import dataclasses
import math

import pytest
from helpers.micrograph_runs import tiny
from helpers.training_runs import ROOT, one_line

from srd_jax.support.errors import InputError
from srd_jax.support.fields import checked
from srd_jax.tasks.config_files import read_config
from srd_jax.tasks.grana.config import LossConfig, MicrographsConfig, ModelConfig
from srd_jax.tasks.grana.model import parameter_shapes
from srd_jax.training.config import EndConfig, ValidationConfig

FILE = ROOT / "configs" / "micrographs.py"


@pytest.mark.parametrize("preset", ["smoke", "fast", "full"])
def test_presets_are_valid(preset):
    config = read_config(FILE, preset, MicrographsConfig)
    assert config.name == "micrographs"


def test_a_preset_that_is_none_is_named():
    with pytest.raises(InputError, match=r"preset is 'fats'; accepted: .* did you mean fast") as e:
        read_config(FILE, "fats", MicrographsConfig)
    assert one_line(e.value).startswith(str(FILE))


def test_a_config_of_another_task_is_refused():
    with pytest.raises(InputError, match=r"returns a MicrographsConfig; .* returns a PeriodConfig"):
        read_config(FILE)


def test_the_released_network_is_small():
    count = sum(map(math.prod, parameter_shapes(ModelConfig()).values()))
    assert 4 * count < 4e6


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 33}, "config.size is 33; accepted: a multiple of 2"),
        ({"size": 34, "model": ModelConfig((4, 8, 8))}, "config.size is 34; accepted: a multiple"),
        (
            {"validation": ValidationConfig(images=4, batch_size=2, frame=(32, 64), pictures=0)},
            "config.validation.frame is 32x64; accepted: as many rows as columns",
        ),
        (
            {"validation": ValidationConfig(images=4, batch_size=2, frame=(33, 33), pictures=0)},
            "config.validation.frame is 33; accepted: a multiple of 2",
        ),
        ({"model": ModelConfig((4,))}, "config.model.channels is (4,); accepted: at least two"),
        (
            {"model": ModelConfig((4, 12))},
            "config.model.channels[1] is 12; accepted: a multiple of config.model.group, 8",
        ),
        ({"model": ModelConfig((0, 8))}, "config.model.channels[0] is 0; accepted: finite"),
        ({"loss": LossConfig(granum="dise")}, "did you mean dice?"),
        ({"loss": LossConfig(direction="angle")}, "accepted: vector, cosine"),
        ({"end": EndConfig(keep_minima=2)}, "config.end keeps candidates"),
        ({"kind": "period"}, "config.kind is 'period'; accepted: 'micrographs'"),
    ],
)
def test_mistakes_are_named(changes, message):
    with pytest.raises(InputError) as error:
        checked(dataclasses.replace(tiny(), **changes))
    assert message in one_line(error.value)
