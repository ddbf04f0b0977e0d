"""Reads label images, in which each granum has its own number and the rest is 0."""

import pathlib

import numpy as np
from scipy import ndimage

from srd_jax.evaluation.micrographs.areas import Area
from srd_jax.evaluation.micrographs.truth import Annotated, TrueGranum
from srd_jax.imaging.formats import read_picture
from srd_jax.imaging.masks import boxes, mask_labels, slices
from srd_jax.support.errors import naming


def read(path: pathlib.Path, image: pathlib.Path) -> Annotated:
    """Returns the micrograph that a label image annotates; all of its grana are sure.

    Args:
      path: of the label image.
      image: path of its micrograph.

    Raises:
      InputError: it can't be read or isn't a mask, see `masks.mask_labels`.
    """
    picture = read_picture(path)
    with naming(path):
        labels, _ = mask_labels(picture)
    if not (labels > 1).any():  # grana aren't told apart but by the gaps between them
        parts = np.zeros(labels.shape, np.int32)
        ndimage.label(labels > 0, np.ones((3, 3)), parts)
        labels = parts
    rows, columns = picture.samples.shape[:2]
    return Annotated(str(image), of_labels(labels), (), (rows, columns), path)


def of_labels(labels: np.ndarray) -> tuple[TrueGranum, ...]:
    """Returns the grana of whole numbers (rows, columns), 0 for none."""
    last = np.array(labels.shape)
    grana = []
    for number, box in boxes(labels).items():
        top, bottom, left, right = box
        cut = min(top, left) == 0 or bool((np.array([bottom, right]) == last).any())
        area = Area(mask=labels[slices(box)] == number, corner=(top, left))
        grana.append(TrueGranum(str(number), area, cut=cut))
    return tuple(grana)
