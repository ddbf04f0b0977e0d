"""Two small stages, the second with a confidence branch cloned from the first."""

import dataclasses

from helpers.training_runs import tiny
from srd_jax.tasks.period.config import CONFIDENCE_CLONES
from srd_jax.training.config import StartConfig


def first(preset="fast"):
    return tiny()


def second(preset="fast"):
    model = dataclasses.replace(tiny().model, confidence=True)
    start = StartConfig(stage="first", clones=CONFIDENCE_CLONES)
    return tiny(model=model, start=start, epochs=1)
