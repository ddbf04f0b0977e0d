import dataclasses
import json
import math

import pytest

from srd_jax.networks.receptive_field import Block
from srd_jax.support.errors import InputError
from srd_jax.support.fields import checked, differences, from_dict, to_json
from srd_jax.synthetic.config import GranaConfig, StripesConfig
from srd_jax.tasks.period import config as config_module
from srd_jax.tasks.period.config import (
    DataConfig,
    EncoderConfig,
    LossConfig,
    ModelConfig,
    PeriodConfig,
)
from srd_jax.training.config import (
    CloneConfig,
    EndConfig,
    OptimizerConfig,
    StartConfig,
    ValidationConfig,
)


def other():
    """A valid config that differs from the default in every field but a few.

    These are the source's kind and the ranges of drawn crops.
    """
    return PeriodConfig(
        name="other",
        seed=3,
        frame=(19, 12),
        batch_size=2,
        steps_per_epoch=6,
        epochs=5,
        log_every_steps=3,
        matmul_precision="highest",
        keep_checkpoints=1,
        reference_mae=3.5,
        model=ModelConfig(
            encoder=EncoderConfig(
                blocks=(Block(2, (3, 2)), Block(1, (1, 1), kernel=4)), channels=4, dropout=0.0
            ),
            heads=3,
            hidden=5,
            confidence=True,
            grey="robust",
            grey_mean=0.5,
            grey_sd=0.25,
            compute_dtype="bfloat16",
            initial_period=40.0,
        ),
        source=StripesConfig("stripes", (10.0, 30.0), (0.25, 0.5), (0.0, 20.0), (0, 2)),
        optimizer=OptimizerConfig("adamw", 0.5, 0.0, 2.0, "step", 4, (2, 3), 0.5, 0.9),
        loss=LossConfig("mse_to_gaussian_nll", 4, 0.0),
        validation=ValidationConfig(8, (22, 14), 7, 4, 2, 0),
        data=DataConfig("tfds", "grana", "a.csv", 0.2, 8, 1),
        start=StartConfig(
            "runs/a", "b", "last", "last", (CloneConfig("sd_pool", "period_pool"),), ("c",)
        ),
        end=EndConfig(7, 3, (1, 2), 2, "crops"),
    )


def leaves(config, path="config"):
    """Names of all fields that hold no dataclass."""
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        name = f"{path}.{field.name}"
        yield from leaves(value, name) if dataclasses.is_dataclass(value) else [name]


def changed(path, value, config=None):
    config = PeriodConfig() if config is None else config
    *parents, name = path.split(".")
    part = config
    for parent in parents:
        part = getattr(part, parent)
    assert hasattr(part, name)
    setattr(part, name, value)
    return config


def refusal(config):
    with pytest.raises(InputError) as caught:
        checked(config)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("make", [PeriodConfig, other])
def test_round_trip_through_json(make):
    text = to_json(make())
    found = from_dict(PeriodConfig, json.loads(text))
    assert differences(found, make()) == []
    assert to_json(found) == text
    assert isinstance(found.model.encoder.blocks[0], Block)
    assert found.model.geometry == make().model.geometry


def test_differences_name_every_field_that_differs():
    lines = differences(PeriodConfig(), other())
    equal = ("config.kind", "config.source.kind", "config.data.drawn.")
    names = [name for name in leaves(PeriodConfig()) if not name.startswith(equal)]
    assert [line.split(":")[0] for line in lines] == names
    assert "config.seed: 0 against 3" in lines
    assert "config.model.encoder.dropout: 0.1 against 0.0" in lines
    assert differences(other(), other()) == []


@pytest.mark.parametrize("make", [PeriodConfig, other])
def test_validated_is_an_equal_copy(make):
    config = make()
    first = checked(config)
    assert differences(first, config) == [] == differences(checked(first), first)
    first.model.encoder.channels = 77
    first.optimizer.learning_rate = 0.25
    assert differences(config, make()) == []


def test_nan_stands_for_an_unknown_reference_only():
    assert math.isnan(checked(PeriodConfig()).reference_mae)
    assert "config.optimizer.learning_rate is nan" in refusal(
        changed("optimizer.learning_rate", math.nan)
    )


def test_unknown_field_suggests_a_known_one():
    data = json.loads(to_json(PeriodConfig()))
    data["optimizer"]["learning_rat"] = 1e-3
    with pytest.raises(InputError) as caught:
        from_dict(PeriodConfig, data)
    message = "config.optimizer.learning_rat is unknown; did you mean learning_rate?"
    assert str(caught.value) == message
    with pytest.raises(InputError, match=r"file\.json\.zzz is unknown$"):
        from_dict(LossConfig, {"zzz": 1}, "file.json")


def test_missing_field_is_named():
    data = json.loads(to_json(PeriodConfig()))
    del data["model"]["encoder"]["channels"]
    with pytest.raises(InputError, match=r"^config\.model\.encoder\.channels is missing$"):
        from_dict(PeriodConfig, data)


def without(data, path):
    """Deletes a field of nested dicts and returns its value."""
    *parents, name = path.split(".")
    for parent in parents:
        data = data[parent]
    return data.pop(name)


LATER = (
    "model.grey",
    "source.profile.apart",
    "source.profile.apart_width",
    "source.profile.apart_membrane",
    "source.quality.few_levels",
    "source.quality.levels",
)


def test_a_file_from_before_a_field_existed_has_its_default():
    config = PeriodConfig(source=GranaConfig())
    data = json.loads(to_json(config))
    assert [without(data, path) for path in LATER] == [
        "fixed",
        0.0,
        [0.2, 0.42],
        [0.05, 0.12],
        0.0,
        [2, 8],
    ]
    assert differences(from_dict(PeriodConfig, data), config) == []
    # Where the file has the field, its value counts; no other field may be missing.
    data["model"]["grey"] = "robust"
    assert differences(from_dict(PeriodConfig, data), config) == [
        "config.model.grey: 'robust' against 'fixed'"
    ]
    without(data, "source.profile.overtone")
    with pytest.raises(InputError, match=r"^config\.source\.profile\.overtone is missing$"):
        from_dict(PeriodConfig, data)


def test_an_attribute_set_by_mistake_is_refused():
    config = PeriodConfig()
    config.epoch = 3  # pyright: ignore[reportAttributeAccessIssue]
    assert refusal(config) == "config.epoch is unknown; did you mean epochs?"
    config = PeriodConfig()
    config.model.encoder.chanels = 3  # pyright: ignore[reportAttributeAccessIssue]
    assert "config.model.encoder.chanels is unknown; did you mean channels?" in refusal(config)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("seed", 1.0, "config.seed is 1.0; accepted: int"),
        ("seed", "1", "config.seed is '1'; accepted: int"),
        ("epochs", True, "config.epochs is True; accepted: int"),
        ("name", 3, "config.name is 3; accepted: str"),
        ("model.confidence", 1, "config.model.confidence is 1; accepted: bool"),
        ("optimizer.learning_rate", "1e-3", "is '1e-3'; accepted: float"),
        ("optimizer.learning_rate", False, "is False; accepted: float"),
        ("optimizer.learning_rate", None, "is None; accepted: float"),
        ("frame", 476, "config.frame is 476; accepted: a tuple"),
        ("frame", (476,), "config.frame has 1 values; accepted: 2"),
        ("frame", (476, 62.0), "config.frame[1] is 62.0; accepted: int"),
        ("frame", "ab", "config.frame is 'ab'; accepted: a tuple"),
        ("source.period", (20.0, "140"), "config.source.period[1] is '140'; accepted: float"),
        ("optimizer.step_epochs", (10, 20.0), "step_epochs[1] is 20.0; accepted: int"),
        ("model.encoder.blocks", (3,), "blocks[0] is 3; accepted: the fields of Block"),
        ("model", None, "config.model is None; accepted: the fields of ModelConfig"),
    ],
)
def test_wrong_type_is_refused(path, value, message):
    assert message in refusal(changed(path, value))


def test_an_int_is_accepted_for_a_float_and_a_list_for_a_tuple():
    config = changed("source.period", [20, 140], changed("optimizer.weight_decay", 1))
    config = checked(config)
    assert config.source.period == (20.0, 140.0)
    assert isinstance(config.source.period, tuple)
    assert {type(value) for value in config.source.period} == {float}
    assert type(config.optimizer.weight_decay) is float


@pytest.mark.parametrize("path", ["frame", "validation.frame"])
def test_misaligned_frame_names_the_nearest_two(path):
    message = refusal(changed(path, (476, 63)))
    assert message.startswith(f"config.{path}: frame 476x63 does not align")
    assert message.endswith("476x62 and 476x64")


@pytest.mark.parametrize(
    ("path", "value", "suggestion"),
    [
        ("loss.name", "log_peroid", "log_period"),
        ("loss.name", "gausian_nll", "gaussian_nll"),
        ("optimizer.schedule", "cosin", "cosine"),
        ("data.format", "folders", "folder"),
        ("model.compute_dtype", "float23", "float32"),
        ("model.grey", "fixd", "fixed"),
        ("matmul_precision", "higest", "highest"),
        ("start.parameters", "average", "averaged"),
    ],
)
def test_unknown_choice_suggests_a_known_one(path, value, suggestion):
    message = refusal(changed(path, value))
    assert message.startswith(f"config.{path} is {value!r}; accepted: ")
    assert message.endswith(f"; did you mean {suggestion}?")


@pytest.mark.parametrize("name", config_module.LOSSES)
def test_a_loss_that_needs_an_sd_needs_the_confidence_branch(name):
    assert checked(changed("loss.name", name, changed("model.confidence", True)))
    without = changed("loss.name", name)
    if name in config_module.NEEDS_CONFIDENCE:
        message = refusal(without)
        assert f"config.loss.name is {name!r}" in message
        assert "config.model.confidence is False" in message
    else:
        assert checked(without).loss.name == name


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("batch_size", 0),
        ("seed", -1),
        ("seed", 2**31),
        ("optimizer.learning_rate", -1e-3),
        ("optimizer.learning_rate", math.inf),
        ("optimizer.weight_decay", -1.0),
        ("optimizer.average_decay", 1.0),
        ("model.encoder.dropout", 1.0),
        ("model.grey_sd", 0.0),
        ("validation.seed", -1),
        ("data.validation_share", 1.0),
        ("data.images", 1),
        ("source.period", (140.0, 20.0)),
        ("source.period", (1.0, 20.0)),
        ("source.period", (20.0, math.inf)),
        ("source.light_fraction", (0.5, 1.5)),
        ("source.clean_rectangles", (-1, 2)),
        ("optimizer.step_epochs", (150, 100)),
        ("optimizer.step_epochs", (100, 100)),
        ("optimizer.step_epochs", (0, 100)),
    ],
)
def test_value_out_of_range_is_refused(path, value):
    message = refusal(changed(path, value))
    assert message.startswith(f"config.{path} is {value}; accepted: ")


@pytest.mark.parametrize(
    ("blocks", "named"),
    [
        ((), "blocks is ()"),
        ((Block(0, (2, 2)),), "blocks[0].convolutions is 0"),
        ((Block(1, (2, 2)), Block(1, (2, 0))), "blocks[1].pool[1] is 0"),
        ((Block(1, (2, 2), kernel=0),), "blocks[0].kernel is 0"),
    ],
)
def test_blocks_that_are_no_encoder_are_refused(blocks, named):
    message = refusal(changed("model.encoder.blocks", blocks))
    assert message.startswith(f"config.model.encoder.{named}; accepted: ")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"log_every_steps": 7}, ("log_every_steps is 7", "steps_per_epoch is 50")),
        ({"validation.batch_size": 5}, ("validation.batch_size is 5", "validation.images is 102")),
        ({"validation.pictures": 103}, ("validation.pictures is 103", "validation.images is 102")),
        ({"epochs": 2}, ("optimizer.warmup_steps is 100", "100 steps")),
        ({"end.keep_minima": 2}, ("config.end keeps candidates", "model.confidence is False")),
        ({"end.keep_epochs": (0,)}, ("config.end keeps candidates", "model.confidence is False")),
    ],
)
def test_fields_that_contradict_each_other_are_both_named(changes, named):
    config = PeriodConfig()
    for path, value in changes.items():
        changed(path, value, config)
    message = refusal(config)
    assert all(name in message for name in named)
