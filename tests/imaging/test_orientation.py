import numpy as np
import pytest
from helpers.crops import ellipse, stripes
from scipy import ndimage
from skimage.feature import structure_tensor

from srd_jax.imaging.orientation import orientation, rotate, tilt
from srd_jax.support.errors import InputError


def tilted(degrees, shape=(160, 220), period=17.0):
    """A wave whose crests run at an angle to the horizontal, counter-clockwise."""
    rows, columns = np.indices(shape)
    angle = np.radians(degrees)
    return 0.5 + 0.3 * np.sin(2 * np.pi * (columns * np.sin(angle) + rows * np.cos(angle)) / period)


@pytest.mark.parametrize("degrees", [0, 5, -23.5, 45, 80, -89])
def test_direction_of_a_plane_wave(degrees):
    image = tilted(degrees)
    for mask in (np.ones(image.shape, bool), ellipse(image.shape)):
        found = orientation(np.where(mask, image, 0.0), mask)
        assert abs(found.degrees - degrees) < 0.1
        assert found.coherence > 0.99


def test_vertical_lamellae_are_minus_90_degrees():
    found = orientation(tilted(90), np.ones((160, 220), bool))
    assert abs(abs(found.degrees) - 90) < 0.1
    assert -90 <= found.degrees < 90


def test_it_is_the_eigenvector_of_the_structure_tensor():
    image = ndimage.gaussian_filter(stripes(3, (150, 200)) / 255, 2.5)
    image = ndimage.rotate(image, 20, order=3, reshape=False, mode="nearest")[40:110, 50:150]
    mask = np.ones(image.shape, bool)
    # The same sum by another library: its weights reach over the whole crop.
    tensor = [part.mean() for part in structure_tensor(image, sigma=0.1, mode="nearest")]
    values, vectors = np.linalg.eigh([[tensor[0], tensor[1]], [tensor[1], tensor[2]]])
    down, right = vectors[:, 0]
    degrees = np.degrees(np.arctan2(-down, right))
    found = orientation(image, mask)
    assert abs((found.degrees - degrees + 90) % 180 - 90) < 0.5
    assert abs(found.coherence - (values[1] - values[0]) / values.sum()) < 0.05


@pytest.mark.parametrize("degrees", [-70, -15, 33, 88])
def test_a_turned_crop_turns_the_direction(degrees):
    image, mask = stripes(0) / np.float32(255), ellipse((120, 150))
    turned = orientation(*rotate(image, mask, degrees)).degrees
    straight = orientation(image, mask).degrees
    assert abs((turned - straight - degrees + 90) % 180 - 90) < 0.5


def test_what_lies_outside_of_the_mask_does_not_matter():
    mask = np.pad(ellipse((120, 150)), 30)
    image = np.pad(stripes(1) / 255, 30)
    other = np.where(mask, image, np.indices(mask.shape)[1] % 7 / 7)
    assert orientation(image, mask) == orientation(other, mask)


def test_light_and_dark_exchanged_is_the_same_direction():
    image, mask = tilted(12), np.ones((160, 220), bool)
    np.testing.assert_allclose(
        [orientation(1 - image, mask).degrees, orientation(3 * image, mask).degrees],
        orientation(image, mask).degrees,
        atol=1e-9,
    )


def test_noise_and_blanks_have_no_direction():
    mask = np.ones((200, 300), bool)
    random = np.random.default_rng(0)
    assert orientation(np.full(mask.shape, 0.4), mask).coherence == 0
    for scale in (0.5, 1.0, 2.0):
        noise = ndimage.gaussian_filter(random.normal(size=mask.shape), scale)
        assert orientation(noise, mask).coherence < 0.15
        assert tilt(noise, mask) is None
    assert abs(tilt(tilted(7), np.ones((160, 220), bool)) - 7) < 0.1


def test_a_thin_granum_has_a_direction_too():
    image = tilted(4, (12, 200), period=6.0)
    assert abs(orientation(image, np.ones(image.shape, bool)).degrees - 4) < 2


def test_an_empty_mask_is_refused():
    with pytest.raises(InputError, match="nothing is inside of the mask"):
        orientation(np.zeros((9, 9)), np.zeros((9, 9), bool))
