"""Trials of any lengths through one network, together.

    drive_t = u_t Win^T + brec + noise_t
    x_t     = (1 - alpha) x_{t-1} + alpha (r_{t-1} Wrec^T + drive_t)
    r_t     = f(x_t)
    z_t     = g(r_t Wout^T + bout)                                          t = 1..T

Source: H. F. Song, G. R. Yang, X.-J. Wang (2016), PLoS Comput. Biol. 12, e1004792, eqs. 1-3,
discretised by Euler's method as in its eqs. 5-7. The loop over time is that of kernels/. Sample 0
is the initial state, which is not integrated.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.config import NetworkConfig, TrainingConfig
from pycog_dgr.data import Trial
from pycog_dgr.kernels import Readout, Recurrence, Rows, fastest_kernels, get_kernels
from pycog_dgr.network import Weights, activation, alpha_of


class DrawnTrial(NamedTuple):
    """All that is random about one trial; the number 0 stands for an array of zeros."""

    t: NDArray  # (time,), ms
    shown: NDArray | float  # the task's inputs, from sample 1 on: (time - 1, Nin)
    noise_in: NDArray | float  # (time, Nin)
    noise: NDArray | float  # (time, N)
    x0: NDArray  # (N,)
    info: dict[str, Any] | None


class Run(NamedTuple):
    """One trial: t (time,), u (Nin, time) or None, r (N, time), z (Nout, time), info; and, where
    it was asked for, the states x (N, time).
    """

    t: NDArray
    u: NDArray | None
    r: NDArray
    z: NDArray
    info: dict[str, Any] | None
    x: NDArray | None = None

    def __repr__(self) -> str:
        shapes = {name: array.shape for name, array in zip("urz", self[1:4], strict=True)
                  if array is not None}  # fmt: skip
        return f"Run({self.t[-1]:g} ms, {shapes})"


class Block:
    """Trials that are integrated together: arrays in which they stand one after the other in rows.

    Parameters
    ----------
    trials
        As generate_trial returns them; t and inputs are copied.
    x0
        The state that they start from, (N,), of the network's number type.
    Nin
        Inputs of the network; 0 where it has no Win.
    t_dtype
        Number type of the time axes.
    """

    def __init__(
        self, trials: Sequence[Trial], x0: NDArray, Nin: int, t_dtype: Any = np.float64
    ) -> None:
        self.ends = list(itertools.accumulate([len(trial["t"]) + 1 for trial in trials]))
        n_trial, n_rows, N, dtype = len(trials), self.ends[-1], len(x0), x0.dtype
        self.t = np.zeros(n_rows, t_dtype)
        self.shown = np.zeros((n_rows, Nin), dtype)
        self.noise_in = np.empty((n_rows, Nin), dtype)
        self.noise = np.empty((n_rows, N), dtype)
        self.x = np.empty((n_trial, N), dtype)
        self.x[:] = x0
        self.infos: list[dict[str, Any] | None] = [  # each of its own
            {**(trial.get("info") or {}), "epochs": trial.get("epochs")} for trial in trials
        ]
        t, shown, begin = self.t, self.shown, 0
        for trial, end in zip(trials, self.ends, strict=True):
            t[begin + 1 : end] = trial["t"]
            if Nin:
                shown[begin + 1 : end] = trial["inputs"]
            begin = end
        first = self.ends[0]
        equally_long = self.ends == list(range(first, n_rows + 1, first))
        self.n_time = first if equally_long else None  # time steps that every trial has

    def rows(self, i: int) -> slice:
        """The rows of trial i."""
        return slice(self.ends[i - 1] if i else 0, self.ends[i])

    def drawn(self, i: int) -> DrawnTrial:
        """Trial i as it stands in its rows, not copied."""
        own = self.rows(i)
        return DrawnTrial(
            self.t[own], self.shown[own][1:], self.noise_in[own], self.noise[own], self.x[i],
            self.infos[i],
        )  # fmt: skip

    def put(self, i: int, drawn: DrawnTrial) -> None:
        """Trial i as it is drawn, and perturbed; what stands in its rows already stays."""
        own, later = self.rows(i), slice(self.rows(i).start + 1, self.ends[i])
        for rows, array, values in (
            (later, self.shown, drawn.shown),
            (own, self.noise_in, drawn.noise_in),
            (own, self.noise, drawn.noise),
        ):
            if not (isinstance(values, np.ndarray) and values.base is array):
                array[rows] = values
        self.x[i], self.infos[i] = drawn.x0, drawn.info

    def places(self) -> tuple[Rows, Any]:
        """Where the trials stand, the longest first, so that those still running are always the
        first ones; and the index that puts arrays (trial, ...) into this order.
        """
        n_trial = len(self.ends)
        if self.n_time is not None:
            return Rows.of_equal(self.n_time, n_trial), slice(n_trial)
        steps = np.diff(self.ends, prepend=0)
        order = np.argsort(-steps, kind="stable")
        running = np.searchsorted(-steps[order], -np.arange(steps[order[0]]))
        return Rows((np.array(self.ends) - steps)[order], 1, running), order

    def split(self, values: NDArray) -> list[NDArray]:
        """Of values (row,) or (row, unit) each trial's, time last, not copied."""
        if self.n_time is not None:
            trials = values.reshape(len(self.ends), self.n_time, *values.shape[1:])
            return list(trials.swapaxes(1, -1))
        return [own.T for own in np.split(values, self.ends[:-1])]

    def inputs(self, training: TrainingConfig) -> NDArray:
        """Inputs (row, Nin) with baseline and noise, in the place of what is shown."""
        u = self.shown
        u += u.dtype.type(training.baseline_in)
        u += self.noise_in
        return np.maximum(u, 0, out=u) if training.rectify_inputs else u


def integrate_block(
    block: Block,
    weights: Weights,
    network: NetworkConfig,
    training: TrainingConfig,
    with_states: bool = False,
) -> list[Run]:
    """The Run of each trial; the block's x are the last states then."""
    places, order = block.places()
    u, r = block.inputs(training), block.noise  # rates take the place of the noise
    x = block.x[order]
    states = np.empty_like(r) if with_states else None
    recurrence, readout = equations(weights, network)
    kernels = get_kernels(fastest_kernels())
    a = kernels.run(recurrence, readout, places, u, r, x, r, states, from_start=True)
    z = r if weights.Wout is None else activation(network.output_activation)(a)

    kept = (None if weights.Win is None else u, r, z, states)
    us, rs, zs, xs = ([None] * len(places.begins) if v is None else block.split(v) for v in kept)
    block.x[order] = x
    parts = zip(block.split(block.t), us, rs, zs, block.infos, xs, strict=True)
    return list(map(Run._make, parts))


def equations(weights: Weights, network: NetworkConfig) -> tuple[Recurrence, Readout]:
    """A network as the kernels take it; it may have neither inputs nor outputs."""
    N, dtype = network.N, weights.Wrec.dtype
    Win = np.zeros((N, 0), dtype) if weights.Win is None else weights.Win
    Wout = np.zeros((0, N), dtype) if weights.Wout is None else weights.Wout
    alpha = np.empty(N, dtype)
    alpha[:] = alpha_of(weights, network)
    recurrence = Recurrence(
        Win, weights.Wrec, weights.brec, weights.x0, alpha, network.hidden_activation
    )
    return recurrence, Readout(Wout, weights.bout, network.output_activation)
