"""`srd preview`: draws a contact sheet of the images that a config trains on."""

import argparse
import dataclasses
import pathlib
import random
from collections.abc import Iterable

import jax
import numpy as np

from srd_jax.commands import arguments
from srd_jax.commands.sheet import Shown, write_sheet
from srd_jax.imaging.dataset import read_grana
from srd_jax.imaging.preparation import FRAME
from srd_jax.support import process
from srd_jax.support.compiling import jit
from srd_jax.support.terminal import track
from srd_jax.synthetic.config import GranaConfig
from srd_jax.synthetic.crops import draw_grana
from srd_jax.tasks.config_files import read_config
from srd_jax.tasks.period import sources
from srd_jax.tasks.period.config import PeriodConfig


def run(options: argparse.Namespace) -> int:
    """Runs the command and returns the exit status."""
    config = read_config(options.config)
    folders = (options.real, config.data.dir)
    files = (file for folder in folders if folder for file in pathlib.Path(folder).glob("*"))
    arguments.check_target(options.out, [options.config, *files], ".png")
    real = [] if options.real is None else _real(options.real, config)
    drawn = _drawn(config, options.seed, options.n)
    tracked = track(drawn, "drawing", options.n)
    shown = [*tracked, *real]
    line = f"{options.n} drawn and {len(real)} real images in {options.out}"
    if options.shuffle:
        order = random.Random(options.seed).sample(range(len(shown)), len(shown))
        places = [str(place) for place, i in enumerate(order) if i >= options.n]
        shown = [dataclasses.replace(shown[i], caption=str(place)) for place, i in enumerate(order)]
        line += f"; real are {', '.join(places) or 'none'}"
    write_sheet(options.out, shown)
    print(line)
    return process.ALL_READ


def _drawn(config: PeriodConfig, seed: int, n: int) -> Iterable[Shown]:
    """Yields whole crops if the source draws grana, else the frames of training."""
    if isinstance(config.source, GranaConfig):
        for number, (image, mask, period, _) in enumerate(draw_grana(seed, n, config.source)):
            yield Shown(image, mask, f"drawn {number}: period {period:.1f} px")
        return
    # No more crops are drawn than the sheet shows.
    data = dataclasses.replace(config.data, images=min(config.data.images, max(n, 2)))
    source = sources.make(dataclasses.replace(config, data=data))
    draw = jit(source.train)
    for step in range(-(-n // config.batch_size)):
        key = jax.random.fold_in(jax.random.key(seed), step)
        batch = jax.device_get(draw(source.arrays, step, key))
        for i in range(min(config.batch_size, n - step * config.batch_size)):
            caption = f"{batch.target[i]:.1f} px"
            yield Shown(batch.image[i], np.asarray(batch.mask[i]), caption)


def _real(folder: str, config: PeriodConfig) -> list[Shown]:
    """Returns real crops, whole or as frames, like the drawn ones."""
    found = read_grana(folder)
    pictures = [(one.image, one.mask) for one in found]
    if not isinstance(config.source, GranaConfig):
        batch = jax.device_get(sources.prepared(found, FRAME))
        pictures = list(zip(batch.image, batch.mask, strict=True))
    return [
        Shown(image, mask, f"{pathlib.Path(one.name).stem}: period {one.period_px:.1f} px")
        for one, (image, mask) in zip(found, pictures, strict=True)
    ]
