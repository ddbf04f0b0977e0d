"""Uncertainty of a fit by the curvature at its end, with the correlation of its residual.

The fit is one of least squares, its residual isn't white: band-passed noise, neighbouring domains
and distortions are correlated over many pixels. With the Jacobian J and the residual's covariance S
the information is J'J (J'SJ)⁻¹ J'J (Godambe's, or sandwich), to which priors add theirs; nuisances
are marginalised by its inverse. Source: White 1982, doi:10.2307/1912526.
"""

import dataclasses
import math

import numpy as np

from srd_jax.analysis.surfaces.framing import Frame
from srd_jax.analysis.surfaces.model import NAMES, PRECISIONS
from srd_jax.analysis.surfaces.refine import Refined

# What a model without bends, fading and other domains misses makes errors larger than the curvature
# says. By drawn pictures: of a, the volume fraction, the axis, the angle in the plane.
_MISFIT = (1.25, 1.5, 1.05, 1.15)
# The residual's correlation is taken into account up to so many spacings of the lattice.
_REACH = 2.0


@dataclasses.dataclass(frozen=True)
class Uncertainty:
    """Standard deviations of a fit.

    Attributes:
      relative_cell: of a, over a.
      fraction: of the volume fraction.
      axis: root mean square of the angle by which the axis of view is off, radians.
      in_plane: of the angle in the plane of the picture, radians.
      pixels: number of independent pixels that the residual's correlation leaves.
    """

    relative_cell: float
    fraction: float
    axis: float
    in_plane: float
    pixels: float


def uncertainty(frame: Frame, fit: Refined) -> Uncertainty:
    """Returns the uncertainty of one fit, without the axis of a batch."""
    gain = max(float(fit.ncc), 1e-3)
    model, jacobian = np.asarray(fit.model, float), gain * np.asarray(fit.jacobian, float)
    residual = np.where(frame.mask, frame.data - gain * model, 0.0)
    covariance = _autocovariance(residual, frame.mask, _REACH * frame.spacing)
    shape = tuple(covariance.shape)
    spectrum = np.maximum(np.real(np.fft.fft2(covariance)), 0.0)
    waves = np.fft.fft2(jacobian, shape).reshape(len(NAMES), -1)
    seen = np.real((waves * spectrum.ravel()) @ waves.conj().T) / spectrum.size
    flat = jacobian.reshape(len(NAMES), -1)
    normal = flat @ flat.T
    # In units of each parameter's own sensitivity, so that all are of a size.
    scale = np.sqrt(np.maximum(np.diagonal(normal), 1e-12))
    normal, seen = (one / np.outer(scale, scale) for one in (normal, seen))
    ridge = 1e-6 * np.trace(seen) / len(seen) * np.eye(len(seen))
    information = normal @ np.linalg.solve(seen + ridge, normal)
    information += np.diag(np.asarray(PRECISIONS, float) / scale**2)
    inverse = np.linalg.pinv((information + information.T) / 2, rcond=1e-10, hermitian=True)
    full = inverse / np.outer(scale, scale)
    sds = np.sqrt(np.maximum(np.diagonal(full), 0.0))
    fraction = float(fit.parameters.fraction)
    return Uncertainty(
        relative_cell=_MISFIT[0] * float(sds[0]),
        fraction=_MISFIT[1] * float(sds[1]) * fraction * (1 - fraction),
        axis=_MISFIT[2] * math.hypot(sds[2], sds[3]),
        in_plane=_MISFIT[3] * float(sds[4]),
        pixels=_independent(covariance, frame.mask),
    )


def _autocovariance(residual: np.ndarray, mask: np.ndarray, reach: float) -> np.ndarray:
    """Returns the covariance of a residual's pixels by their distance, tapered, (2 R, 2 C)."""
    shape = tuple(2 * n for n in residual.shape)

    def correlated(one: np.ndarray) -> np.ndarray:
        return np.real(np.fft.ifft2(np.abs(np.fft.fft2(one, shape)) ** 2))

    pairs = correlated(mask.astype(float))
    found = correlated(residual) / np.maximum(pairs, 1.0)
    lags = [np.fft.fftfreq(n, 1 / n) for n in shape]
    distance = np.hypot(lags[0][:, None], lags[1][None, :])
    taper = np.exp(-0.5 * (distance / (reach / 2)) ** 2)
    return found * taper * (pairs > 0.5)


def _independent(covariance: np.ndarray, mask: np.ndarray) -> float:
    """Returns how many independent pixels would tell as much."""
    correlation = covariance / max(covariance[0, 0], 1e-30)
    return float(mask.sum() / max(np.sum(correlation**2), 1.0))
