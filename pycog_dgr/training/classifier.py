"""The biologically constrained network as a classifier of image sequences: the thesis' solver.

    loss    = - sum_trials w sum_c target_c log z_T,c / (n_classes sum_trials w)      ('last')
    class   = argmax_c z_T,c, without noise

Source: A. Prasad (2020), Mitigating Catastrophic Forgetting in LSTM-RNNs and Biologically
Constrained RNNs, appendix. The network is that of network/simulate.py, its inputs and noise are
those of images.py.

| symbol  | name                             | shape                 | unit      |
|---------|----------------------------------|-----------------------|-----------|
| image   | images, one row a time step      | (trial, time, column) | 1, [0, 1] |
| target  | targets, class probabilities     | (trial, class)        | 1         |
| w       | weights of the trials            | (trial,)              | 1         |
| tau, dt | 50, 1; tau_in 100                |                       | ms        |
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pycog_dgr.config import NetworkConfig, settings
from pycog_dgr.data import Batch
from pycog_dgr.errors import SettingError
from pycog_dgr.network import Weights, alpha_of, initial_parameters, rescaled, simulate
from pycog_dgr.symbolic.objective import Penalty
from pycog_dgr.symbolic.optimisers import PATH
from pycog_dgr.training.divergence import DivergenceMonitor
from pycog_dgr.training.dropout import RecurrentDropout
from pycog_dgr.training.ewc import EWCState, elastic_weight_consolidation, fisher_information
from pycog_dgr.training.images import (
    checked_images,
    checked_targets,
    checked_weights,
    image_inputs,
    input_noise,
    recurrent_noise,
)
from pycog_dgr.training.minibatches import minibatches
from pycog_dgr.training.options import initial_settings, make_optimiser
from pycog_dgr.training.step import TrainingStep

OnIteration = Callable[[int, dict[str, float]], None]

PIXEL_SCALE = 255  # the network sees 8-bit grey values
N_EXCITATORY, N_INHIBITORY = 51, 13
THESIS: dict[str, Any] = {
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
LOSS_STEPS = ("last", "all")
TRIALS_AT_ONCE = 1024  # in predict, so that the states of one piece stay in the cache


class RateRNNClassifier:
    """The thesis' biological solver: 51 excitatory and 13 inhibitory units read 28 rows.

    Parameters
    ----------
    seed : int
        Of the initial weights.
    optimiser : str
        'sgd' (clipped, the thesis' text), 'adam' (the thesis' disabled block) or 'projected_adam'.
    schedule : str
        Of the learning rate: 'constant', or 'one_cycle' over each context.
    initialisation : str
        'thesis' or 'spectrum_matched'; see options.py for all three.
    input_gain : float
        What pixels in [0, 1] are multiplied by; 255 gives the thesis' grey values.
    loss_steps : str
        'last' or 'all': the time steps whose output is compared with the target.
    floatX : str
        'float32' or 'float64'.
    backend : str
        Of the training step: 'auto', 'fast', 'numpy' or 'scan'.
    penalties, dropout
        Further terms of the objective, see step.TrainingStep.
    track_path : bool
        Whether `path_integral` is kept, as a part of the state (synaptic intelligence).
    **overrides
        Any pycog setting, in place of the thesis'.

    Attributes
    ----------
    monitor : DivergenceMonitor
        Counts the updates, and those that were skipped against explosions; logs the first bad one.

    Raises
    ------
    SettingError
        For an option or a setting it does not know.
    """

    def __repr__(self) -> str:
        return f"RateRNNClassifier({self.network.described()})"

    def __init__(
        self,
        seed: int = 100,
        *,
        optimiser: str = "sgd",
        schedule: str = "constant",
        initialisation: str = "thesis",
        input_gain: float = PIXEL_SCALE,
        loss_steps: str = "last",
        floatX: str = "float32",
        backend: str = "auto",
        penalties: tuple[Penalty, ...] = (),
        dropout: RecurrentDropout | None = None,
        track_path: bool = False,
        **overrides: Any,
    ) -> None:
        if loss_steps not in LOSS_STEPS:
            raise SettingError(f"loss_steps must be one of {LOSS_STEPS}, not {loss_steps!r}")
        if isinstance(input_gain, (bool, str)) or not 0 < input_gain < np.inf:
            raise SettingError(f"input_gain must be a finite number above 0, not {input_gain!r}")
        given = THESIS | overrides
        start = initial_settings(
            initialisation, given["Nin"], given["N"], given["Nout"], given["ei"]
        )
        given = THESIS | start | overrides
        network, training = settings(**(given | {"seed": seed}))
        if network.output_activation != "softmax" or not (network.Nin and network.Nout):
            raise SettingError("a classifier needs inputs, outputs, and the softmax activation")
        if np.ndim(training.var_in) > 1 or np.ndim(training.var_rec) > 1:
            raise SettingError("a classifier's noise is independent: give no covariance matrix")
        self.loss_steps = loss_steps
        self.penalties = penalties
        self.input_gain = input_gain
        self.monitor = DivergenceMonitor()
        self.training = training
        self._make_step = functools.partial(
            TrainingStep,
            training=training,
            floatX=floatX,
            backend=backend,
            optimiser=make_optimiser(
                optimiser, training.learning_rate, schedule, network.ei is not None, track_path
            ),
            penalties=penalties,
            dropout=dropout,
        )
        raw, network = initial_parameters(network, training.seed)
        self._step = self._make_step(network, parameters=raw)

    @property
    def step(self) -> TrainingStep:
        """The training step, which holds the parameters."""
        return self._step

    @property
    def network(self) -> NetworkConfig:
        """What the network is, its fixed weights rescaled."""
        return self._step.network

    @property
    def weights(self) -> Weights[NDArray]:
        """Effective weights, copied."""
        return self._step.weights

    def begin_context(self, *, iterations: int) -> None:
        """Begin a context of so many updates: the optimiser's moments and the schedule start anew.

        Parameters and fixed weights stay. Without it the moments go on from fit to fit, and the
        learning rate is constant. Raises SettingError for a number that is not whole, 1 or more.
        """
        is_integer = isinstance(iterations, (int, np.integer)) and not isinstance(iterations, bool)
        if not is_integer or iterations < 1:
            raise SettingError(f"iterations must be a whole number, 1 or more, not {iterations!r}")
        state = self._step.state()
        kept = (*self.network.shapes, "dropout_count")
        fresh = {
            name: value if name in kept or name.startswith(PATH) else np.zeros_like(value)
            for name, value in state.items()
        }
        if "cycle_updates" in fresh:
            fresh["cycle_updates"] = np.asarray(iterations)
        self._step.load_state(fresh)

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
        check_input: bool = True,
    ) -> None:
        """Go on training from the present weights for a number of iterations (batches).

        Parameters
        ----------
        images : array_like of shape (trial, time, Nin)
            In [0, 1].
        targets : array_like of shape (trial, class)
            Class probabilities.
        weights : array_like of shape (trial,), optional
            Trials of weight 0 take no part; 1 where None is given.
        iterations : int
            Minibatches; the trials are shuffled once per pass.
        rng : numpy.random.Generator
            Of the order and the noise.
        batch_size : int, optional
            n_gradient (64) unless given.
        on_iteration : callable, optional
            Called after each update as on_iteration(i, report), i from 1, with loss, gnorm and
            Omega.
        check_input : bool
            False leaves out the checks, for arrays that were checked before.

        Raises
        ------
        BatchError
            For examples that cannot be used, before any training.
        SettingError
            For a wrong number of iterations or trials.
        """
        if check_input:
            q = checked_targets(targets, self.network.Nout)
            u = checked_images(images, self.network.Nin, n_trial=len(q))
            w = checked_weights(weights, len(q))
        else:
            q, u = np.asarray(targets), np.asarray(images)
            w = np.ones(len(q)) if weights is None else np.asarray(weights)
        used = np.flatnonzero(w > 0)
        size = self.training.n_gradient if batch_size is None else batch_size
        for i, chosen in enumerate(minibatches(len(used), size, iterations, rng), start=1):
            trials = used[chosen]
            batch = self.minibatch(u[trials], q[trials], w[trials], rng)
            report = self.monitor.update(self._step, batch)
            if on_iteration is not None:
                seen = {"loss": report.loss, "gnorm": report.gnorm, "Omega": report.Omega}
                on_iteration(i, seen)

    def predict(self, images: ArrayLike) -> NDArray:
        """Class probabilities (trial, class) at the last time step, without noise.

        Raises BatchError for images (trial, time, Nin) that cannot be used.
        """
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
                alpha_of(weights, network),
                hidden_activation=network.hidden_activation,
                output_activation=network.output_activation,
            ).z
            pieces.append(z[-1])
        return np.concatenate(pieces)

    def minibatch(
        self, images: NDArray, targets: NDArray, weights: NDArray, rng: np.random.Generator
    ) -> Batch:
        """A Batch of images with its noise; the weights of the trials are the mask's values."""
        network, training, dtype = self.network, self.training, self._step.floatX
        n_trial, n_time, _ = images.shape
        noise_in = input_noise((n_time, n_trial), network, training, dtype, rng)
        noise = recurrent_noise((n_time, n_trial), network, training, dtype, rng)
        shape = (n_time, n_trial, network.Nout)
        mask = np.zeros(shape, dtype)
        mask[-1 if self.loss_steps == "last" else slice(None)] = weights[:, np.newaxis]
        return Batch(
            inputs=self._inputs(images, noise_in),
            targets=np.broadcast_to(targets.astype(dtype), shape),
            mask=mask,
            noise=noise,
        )

    def _inputs(self, images: NDArray, noise: NDArray | float = 0.0) -> NDArray:
        return image_inputs(images, self.input_gain, self.training, self._step.floatX, noise)

    # --- holding on to what earlier contexts depend on ------------------------------------------

    def trained_parameters(self) -> dict[str, NDArray]:
        """Copies of the raw parameters that are trained, by name."""
        held = self._step.parameters
        return {name: getattr(held, name) for name in self.network.trained}

    def fisher_information(self, images: ArrayLike, targets: ArrayLike) -> dict[str, NDArray]:
        """Diagonal Fisher information at the present parameters, without noise (ewc.py).

        Parameters
        ----------
        images : array_like of shape (trial, time, Nin)
            In [0, 1].
        targets : array_like of shape (trial, class)
            Class probabilities.
        """
        q = checked_targets(targets, self.network.Nout)
        u = checked_images(images, self.network.Nin, n_trial=len(q))
        batch = self.minibatch(u, q, np.ones(len(q)), np.random.default_rng(0))
        quiet = batch._replace(inputs=self._inputs(u), noise=np.zeros_like(batch.noise))
        return fisher_information(self._step, quiet)

    def path_integral(self) -> dict[str, NDArray]:
        """What each parameter's way has lowered the loss by since the first update, by name.

        Raises SettingError where the solver was not made with `track_path`.
        """
        state = self._step.state()
        sums = {name.removeprefix(PATH): v for name, v in state.items() if name.startswith(PATH)}
        if not sums:
            raise SettingError(
                "this network keeps no path integral: make it with track_path, a setting of the "
                "classifier"
            )
        return sums

    def hold(self, states: Sequence[EWCState], strength: float) -> None:
        """Let quadratic penalties join every later loss, in place of those that were held.

        Parameters
        ----------
        states : sequence of EWCState
            theta_star and the importance of each parameter, one pair a penalty.
        strength : float
            lambda of ewc.py, at least 0.
        """
        held = [EWCState(*state) for state in states]
        terms = (elastic_weight_consolidation(held, strength),) if held else ()
        self._make_step = functools.partial(self._make_step, penalties=(*self.penalties, *terms))
        state = self._step.state()
        self._step = self._make_step(self.network, parameters=self._step.parameters)
        self._step.load_state(state)

    # --- state ----------------------------------------------------------------------------------

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
            step = self._make_step(network, parameters=step.parameters)
        step.load_state(state)
        self._step = step
