"""Where images come from: a function from a step to a batch, whatever the kind of source."""

import dataclasses
import functools
import hashlib
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from srd_jax import crops
from srd_jax.augment import augment
from srd_jax.batch import Batch
from srd_jax.config import CropsConfig, GranaConfig, StripesConfig, TrainConfig
from srd_jax.data import Granum, fingerprint, read_grana, split
from srd_jax.errors import InputError
from srd_jax.formats import naming
from srd_jax.geometry import Size
from srd_jax.preparation import prepare
from srd_jax.synthetic import grana, stripes

# Streams of random numbers of one seed, beside those of its steps.
_ORDER = 2**31 - 2


@dataclasses.dataclass(frozen=True)
class Source:
    """Batches for training and validation.

    Attributes:
      arrays: what lies on the device from the start, a tree; empty for drawn images.
      train: of (arrays, step, key) the batch of a training step; pure.
      validation: of (arrays, index) one batch of the fixed validation set; pure.
      validation_images: how many images that set has; the last batch may be filled up with others.
      digest: of the crops and their periods, in order; empty for drawn images.
    """

    arrays: Any
    train: Callable[[Any, jax.Array, jax.Array], Batch]
    validation: Callable[[Any, jax.Array | int], Batch]
    validation_images: int
    digest: str = ""


def make(config: TrainConfig) -> Source:
    """Returns the source that a config names.

    Raises:
      InputError: its files cannot be read or hold too few crops.
    """
    if isinstance(config.source, CropsConfig):
        return _from_crops(config, config.source)
    render = _renderer(config)
    validation = config.validation

    def train(arrays, step, key):
        return render(key, config.batch_size, config.frame)

    def validate(arrays, index):
        key = jax.random.fold_in(jax.random.key(validation.seed), index)
        return render(key, validation.batch_size, validation.frame)

    return Source((), train, validate, validation.images)


def _renderer(config: TrainConfig) -> Callable[..., Batch]:
    """Returns a function of key, number of images and frame."""
    if isinstance(config.source, GranaConfig):
        return functools.partial(grana.render, config=config.source)
    assert isinstance(config.source, StripesConfig)
    geometry = config.model.geometry
    return functools.partial(stripes.render, config=config.source, geometry=geometry)


def _from_crops(config: TrainConfig, source: CropsConfig) -> Source:
    found = _read(source)
    with naming(pathlib.Path(source.dir)):
        train_index, validation_index = split(found, source.validation_share)
        kept = [found[i] for i in validation_index]
        shown = prepared(kept, config.validation.frame)
    arrays = {"train": _padded([found[i] for i in train_index]), "validation": shown}
    size = config.validation.batch_size

    def train(arrays, step, key):
        order = jax.random.fold_in(jax.random.key(config.seed), _ORDER)
        index = epoch_order(order, step, config.batch_size, len(train_index))
        return augment(key, arrays["train"], index, config.frame, source.augment)

    def validate(arrays, index):
        at = (index * size + jnp.arange(size)) % len(kept)
        return jax.tree.map(lambda array: array[at], arrays["validation"])

    return Source(arrays, train, validate, len(kept), digest(found))


def _read(source: CropsConfig) -> list[Granum]:
    if not source.dir:
        raise InputError(
            "config.source.dir is ''; accepted: the folder of the crops and their annotations, or "
            "of a prepared TensorFlow dataset (--config.source.dir=DIR)"
        )
    if source.format == "folder":
        return read_grana(source.dir, pathlib.Path(source.dir, source.annotations))
    # Slow to import, and most runs don't need it.
    from srd_jax.tfds_grana import read_tfds

    return read_tfds(source.dir)


def _padded(found: list[Granum]) -> crops.Crops:
    return crops.pad(
        [one.image for one in found], [one.mask for one in found], [one.period_px for one in found]
    )


def prepared(found: Sequence[Granum], frame: Size) -> Batch:
    """Returns crops as prediction shows them to the network, with their targets.

    Raises:
      InputError: a crop has no frame, see `preparation.prepare`; the message names it.
    """
    images, masks, targets = [], [], []
    for one in found:
        with naming(pathlib.Path(one.name)):
            shown = prepare(one.image, one.mask, frame)
            masks.append(prepare(one.mask, one.mask, frame).image >= 0.5)
        images.append(shown.image)
        targets.append(one.period_px * shown.scale)
    return Batch(
        image=jnp.stack(images),
        mask=jnp.stack(masks),
        target=jnp.asarray(np.array(targets, np.float32)),
    )


def digest(found: Sequence[Granum]) -> str:
    """Returns a digest of grana and their periods, in order."""
    lines = [f"{fingerprint(one.image, one.mask)} {one.period_px!r}" for one in found]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def epoch_order(key: jax.Array, step: jax.Array, batch_size: int, number: int) -> jax.Array:
    """Returns the crops of a step's batch, (batch_size,) int32 in 0..number - 1.

    Steps read one permutation of the crops after the other, so that each is seen as often as any,
    whether or not the number of crops is a multiple of the batch.

    Args:
      key: of the whole run.
      step: () int32.
      batch_size: images a step.
      number: of crops.
    """
    # As a quotient and a remainder, for step * batch_size may exceed 32 bits.
    at = (step % number) * batch_size + jnp.arange(batch_size)
    epoch = step // number * batch_size + at // number
    orders = [
        jax.random.permutation(jax.random.fold_in(key, epoch[0] + i), number)
        for i in range(-(-batch_size // number) + 1)
    ]
    return jnp.stack(orders)[epoch - epoch[0], at % number].astype(jnp.int32)
