"""Where images come from: a function from a step to a batch, whatever the kind of source."""

import dataclasses
import functools
import hashlib
import pathlib
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from srd_jax.imaging.dataset import Granum, fingerprint, read_grana, split
from srd_jax.imaging.preparation import FRAME, MAX_ROWS, Prepared, prepare
from srd_jax.networks.receptive_field import Size
from srd_jax.support.errors import InputError, naming
from srd_jax.synthetic import drawn_set, grana, stripes
from srd_jax.synthetic.batch import Batch
from srd_jax.synthetic.config import GranaConfig, NegativesConfig, StripesConfig
from srd_jax.tasks.period import crop_arrays, masked_stripes
from srd_jax.tasks.period.augment import augment
from srd_jax.tasks.period.config import CropsConfig, DataConfig, MaskedStripesConfig, PeriodConfig
from srd_jax.training.task import Source

# Streams of random numbers of one seed, beside those of its steps.
_ORDER = 2**31 - 2


Drawn = StripesConfig | GranaConfig


@dataclasses.dataclass(frozen=True)
class PeriodSource(Source):
    """Batches of images with their periods, as `synthetic.batch.Batch`.

    Where nothing is held out, all crops train, and validation shows the first of them.

    Attributes:
      validation_scale: (validation_size,) px of the frame per px of the crop; None for drawn
        images.
      validation_names: of the crops; empty for drawn images.
    """

    validation_scale: np.ndarray | None = None
    validation_names: tuple[str, ...] = ()


def make(config: PeriodConfig, workdir: pathlib.Path | None = None) -> PeriodSource:
    """Returns the source that a config names.

    Args:
      config: of the run.
      workdir: of the run. Where the config names no set of crops but the source needs one, it is
        drawn into, or found in, the folder `dataset` beside it; None draws it into no folder.

    Raises:
      InputError: its files cannot be read or hold too few crops.
    """
    if isinstance(config.source, CropsConfig | MaskedStripesConfig):
        return _from_crops(config, config.source, workdir)
    render = _renderer(config.source, config)
    measurable = _renderer(_grana(config.source), config)
    validation = config.validation

    def train(arrays, step, key):
        return render(key, config.batch_size, config.frame)

    def validate(arrays, index):
        key = jax.random.fold_in(jax.random.key(validation.seed), index)
        return measurable(key, validation.batch_size, validation.frame)

    return PeriodSource((), train, validate, validation.images)


def _renderer(source: Drawn, config: PeriodConfig) -> Callable[..., Batch]:
    """Returns a function of key, number of images and frame."""
    if isinstance(source, GranaConfig):
        return functools.partial(grana.render, config=source)
    return functools.partial(stripes.render, config=source, geometry=config.model.geometry)


def _grana(source: Drawn) -> Drawn:
    """Returns a source without crops that have no period: there is none to compare with."""
    if isinstance(source, StripesConfig):
        return source
    return dataclasses.replace(source, negatives=NegativesConfig())


def _from_crops(
    config: PeriodConfig, source: CropsConfig | MaskedStripesConfig, workdir: pathlib.Path | None
) -> PeriodSource:
    name, found = _read(config.data, workdir)
    with naming(name):
        training, kept = (
            [found[i] for i in side] for side in split(found, config.data.validation_share)
        )
        held_out = bool(kept)
        kept = kept or training[: config.validation.images]
        if isinstance(source, CropsConfig):
            made = _crops(config, source, training, kept)
        else:
            made = _masks(config, source, training, kept)
    names = tuple(one.name for one in kept)
    return dataclasses.replace(
        made, digest=digest(found), held_out=held_out, validation_names=names
    )


def _crops(
    config: PeriodConfig, source: CropsConfig, training: list[Granum], kept: list[Granum]
) -> PeriodSource:
    shown = prepared(kept, config.validation.frame)
    arrays = {"train": _padded(training), "validation": shown}

    def train(arrays, step, key):
        index = _in_epochs(config, step, len(training))
        return augment(key, arrays["train"], index, config.frame, source.augment)

    def validate(arrays, index):
        at = _in_turn(config, index, len(kept))
        return jax.tree.map(lambda array: array[at], arrays["validation"])

    scale = np.asarray(shown.target) / np.array([one.period_px for one in kept])
    return PeriodSource(arrays, train, validate, len(kept), validation_scale=scale)


def _masks(
    config: PeriodConfig, source: MaskedStripesConfig, training: list[Granum], kept: list[Granum]
) -> PeriodSource:
    rows = source.augment.max_rows
    masks = [_mask(_frame(one, one.mask, FRAME, rows)) for one in training]
    shown = [_frame(one, one.mask, config.validation.frame) for one in kept]
    arrays = {
        "train": masked_stripes.framed(masks),
        "validation": jnp.stack([_mask(frame) for frame in shown]),
    }
    geometry = config.model.geometry

    def train(arrays, step, key):
        index = _in_epochs(config, step, len(training))
        return masked_stripes.render_augmented(
            key, arrays["train"], index, config.frame, source, geometry
        )

    def validate(arrays, index):
        mask = arrays["validation"][_in_turn(config, index, len(kept))]
        key = jax.random.fold_in(jax.random.key(config.validation.seed), index)
        return masked_stripes.render_masked(key, mask, source, geometry)

    scale = np.array([frame.scale for frame in shown])
    return PeriodSource(arrays, train, validate, len(kept), validation_scale=scale)


def _in_epochs(config: PeriodConfig, step: jax.Array, number: int) -> jax.Array:
    """Returns the training crops of a step's batch."""
    order = jax.random.fold_in(jax.random.key(config.seed), _ORDER)
    return epoch_order(order, step, config.batch_size, number)


def _in_turn(config: PeriodConfig, index: jax.Array | int, number: int) -> jax.Array:
    """Returns the validation crops of a batch; after the last one come the first ones."""
    size = config.validation.batch_size
    return (index * size + jnp.arange(size)) % number


def _read(data: DataConfig, workdir: pathlib.Path | None) -> tuple[pathlib.Path, list[Granum]]:
    """Returns what messages call the set of crops, and its crops."""
    if data.dir:
        return pathlib.Path(data.dir), _read_dir(data)
    if data.format != "folder":
        raise InputError(
            f"config.data.format is {data.format!r}, but config.data.dir is ''; accepted: a dir "
            "that holds that format, or the format folder, in which a set is drawn"
        )
    recipe = drawn_set.Recipe(data.images, data.seed, data.drawn)
    if workdir is None:
        return pathlib.Path("drawn crops"), list(drawn_set.grana(recipe))
    folder = pathlib.Path(workdir).absolute().parent / "dataset"
    drawn_set.provide(folder, recipe)
    return folder, read_grana(folder)


def _read_dir(data: DataConfig) -> list[Granum]:
    if data.format == "folder":
        return read_grana(data.dir, pathlib.Path(data.dir, data.annotations))
    # Slow to import, and most runs don't need it.
    from srd_jax.imaging.tfds import read_tfds

    return read_tfds(data.dir)


def _padded(found: list[Granum]) -> crop_arrays.Crops:
    return crop_arrays.pad(
        [one.image for one in found], [one.mask for one in found], [one.period_px for one in found]
    )


def prepared(found: Sequence[Granum], frame: Size) -> Batch:
    """Returns crops as prediction shows them to the network, with their targets.

    Raises:
      InputError: a crop has no frame, see `preparation.prepare`; the message names it.
    """
    shown = [_frame(one, one.image, frame) for one in found]
    targets = [one.period_px * x.scale for one, x in zip(found, shown, strict=True)]
    return Batch(
        image=jnp.stack([x.image for x in shown]),
        mask=jnp.stack([_mask(_frame(one, one.mask, frame)) for one in found]),
        target=jnp.asarray(targets, jnp.float32),
    )


def _frame(one: Granum, image: np.ndarray, frame: Size, max_rows: int = MAX_ROWS) -> Prepared:
    """Returns an image of a crop, or its mask, as prediction shows it."""
    with naming(pathlib.Path(one.name)):
        return prepare(image, one.mask, frame, max_rows)


def _mask(shown: Prepared) -> np.ndarray:
    """Returns the mask of a prepared mask."""
    return shown.image >= 0.5


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
