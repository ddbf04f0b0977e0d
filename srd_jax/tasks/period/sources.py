"""Makes the sources of images: functions from a step to a batch."""

import dataclasses
import functools
import hashlib
import pathlib
from collections.abc import Callable, Iterable, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from srd_jax.imaging.dataset import Granum, fingerprint, read_grana, split
from srd_jax.imaging.preparation import FRAME, MAX_ROWS, Prepared, normalised, prepare
from srd_jax.networks.receptive_field import Size
from srd_jax.support.errors import InputError, naming
from srd_jax.synthetic import drawn_set, grana, stripes
from srd_jax.synthetic.batch import Batch
from srd_jax.synthetic.config import GranaConfig, NegativesConfig, StripesConfig
from srd_jax.tasks.period import crop_arrays, masked_stripes
from srd_jax.tasks.period.augment import augment
from srd_jax.tasks.period.config import (
    FIXED,
    CropsConfig,
    DataConfig,
    MaskedStripesConfig,
    PeriodConfig,
)
from srd_jax.training.task import Source

# Folded into the seed's key for the order of crops; no step reaches it.
_ORDER = 2**31 - 2

_Drawn = StripesConfig | GranaConfig


@dataclasses.dataclass(frozen=True)
class PeriodSource(Source):
    """Batches of images with their periods, as `synthetic.batch.Batch`.

    Where nothing is held out, all crops are trained on, and the validation set is the first ones.

    Attributes:
      validation_scale: (validation_size,) px of the frame per px of the crop; None for drawn
        images.
      validation_names: of the crops; empty for drawn images.
    """

    validation_scale: np.ndarray | None = None
    validation_names: tuple[str, ...] = ()


def reads_crops(config: PeriodConfig) -> bool:
    """Tells whether a config's source reads the crops in its data."""
    return isinstance(config.source, CropsConfig | MaskedStripesConfig)


def check_read(data: DataConfig, stages: Iterable[PeriodConfig]) -> None:
    """Checks that a folder of crops, if one is named, is read by any of some stages.

    Raises:
      InputError: it isn't.
    """
    stages = list(stages)
    if data.dir and not any(map(reads_crops, stages)):
        names = ", ".join(stage.name for stage in stages)
        raise InputError(
            f"config.data.dir is {data.dir!r}, but {names} trains on drawn images alone; accepted: "
            "a stage whose source is crops or masked_stripes, or no folder"
        )


def check(config: PeriodConfig) -> None:
    """Checks, without reading any crop, that the folder of the crops is there if one is named.

    Raises:
      InputError: it isn't.
    """
    if reads_crops(config) and config.data.dir and not pathlib.Path(config.data.dir).is_dir():
        raise InputError(
            f"{config.data.dir}: no such folder; accepted: as config.data.dir, a folder of crops "
            "with known periods, or '' for drawn ones"
        )


def make(config: PeriodConfig, workdir: pathlib.Path | None = None) -> PeriodSource:
    """Returns the source of a config.

    Args:
      config: of the run.
      workdir: of the run. If the source needs crops and the config names no set of them, a set is
        drawn into the folder `dataset` beside the workdir, or found there. None writes no files.

    Raises:
      InputError: its files cannot be read, or hold too few crops.
    """
    made = _made(config, workdir)
    if config.model.grey == FIXED:
        return made
    return dataclasses.replace(
        made,
        train=lambda *given: _normalised(made.train(*given)),
        validation=lambda *given: _normalised(made.validation(*given)),
    )


def _normalised(batch: Batch) -> Batch:
    image = jax.vmap(functools.partial(normalised, xp=jnp))(batch.image, batch.mask)
    return dataclasses.replace(batch, image=image)


def _made(config: PeriodConfig, workdir: pathlib.Path | None) -> PeriodSource:
    if isinstance(config.source, CropsConfig | MaskedStripesConfig):
        return _from_crops(config, config.source, workdir)
    render = _renderer(config.source, config)
    measurable = _renderer(_grana(config.source), config)
    validation = config.validation

    def train(arrays, step, key):
        return render(key, config.batch_size, config.frame)

    def validation_batch(arrays, index):
        key = jax.random.fold_in(jax.random.key(validation.seed), index)
        return measurable(key, validation.batch_size, validation.frame)

    return PeriodSource((), train, validation_batch, validation.images)


def _renderer(source: _Drawn, config: PeriodConfig) -> Callable[..., Batch]:
    """Returns a function (key, number of images, frame) → batch."""
    if isinstance(source, GranaConfig):
        return functools.partial(grana.render, config=source)
    return functools.partial(stripes.render, config=source, geometry=config.model.geometry)


def _grana(source: _Drawn) -> _Drawn:
    """Returns a source in which all images have a true period to compare with."""
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
        made, digest=_digest(found), held_out=held_out, validation_names=names
    )


def _crops(
    config: PeriodConfig, source: CropsConfig, training: list[Granum], kept: list[Granum]
) -> PeriodSource:
    shown = prepared(kept, config.validation.frame)
    arrays = {"train": _padded(training), "validation": shown}

    def train(arrays, step, key):
        index = _in_epochs(config, step, len(training))
        return augment(key, arrays["train"], index, config.frame, source.augment)

    def validation_batch(arrays, index):
        at = _in_turn(config, index, len(kept))
        return jax.tree.map(lambda array: array[at], arrays["validation"])

    scale = np.asarray(shown.target) / np.array([one.period_px for one in kept])
    return PeriodSource(arrays, train, validation_batch, len(kept), validation_scale=scale)


def _masks(
    config: PeriodConfig, source: MaskedStripesConfig, training: list[Granum], kept: list[Granum]
) -> PeriodSource:
    rows = source.augment.max_rows
    masks = [_frame(one, one.mask, FRAME, rows).image >= 0.5 for one in training]
    shown = [_frame(one, one.mask, config.validation.frame) for one in kept]
    arrays = {
        "train": masked_stripes.framed(masks),
        "validation": jnp.stack([frame.image >= 0.5 for frame in shown]),
    }
    geometry = config.model.geometry

    def train(arrays, step, key):
        index = _in_epochs(config, step, len(training))
        return masked_stripes.render_augmented(
            key, arrays["train"], index, config.frame, source, geometry
        )

    def validation_batch(arrays, index):
        mask = arrays["validation"][_in_turn(config, index, len(kept))]
        key = jax.random.fold_in(jax.random.key(config.validation.seed), index)
        return masked_stripes.render_masked(key, mask, source, geometry)

    scale = np.array([frame.scale for frame in shown])
    return PeriodSource(arrays, train, validation_batch, len(kept), validation_scale=scale)


def _in_epochs(config: PeriodConfig, step: jax.Array, number: int) -> jax.Array:
    """Returns the indices of the training crops in a step's batch."""
    order = jax.random.fold_in(jax.random.key(config.seed), _ORDER)
    return epoch_order(order, step, config.batch_size, number)


def _in_turn(config: PeriodConfig, index: jax.Array | int, number: int) -> jax.Array:
    """Returns the indices of the validation crops in a batch, cyclically."""
    size = config.validation.batch_size
    return (index * size + jnp.arange(size)) % number


def _read(data: DataConfig, workdir: pathlib.Path | None) -> tuple[pathlib.Path, list[Granum]]:
    """Returns the name of the set of crops for messages, and its crops."""
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
    """Prepares crops as in prediction, with their targets.

    Raises:
      InputError: a crop cannot be prepared, see `preparation.prepare`; the message names it.
    """
    shown = [_frame(one, one.image, frame) for one in found]
    targets = [one.period_px * x.scale for one, x in zip(found, shown, strict=True)]
    return Batch(
        image=jnp.stack([x.image for x in shown]),
        mask=jnp.stack([_frame(one, one.mask, frame).image >= 0.5 for one in found]),
        target=jnp.asarray(targets, jnp.float32),
    )


def _frame(one: Granum, image: np.ndarray, frame: Size, max_rows: int = MAX_ROWS) -> Prepared:
    """Prepares a crop's image, or its mask in place of the image, as in prediction."""
    with naming(pathlib.Path(one.name)):
        return prepare(image, one.mask, frame, max_rows)


def _digest(found: Sequence[Granum]) -> str:
    """Returns a SHA-256 digest of grana and their periods, in order."""
    lines = [f"{fingerprint(one.image, one.mask)} {one.period_px!r}" for one in found]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def epoch_order(key: jax.Array, step: jax.Array, batch_size: int, number: int) -> jax.Array:
    """Returns the indices of a step's crops, (batch_size,) int32 in 0..number − 1.

    Steps read one random permutation of the crops after another. So all crops are seen equally
    often, even if the batch size doesn't divide their number.

    Args:
      key: of the whole run.
      step: () int32.
      batch_size: images a step.
      number: number of crops.
    """
    # step * batch_size may exceed 32 bits, so quotient and remainder are computed apart.
    at = (step % number) * batch_size + jnp.arange(batch_size)
    epoch = step // number * batch_size + at // number
    orders = [
        jax.random.permutation(jax.random.fold_in(key, epoch[0] + i), number)
        for i in range(-(-batch_size // number) + 1)
    ]
    return jnp.stack(orders)[epoch - epoch[0], at % number].astype(jnp.int32)
