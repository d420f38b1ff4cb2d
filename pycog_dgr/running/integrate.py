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

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.config import NetworkConfig, TrainingConfig
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
    """Arrays in which trials are drawn and integrated together, one after the other in rows.

    Parameters
    ----------
    n_trial, n_rows
        How many trials, and time steps of all together, there is room for.
    Nin, N
        Of the network; Nin is 0 where it has no Win.
    dtype
        The network's number type.
    """

    def __init__(self, n_trial: int, n_rows: int, Nin: int, N: int, dtype: np.dtype) -> None:
        self.shown = np.zeros((n_rows, Nin), dtype)
        self.noise_in = np.empty((n_rows, Nin), dtype)
        self.noise = np.empty((n_rows, N), dtype)
        self.x = np.empty((n_trial, N), dtype)
        self.trials: list[DrawnTrial] = []
        self.ends: list[int] = []  # the row after each trial's last one
        self.taken = 0  # rows that trials stand in
        self.n_drawn = 0  # trials whose noise is drawn

    def has_room(self, n_rows: int) -> bool:
        """Whether a trial of so many time steps can be added."""
        return len(self.ends) < len(self.x) and self.taken + n_rows <= len(self.noise)

    def rows(self, i: int) -> slice:
        """The rows of trial i."""
        return slice(self.ends[i - 1] if i else 0, self.ends[i])

    def add(self, trial: DrawnTrial) -> None:
        """Take what a trial shows; its noise and its start are put later, or are there."""
        begin = self.taken
        self.taken = end = begin + len(trial.t)
        self.shown[begin + 1 : end] = trial.shown
        self.trials.append(trial)
        self.ends.append(end)

    def drawn(self, i: int) -> DrawnTrial:
        """Trial i with the noise in its rows, not copied."""
        own = self.rows(i)
        return self.trials[i]._replace(
            noise_in=self.noise_in[own], noise=self.noise[own], x0=self.x[i]
        )

    def put(self, i: int, drawn: DrawnTrial) -> None:
        """Trial i as it is drawn, and perturbed; what stands in its rows already stays."""
        own = self.rows(i)
        if drawn.shown is not self.trials[i].shown:
            self.shown[own.start + 1 : own.stop] = drawn.shown
        for array, values in ((self.noise_in, drawn.noise_in), (self.noise, drawn.noise)):
            if not (isinstance(values, np.ndarray) and values.base is array):
                array[own] = values
        self.x[i] = drawn.x0
        self.trials[i] = drawn

    def equally_long(self) -> bool:
        """Whether all trials have as many time steps as the first."""
        n_time = self.ends[0]
        return self.ends == list(range(n_time, self.taken + 1, n_time))

    def places(self) -> tuple[Rows, Any]:
        """Where the trials stand, the longest first, so that those still running are always the
        first ones; and the index that puts arrays (trial, ...) into this order.
        """
        n_trial = len(self.ends)
        if self.equally_long():
            return Rows.of_equal(self.ends[0], n_trial), slice(n_trial)
        steps = np.diff(self.ends, prepend=0)
        order = np.argsort(-steps, kind="stable")
        running = np.searchsorted(-steps[order], -np.arange(steps[order[0]]))
        return Rows((np.array(self.ends) - steps)[order], 1, running), order

    def split(self, values: NDArray) -> list[NDArray]:
        """Of values (row, unit) each trial's, (unit, time), not copied."""
        if self.equally_long():
            trials = values.reshape(len(self.ends), self.ends[0], values.shape[1])
            return list(trials.transpose(0, 2, 1))
        return [own.T for own in np.split(values, self.ends[:-1])]

    def inputs(self, training: TrainingConfig) -> NDArray:
        """Inputs (row, Nin) with baseline and noise, in the place of what is shown."""
        u = self.shown[: self.taken]
        u += u.dtype.type(training.baseline_in)
        u += self.noise_in[: self.taken]
        return np.maximum(u, 0, out=u) if training.rectify_inputs else u


def integrate_block(
    block: Block,
    weights: Weights,
    network: NetworkConfig,
    training: TrainingConfig,
    with_states: bool = False,
) -> tuple[list[Run], NDArray]:
    """The Run of each trial, and the last states (trial, N)."""
    places, order = block.places()
    u, r = block.inputs(training), block.noise[: block.taken]  # rates take the place of the noise
    x = block.x[order]
    states = np.empty_like(r) if with_states else None
    recurrence, readout = equations(weights, network)
    kernels = get_kernels(fastest_kernels())
    a = kernels.run(recurrence, readout, places, u, r, x, r, states, from_start=True)
    z = r if weights.Wout is None else activation(network.output_activation)(a)

    kept = (None if weights.Win is None else u, r, z, states)
    us, rs, zs, xs = ([None] * len(places.begins) if v is None else block.split(v) for v in kept)
    ts, infos = [one.t for one in block.trials], [one.info for one in block.trials]
    last = np.empty_like(x)
    last[order] = x
    return list(map(Run, ts, us, rs, zs, infos, xs)), last


def equations(weights: Weights, network: NetworkConfig) -> tuple[Recurrence, Readout]:
    """A network as the kernels take it; it may have neither inputs nor outputs."""
    N, dtype = network.N, weights.Wrec.dtype
    Win = np.zeros((N, 0), dtype) if weights.Win is None else weights.Win
    Wout = np.zeros((0, N), dtype) if weights.Wout is None else weights.Wout
    alpha = np.full(N, alpha_of(weights, network), dtype)
    recurrence = Recurrence(
        Win, weights.Wrec, weights.brec, weights.x0, alpha, network.hidden_activation
    )
    return recurrence, Readout(Wout, weights.bout, network.output_activation)
