"""Makes training images from crops of grana, changed at random on the device.

A granum is tilted in px of the crop. A window of it, cropped tightly to the mask, is rescaled as
`preparation.prepare` does, and then its grey values are changed. So an image without tilt equals
the frame that prediction makes of that part of the crop. The changes and their ranges are GRANA's
(Bukat, Bukowicki et al. 2025, Plant Physiology kiaf212).
"""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from jax.scipy.ndimage import map_coordinates
from scipy import ndimage

from srd_jax.imaging.masks import MIN_LENGTH
from srd_jax.imaging.preparation import FRAME
from srd_jax.imaging.spline import SUPPORT, resize, resize_matrix, rotate
from srd_jax.support.errors import InputError
from srd_jax.synthetic.batch import Batch
from srd_jax.tasks.period.config import AugmentConfig
from srd_jax.tasks.period.crop_arrays import FAR, Crops, mask_pixel, tight_box, tilted

# Microscope noise. Each layer has an sd of its grains at strength 1, grey levels of 0..255, and an
# sd of the Gaussian that then blurs all layers up to this one, px of the frame.
_NOISE_LAYERS = ((76.0, 3.0), (23.0, 2.0), (15.0, 0.0))


@struct.dataclass
class View:
    """The part of a crop that an image shows, and how it is turned.

    Attributes:
      angle: () float32, tilt in radians; a positive one moves the right half of the crop down.
      box: (2, 2) int32, first row and one past the last, likewise columns, of the part that the
        full frame shows, px of the tilted crop; tilted crop and crop have the same centre.
      flip: (2,) bool, whether rows and columns of the full frame are reversed.
      column: () int32, first column of the full frame that the image shows.
    """

    angle: jax.Array
    box: jax.Array
    flip: jax.Array
    column: jax.Array


def augment(
    key: jax.Array,
    crops: Crops,
    index: jax.Array,
    frame: tuple[int, int],
    config: AugmentConfig,
) -> Batch:
    """Returns one randomly changed image of each chosen crop.

    Args:
      key: PRNG key; the same key gives the same bits.
      crops: to choose from.
      index: (B,) int32, the crop of each image.
      frame: rows and columns of the images, px. The columns are a window at a random place of
        prediction's frame, or all of it; the horizontal scale is the same as there.
      config: ranges of the changes.

    Returns:
      Images with their periods, px of the frame. A period is the crop's own times the vertical
      scale; it is measured across the lamellae, so the tilt doesn't change it.

    Raises:
      InputError: the frame has more columns than prediction's frame.
    """
    if frame[1] > FRAME[1]:
        raise InputError(f"frame of {frame[1]} columns; accepted are at most {FRAME[1]}")
    chosen = jax.tree.map(lambda x: x[index], crops)
    one = functools.partial(_one, frame=frame, config=config)
    return jax.vmap(one)(jax.random.split(key, len(index)), chosen)


def _one(key: jax.Array, crop: Crops, frame: tuple[int, int], config: AugmentConfig) -> Batch:
    view_key, grey_key, noise_key = jax.random.split(key, 3)
    view = draw_view(view_key, crop, frame, config)
    image, mask = transform(crop, view, frame, config)
    low, high = jnp.array([config.black, config.white, config.noise], jnp.float32).T
    black, white, strength = low + jax.random.uniform(grey_key, (3,)) * (high - low)
    image = stretch(image, mask, black, white)
    if config.noise[1] > 0:
        image = soft_light_noise(noise_key, image, mask, strength)
    rows = view.box[0, 1] - view.box[0, 0]
    return Batch(image=image, mask=mask, target=crop.period * frame[0] / rows)


def draw_view(key: jax.Array, crop: Crops, frame: tuple[int, int], config: AugmentConfig) -> View:
    """Draws a view of one crop.

    A window is placed at random around a random pixel of the mask. The box is the part of the
    window that the mask fills, and at least half of the window along each axis. So no image is
    empty and no target is far from the others, even for masks of odd shapes.
    """
    angle_key, pixel_key, share_key, place_key, flip_key, column_key = jax.random.split(key, 6)
    tilt = math.radians(config.tilt)
    angle = jax.random.uniform(angle_key, (), minval=-tilt, maxval=tilt)
    whole = tight_box(crop, angle, jnp.array([[-FAR, FAR], [-FAR, FAR]]))
    most = jnp.minimum(whole[:, 1] - whole[:, 0], jnp.array([config.max_rows, FAR]))
    low, high = jnp.array([config.rows, config.columns], jnp.float32).T
    share = low + jax.random.uniform(share_key, (2,)) * (high - low)
    length = jnp.clip(jnp.round(share * most).astype(jnp.int32), MIN_LENGTH, most)
    pixel = tilted(mask_pixel(pixel_key, crop), crop.size, angle)
    pixel = jnp.round(pixel).astype(jnp.int32)
    first = jnp.maximum(whole[:, 0], pixel - length + 1)
    last = jnp.minimum(whole[:, 1] - length, pixel)
    start = jax.random.randint(place_key, (2,), first, last + 1)
    tight = tight_box(crop, angle, jnp.stack([start, start + length], axis=1))
    least = (length + 1) // 2
    first = jnp.minimum(tight[:, 0], start + length - least)
    return View(
        angle=angle,
        box=jnp.stack([first, jnp.maximum(tight[:, 1], first + least)], axis=1),
        flip=jax.random.bernoulli(flip_key, 0.5 * config.flip, (2,)),
        column=jax.random.randint(column_key, (), 0, FRAME[1] - frame[1] + 1),
    )


def transform(
    crop: Crops, view: View, frame: tuple[int, int], config: AugmentConfig
) -> tuple[jax.Array, jax.Array]:
    """Returns the image and the mask of a view of one crop.

    Args:
      crop: one crop.
      view: of the crop; its tilt and rows are within the limits of `config`.
      frame: rows and columns of the image, px.
      config: the greatest tilt and number of rows.

    Returns:
      The image, float32 grey value 0..1, as prediction prepares it, with the spline's blur of about
      one px of the crop along the mask's border; and the mask, bool, by nearest pixel.
    """
    column = jnp.where(view.flip[1], FRAME[1] - frame[1] - view.column, view.column)
    image = _rescaled(crop, view, column, frame, config)
    shown = [
        view.box[axis, 0]
        + (first + jnp.arange(frame[axis]) + 0.5) * _length(view.box)[axis] / total
        - 0.5
        for axis, first, total in ((0, 0, frame[0]), (1, column, FRAME[1]))
    ]
    place = tilted(jnp.stack(jnp.meshgrid(*shown, indexing="ij")), crop.size, -view.angle)
    mask = map_coordinates(crop.mask.astype(jnp.uint8), list(place), order=0) > 0
    for axis in range(2):
        image, mask = (jnp.where(view.flip[axis], jnp.flip(x, axis), x) for x in (image, mask))
    return image, mask


def stretch(
    image: jax.Array, mask: jax.Array, black: jax.Array | float, white: jax.Array | float
) -> jax.Array:
    """Maps black..white to 0..1 and clips, inside of the mask; the rest of the image is unchanged.

    Args:
      image: (rows, columns) grey value 0..1.
      mask: (rows, columns) bool.
      black: () grey level of 0..255.
      white: () grey level of 0..255, above black.
    """
    stretched = jnp.clip((255.0 * image - black) / (white - black), 0.0, 1.0)
    return jnp.where(mask, stretched, image)


def soft_light_noise(
    key: jax.Array, image: jax.Array, mask: jax.Array, strength: jax.Array | float
) -> jax.Array:
    """Returns the image under a soft light of microscope noise, inside of the mask.

    The noise is grey with three layers of normal grains, clipped to 0..1 after each layer. The
    grains are px of the frame, so they are equally coarse for all windows of a crop.

    Args:
      key: PRNG key.
      image: (rows, columns) grey value 0..1.
      mask: (rows, columns) bool.
      strength: () factor on all sds; 0 changes nothing.
    """
    noise = jnp.full(image.shape, 0.5)
    keys = jax.random.split(key, len(_NOISE_LAYERS))
    for layer_key, (sd, blur) in zip(keys, _NOISE_LAYERS, strict=True):
        grains = jax.random.normal(layer_key, image.shape)
        noise = jnp.clip(noise + strength * (sd / 255.0) * grains, 0.0, 1.0)
        if blur:
            rows, columns = (_blur_matrix(size, blur) for size in image.shape)
            noise = jnp.matmul(jnp.matmul(rows, noise), columns.T)
    return jnp.where(mask, soft_light(image, noise), image)


def soft_light(image: jax.Array, light: jax.Array) -> jax.Array:
    """Returns a² + 2 a b (1 − a) for an image a and a light b, both 0..1; b = 1/2 changes nothing.

    It is Pillow's ImageChops.soft_light without rounding to grey levels.
    """
    return image * (image + 2.0 * light * (1.0 - image))


@functools.cache
def _blur_matrix(size: int, sd: float) -> np.ndarray:
    """Returns the matrix of a Gaussian blur of one axis, mirrored at its ends."""
    return ndimage.gaussian_filter1d(np.eye(size, dtype=np.float32), sd, axis=0, mode="mirror")


def _rescaled(
    crop: Crops, view: View, column: jax.Array, frame: tuple[int, int], config: AugmentConfig
) -> jax.Array:
    """Returns the columns of the full frame from `column` on, not flipped."""
    size, beyond = _canvas(crop, config)
    longest = size[1] + 2 * beyond[1]
    # Columns farther than this from the shown ones don't change them.
    apart = SUPPORT + max(0, round(2 * (longest / FRAME[1] - 1))) + 1
    shown = math.ceil(longest * frame[1] / FRAME[1]) + 2 * apart
    shape = (min(config.max_rows, size[0] + 2 * beyond[0]), min(shown, longest))
    first, length = view.box[:, 0], _length(view.box)
    start = first + jnp.stack([0, column * length[1] // FRAME[1] - apart])
    low, high = -np.array(beyond), np.array(size) + beyond - shape
    start = jnp.clip(start, low, high)
    part = jnp.clip(_part(crop, view.angle, start, shape, config), 0.0, 1.0)
    rows = resize_matrix(first[0] - start[0], length[0], shape[0], frame[0])
    columns = resize_matrix(
        first[1] - start[1], length[1], shape[1], frame[1], column, FRAME[1], longest
    )
    inside = (rows.any(axis=0)[:, None]) & columns.any(axis=0)[None, :]
    lowest = jnp.where(inside, part, 1.0).min()
    return jnp.clip(resize(part, rows, columns), lowest, jnp.where(inside, part, 0.0).max())


def _part(
    crop: Crops,
    angle: jax.Array,
    start: jax.Array,
    shape: tuple[int, int],
    config: AugmentConfig,
) -> jax.Array:
    """Returns the grey values of the tilted crop from `start` on, 0 beyond the crop."""
    _, beyond = _canvas(crop, config)
    tilt = math.radians(config.tilt)
    margin = SUPPORT + 2 + math.ceil(math.sin(tilt) * max(shape)) if tilt else 0
    wide = (shape[0] + 2 * margin, shape[1] + 2 * margin)
    middle = (np.array(wide) - 1) / 2
    corner = tilted(start - margin + middle, crop.size, -angle) - middle
    whole = jnp.round(corner)
    around = margin + 2 * np.array(beyond)
    image = jnp.pad(crop.image, [(n, n) for n in around])
    image = jax.lax.dynamic_slice(image, list(whole.astype(jnp.int32) + around), wide)
    image = image.astype(jnp.float32) / 255.0
    if not tilt:
        return image
    turned = rotate(image, angle, corner - whole, tilt)
    return turned[margin : margin + shape[0], margin : margin + shape[1]]


def _canvas(crop: Crops, config: AugmentConfig) -> tuple[tuple[int, int], tuple[int, int]]:
    """Returns the padded crop's size, and how far the tilted crop reaches beyond it, px."""
    rows, columns = crop.image.shape
    sine = math.sin(math.radians(config.tilt))
    return (rows, columns), (math.ceil(sine * columns / 2) + 1, math.ceil(sine * rows / 2) + 1)


def _length(box: jax.Array) -> jax.Array:
    return box[:, 1] - box[:, 0]
