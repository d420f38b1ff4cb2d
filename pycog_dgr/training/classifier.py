"""The biologically constrained network as a classifier of image sequences: the thesis' solver.

    u_t     = rectified(255 image_row_t + baseline_in + sqrt(2 tau_in/dt var_in) N(0, 1))
    noise_t = sqrt(2 tau/dt var_rec) N(0, 1)
    loss    = - sum_trials w sum_c target_c log z_T,c / (n_classes sum_trials w)      ('last')
    class   = argmax_c z_T,c, without noise

Source: A. Prasad (2020), Mitigating Catastrophic Forgetting in LSTM-RNNs and Biologically
Constrained RNNs, appendix; the network is that of network.py.

| symbol  | name                             | shape                 | unit       |
|---------|----------------------------------|-----------------------|------------|
| image   | images, one row a time step      | (trial, time, column) | 1, [0, 1]  |
| u       | inputs                           | (time, trial, Nin)    | 8-bit grey |
| target  | targets, class probabilities     | (trial, class)        | 1          |
| w       | weights of the trials            | (trial,)              | 1          |
| tau, dt | 50, 1; tau_in 100                |                       | ms         |
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pycog_dgr.config import settings
from pycog_dgr.data import Batch, NormalStream
from pycog_dgr.errors import BatchError, SettingError
from pycog_dgr.network import initial_parameters, rescaled, simulate
from pycog_dgr.symbolic import optimisers
from pycog_dgr.symbolic.objective import Penalty
from pycog_dgr.training.divergence import Watch
from pycog_dgr.training.dropout import RecurrentDropout
from pycog_dgr.training.step import TrainingStep

OnIteration = Callable[[int, dict[str, float]], None]

PIXEL_SCALE = 255  # the network sees 8-bit grey values
N_EXCITATORY, N_INHIBITORY = 51, 13
THESIS = {
    "Nin": 28,
    "N": N_EXCITATORY + N_INHIBITORY,
    "Nout": 10,
    "ei": np.repeat([1, -1], [N_EXCITATORY, N_INHIBITORY]),
    "tau": 50,  # ms
    "dt": 1,  # ms
    "tau_in": 100,  # ms
    "var_in": 0.01**2,
    "var_rec": 0.01**2,
    "output_activation": "softmax",
    "n_gradient": 64,
    "n_validation": 100,
    "learning_rate": 1e-3,
    "lambda_Omega": 2,
    "rho0": 1.5,
}
ADAM = {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-5}
LOSS_STEPS = ("last", "all")
SUM_TOLERANCE = 1e-4  # by which the probabilities of a float32 softmax may miss 1
TRIALS_AT_ONCE = 1024  # in predict, so that the states of one piece stay in the cache


class RateRNNClassifier:
    """The thesis' biological solver: 51 excitatory and 13 inhibitory units read 28 rows.

    seed        of the initial weights
    optimiser   'sgd' (clipped, the thesis' text) or 'adam' (the thesis' disabled block)
    loss_steps  'last' or 'all': the time steps whose output is compared with the target
    floatX      'float32' or 'float64'
    backend     of the training step: 'auto', 'fast', 'numpy' or 'scan'
    penalties, dropout   further terms of the objective, see step.TrainingStep
    overrides   any pycog setting, in place of the thesis'

    `watch` counts the updates at which the guard against explosions stepped in, and logs the first.
    Raises SettingError for an option or a setting it does not know.
    """

    def __init__(
        self,
        seed: int = 100,
        *,
        optimiser: str = "sgd",
        loss_steps: str = "last",
        floatX: str = "float32",
        backend: str = "auto",
        penalties: tuple[Penalty, ...] = (),
        dropout: RecurrentDropout | None = None,
        **overrides: Any,
    ) -> None:
        if loss_steps not in LOSS_STEPS:
            raise SettingError(f"loss_steps must be one of {LOSS_STEPS}, not {loss_steps!r}")
        network, training = settings(**(THESIS | overrides | {"seed": seed}))
        if network.output_activation != "softmax" or not (network.Nin and network.Nout):
            raise SettingError("a classifier needs inputs, outputs, and the softmax activation")
        if np.ndim(training.var_in) > 1 or np.ndim(training.var_rec) > 1:
            raise SettingError("a classifier's noise is independent: give no covariance matrix")
        self.loss_steps = loss_steps
        self.watch = Watch()
        self._chosen = {
            "floatX": floatX,
            "backend": backend,
            "penalties": penalties,
            "dropout": dropout,
            "optimiser": make_optimiser(optimiser, training.learning_rate),
        }
        self.training = training
        raw, network = initial_parameters(network, training.seed)
        self._step = TrainingStep(network, training, raw, **self._chosen)

    @property
    def step(self) -> TrainingStep:
        """The training step, which holds the parameters."""
        return self._step

    @property
    def network(self):
        """The NetworkConfig, fixed weights rescaled."""
        return self._step.network

    @property
    def weights(self):
        """Effective weights, copied."""
        return self._step.weights

    def fit(
        self,
        images: ArrayLike,
        targets: ArrayLike,
        weights: ArrayLike | None = None,
        *,
        iterations: int,
        rng: np.random.Generator,
        batch_size: int | None = None,
        on_iteration: OnIteration | None = None,
    ) -> None:
        """Go on training from the present weights for a number of iterations (batches).

        images (trial, time, Nin) in [0, 1]; targets (trial, class) probabilities; weights
        (trial,), where trials of weight 0 take no part. Trials are shuffled once per pass; the
        batch size is n_gradient (64) unless given. After each update on_iteration(i, report) is
        called, i from 1, with loss, gnorm and Omega. Raises BatchError before any training.
        """
        q = checked_targets(targets, self.network.Nout)
        u = checked_images(images, self.network.Nin, n_trial=len(q))
        w = checked_weights(weights, len(q))
        size = self.training.n_gradient if batch_size is None else batch_size
        u, q, w = u[w > 0], q[w > 0], w[w > 0]
        for i, chosen in enumerate(minibatches(len(u), size, iterations, rng), start=1):
            batch = self.minibatch(u[chosen], q[chosen], w[chosen], rng)
            report = self.watch.update(self._step, batch)
            if on_iteration is not None:
                seen = {"loss": report.loss, "gnorm": report.gnorm, "Omega": report.Omega}
                on_iteration(i, seen)

    def predict(self, images: ArrayLike) -> NDArray:
        """Class probabilities (trial, class) at the last time step, without noise."""
        u = checked_images(images, self.network.Nin)
        weights, network = self._step.weights, self.network
        pieces = []
        for start in range(0, len(u), TRIALS_AT_ONCE):
            inputs = self._inputs(u[start : start + TRIALS_AT_ONCE])
            noise = np.zeros((*inputs.shape[:2], network.N), inputs.dtype)
            z = simulate(
                weights,
                inputs,
                noise,
                network.alpha,
                hidden_activation=network.hidden_activation,
                output_activation=network.output_activation,
            ).z
            pieces.append(z[-1])
        return np.concatenate(pieces)

    def state(self) -> dict[str, NDArray]:
        """All that training goes on from, copied: raw parameters, fixed weights, moments."""
        fixed = self.network.Crec.mask_fixed.copy()
        return self._step.state() | {"Crec_fixed": fixed}

    def load_state(self, state: Mapping[str, NDArray]) -> None:
        """Go on from what `state` returned; SettingError (and no change) where it does not fit."""
        fixed = state.get("Crec_fixed")
        if fixed is None:
            raise SettingError("state: Crec_fixed is missing; give what `state` returned")
        rest = {name: value for name, value in state.items() if name != "Crec_fixed"}
        self._go_on(rest, fixed)

    def force_spectral_radius(self) -> None:
        """Rescale the recurrent weights to their initial spectral radius, rho0.

        The thesis' committed code did so at the start of every context but the first.
        """
        raw, network = rescaled(self._step.parameters, self.network)
        self._go_on(self._step.state() | {"Wrec": raw.Wrec}, network.Crec.mask_fixed)

    def _go_on(self, state: Mapping[str, NDArray], fixed: NDArray) -> None:
        """Load a step's state; where fixed weights differ, into a step that has them."""
        step = self._step
        if not np.array_equal(fixed, self.network.Crec.mask_fixed):
            Crec = self.network.Crec.with_fixed(fixed)
            network = dataclasses.replace(self.network, Crec=Crec)
            step = TrainingStep(network, self.training, step.parameters, **self._chosen)
        step.load_state(state)
        self._step = step

    # --- from images to a batch -----------------------------------------------------------------

    def _inputs(self, images: NDArray, noise: NDArray | float = 0.0) -> NDArray:
        """Images (trial, time, Nin) -> inputs (time, trial, Nin): grey values, baseline, noise."""
        u = PIXEL_SCALE * images.transpose(1, 0, 2).astype(self._step.floatX)
        u += self.training.baseline_in + noise
        return np.maximum(u, 0, out=u) if self.training.rectify_inputs else u

    def minibatch(
        self, images: NDArray, targets: NDArray, weights: NDArray, rng: np.random.Generator
    ) -> Batch:
        """A Batch of images with its noise; the weights of the trials are the mask's values."""
        network, training, dtype = self.network, self.training, self._step.floatX
        n_trial, n_time, _ = images.shape
        sigma_in = np.sqrt(2 * training.tau_in / network.dt * training.var_in)
        sigma_rec = np.sqrt(2 * network.tau / network.dt * training.var_rec)
        noise_in = normal(rng, sigma_in, (n_time, n_trial, network.Nin), dtype)
        noise_rec = normal(rng, sigma_rec, (n_time, n_trial, network.N), dtype)
        shape = (n_time, n_trial, network.Nout)
        mask = np.zeros(shape, dtype)
        mask[-1 if self.loss_steps == "last" else slice(None)] = weights[:, np.newaxis]
        return Batch(
            inputs=self._inputs(images, noise_in),
            targets=np.broadcast_to(targets.astype(dtype), shape),
            mask=mask,
            noise=noise_rec,
        )


def make_optimiser(name: str, learning_rate: float) -> optimisers.Transform:
    if name == "sgd":
        return optimisers.sgd(learning_rate)
    if name == "adam":
        return optimisers.adam(learning_rate, **ADAM)
    raise SettingError(f"optimiser must be 'sgd' or 'adam', not {name!r}")


def normal(
    rng: np.random.Generator, sigma: NDArray | float, shape: tuple[int, ...], dtype: str
) -> NDArray:
    """Normal noise of standard deviation sigma; float32 from the fast stream that rng seeds."""
    if dtype == "float32":
        noise = NormalStream(int(rng.integers(2**64, dtype=np.uint64))).normal(shape)
    else:
        noise = rng.standard_normal(shape)
    noise *= np.asarray(sigma, dtype)
    return noise


def minibatches(
    n_trial: int, size: int, iterations: int, rng: np.random.Generator
) -> Iterator[NDArray]:
    """Yield `iterations` index arrays: shuffled passes, one after another, the last batch short."""
    if not isinstance(rng, np.random.Generator):
        raise SettingError(f"rng must be a numpy.random.Generator, not {rng!r}")
    for name, value, least in (("batch_size", size, 1), ("iterations", iterations, 0)):
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not whole or value < least:
            raise SettingError(f"{name} must be a whole number, {least} or more, not {value!r}")
    return _passes(n_trial, size, iterations, rng)


def _passes(
    n_trial: int, size: int, iterations: int, rng: np.random.Generator
) -> Iterator[NDArray]:
    remaining = iterations
    while remaining > 0:
        order = rng.permutation(n_trial)
        for start in range(0, n_trial, size)[:remaining]:
            yield order[start : start + size]
            remaining -= 1


# --- checks ---------------------------------------------------------------------------------------


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
            f"(divide 8-bit ones by {PIXEL_SCALE})"
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
    try:
        array = np.asarray(values)
    except ValueError as error:  # ragged nested lists
        raise BatchError(f"{name} are not one array ({error}); give equal shapes") from error
    if array.dtype.kind not in "biuf":
        raise BatchError(f"{name} have dtype {array.dtype}; give real numbers")
    return array
