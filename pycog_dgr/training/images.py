"""From images and class probabilities to a Batch, and the checks of what comes in.

    u_t     = rectified(gain image_row_t + baseline_in + sqrt(2 tau_in/dt var_in) N(0, 1))
    noise_t = sqrt(2 tau/dt var_rec) N(0, 1)

| symbol  | name                             | shape                 | unit      |
|---------|----------------------------------|-----------------------|-----------|
| image   | images, one row a time step      | (trial, time, column) | 1, [0, 1] |
| u       | inputs                           | (time, trial, Nin)    | 1         |
| noise   | recurrent noise                  | (time, trial, N)      | 1         |
| tau, dt | of the network; tau_in           | () or (N,), (), ()    | ms        |
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pycog_dgr.config import NetworkConfig, TrainingConfig
from pycog_dgr.data import NormalStream
from pycog_dgr.errors import BatchError

SUM_TOLERANCE = 1e-4  # by which the probabilities of a float32 softmax may miss 1


# --- inputs and noise ----------------------------------------------------------------------------


def image_inputs(
    images: NDArray, gain: float, training: TrainingConfig, dtype: str, noise: NDArray | float = 0.0
) -> NDArray:
    """Images (trial, time, Nin) -> inputs (time, trial, Nin): scaled, with baseline and noise."""
    u = images.transpose(1, 0, 2).astype(dtype)
    u *= gain
    u += training.baseline_in + noise
    return np.maximum(u, 0, out=u) if training.rectify_inputs else u


def input_noise(
    shape: tuple[int, int], network: NetworkConfig, training: TrainingConfig, dtype: str,
    rng: np.random.Generator,
) -> NDArray:  # fmt: skip
    """Noise of the inputs (*shape, Nin)."""
    sigma = np.sqrt(2 * training.tau_in / network.dt * training.var_in)
    return normal(rng, sigma, (*shape, network.Nin), dtype)


def recurrent_noise(
    shape: tuple[int, int], network: NetworkConfig, training: TrainingConfig, dtype: str,
    rng: np.random.Generator,
) -> NDArray:  # fmt: skip
    """Noise of the units (*shape, N)."""
    sigma = np.sqrt(2 * network.tau / network.dt * training.var_rec)
    return normal(rng, sigma, (*shape, network.N), dtype)


def normal(
    rng: np.random.Generator, sigma: NDArray | float, shape: tuple[int, ...], dtype: str
) -> NDArray:
    """Normal noise of standard deviation sigma; float32 from the fast stream that rng seeds.

    Nothing is drawn where sigma is 0, as in data/dataset.py.
    """
    if not np.any(sigma):
        return np.zeros(shape, dtype)
    scale = np.asarray(sigma, dtype)
    if dtype == "float32":
        stream = NormalStream(int(rng.integers(2**64, dtype=np.uint64)))
        return stream.normal(shape, scale=np.atleast_1d(scale))
    noise = rng.standard_normal(shape)
    noise *= scale
    return noise


# --- checks --------------------------------------------------------------------------------------


def checked_images(images: ArrayLike, Nin: int, n_trial: int | None = None) -> NDArray:
    """Images as an array (trial, time, Nin) of numbers in [0, 1]; BatchError otherwise."""
    images = checked_numbers("images", images)
    expected = f"(trial, time, {Nin})" if n_trial is None else f"({n_trial}, time, {Nin})"
    if images.ndim != 3 or images.shape[2] != Nin or n_trial not in (None, len(images)):
        raise BatchError(f"images have shape {images.shape}; give {expected}")
    if images.size == 0:
        raise BatchError(f"images have shape {images.shape}: no example; give at least one")
    low, high = images.min(), images.max()  # NaN goes through both
    if not (low >= 0 and high <= 1):
        raise BatchError(
            f"images range over [{low:g}, {high:g}]; pixels must be finite and within [0, 1] "
            "(divide 8-bit ones by 255)"
        )
    return images


def checked_targets(targets: ArrayLike, n_classes: int) -> NDArray:
    """Targets as an array (trial, class) whose rows are probabilities; BatchError otherwise."""
    targets = checked_numbers("targets", targets)
    if targets.ndim != 2 or targets.shape[1] != n_classes or not len(targets):
        raise BatchError(
            f"targets have shape {targets.shape}; give class probabilities (trial, {n_classes}), "
            "one-hot rows for labels, and at least one trial"
        )
    low, high = targets.min(), targets.max()
    if not (low >= 0 and high <= 1):
        raise BatchError(f"targets range over [{low:g}, {high:g}]; give probabilities in [0, 1]")
    sums = targets.sum(axis=1, dtype=np.float64)
    worst = int(np.argmax(np.abs(sums - 1)))
    if abs(sums[worst] - 1) > SUM_TOLERANCE:
        raise BatchError(
            f"targets of trial {worst} sum to {sums[worst]:g}; class probabilities must sum to 1"
        )
    return targets


def checked_weights(weights: ArrayLike | None, n_trial: int) -> NDArray:
    """Weights (trial,), 1 where None was given; BatchError otherwise."""
    if weights is None:
        return np.ones(n_trial)
    weights = checked_numbers("weights", weights)
    if weights.shape != (n_trial,):
        raise BatchError(f"weights have shape {weights.shape}; give one a trial, ({n_trial},)")
    if not (np.isfinite(weights).all() and weights.min() >= 0 and weights.max() > 0):
        raise BatchError("weights must be finite, at least 0, and above 0 for some trial")
    return weights


def checked_numbers(name: str, values: ArrayLike) -> NDArray:
    """An array of real numbers; BatchError otherwise."""
    try:
        array = np.asarray(values)
    except ValueError as error:  # ragged nested lists
        raise BatchError(f"{name} are not one array ({error}); give equal shapes") from error
    if array.dtype.kind not in "biuf":
        raise BatchError(f"{name} have dtype {array.dtype}; give real numbers")
    return array
