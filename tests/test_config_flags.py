import copy

import pytest
from absl import flags
from ml_collections import config_flags

from srd_jax.support.errors import InputError
from srd_jax.support.fields import checked, differences

# Of ml_collections, on Python 3.11 and newer.
pytestmark = pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")


def parsed(tmp_path, *arguments):
    """The config that command-line flags give, as in launch.py."""
    path = tmp_path / "tiny.py"
    path.write_text(
        "from srd_jax.tasks.period.config import PeriodConfig\n"
        "def get_config():\n"
        "    return PeriodConfig(name='tiny', frame=(476, 62))\n"
    )
    arguments = ("launch.py", f"--config={path}", *arguments)
    values = flags.FlagValues()
    holder = config_flags.DEFINE_config_file("config", None, "", values, sys_argv=arguments)
    values(arguments)
    return holder.value


def test_flags_override_fields(tmp_path):
    found = checked(
        parsed(
            tmp_path,
            "--config.epochs=3",
            "--config.optimizer.learning_rate=3e-4",
            "--config.optimizer.schedule=constant",
            "--config.model.confidence=True",
            "--config.source.period=(25.0,90.0)",
            "--config.source.clean_rectangles=(0,2)",
            "--config.validation.frame=(220,38)",
        )
    )
    expected = copy.deepcopy(parsed(tmp_path))
    expected.epochs = 3
    expected.optimizer.learning_rate, expected.optimizer.schedule = 3e-4, "constant"
    expected.model.confidence = True
    expected.source.period, expected.source.clean_rectangles = (25.0, 90.0), (0, 2)
    expected.validation.frame = (220, 38)
    assert differences(found, expected) == []
    assert (found.name, found.frame) == ("tiny", (476, 62))


@pytest.mark.parametrize(
    ("argument", "error", "message"),
    [
        ("epochs=many", flags.IllegalFlagValueError, "many"),
        ("epochs=1.5", flags.IllegalFlagValueError, r"1\.5"),
        ("optimizer.learning_rate=fast", flags.IllegalFlagValueError, "fast"),
        ("model.confidence=perhaps", flags.IllegalFlagValueError, "perhaps"),
        ("epoch=3", KeyError, "epoch not found"),
        ("frame=(476,62.5)", InputError, r"frame\[1\] is 62\.5; accepted: int"),
        ("source.period=(25.0,'x')", InputError, r"period\[1\] is 'x'; accepted: float"),
        ("source.period=(25.0,60.0,90.0)", InputError, "period has 3 values; accepted: 2"),
    ],
)
def test_flags_of_a_wrong_type_or_name_are_refused(tmp_path, argument, error, message):
    with pytest.raises(error, match=message):
        checked(parsed(tmp_path, f"--config.{argument}"))
