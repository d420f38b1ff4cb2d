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

from collections.abc import Sequence
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


def integrate_trials(
    drawn: Sequence[DrawnTrial],
    weights: Weights,
    network: NetworkConfig,
    training: TrainingConfig,
    with_states: bool = False,
) -> tuple[list[Run], NDArray]:
    """The Run of each trial, and the last states (trial, N) in order of the trials' lengths."""
    dtype, N = weights.Wrec.dtype, network.N
    # the longest first, so that those still running are always the first ones
    order = sorted(range(len(drawn)), key=lambda b: -len(drawn[b].t))
    drawn = [drawn[b] for b in order]
    places = Rows.of_lengths(np.array([len(trial.t) for trial in drawn]))
    own = [
        slice(begin, begin + len(trial.t))
        for begin, trial in zip(places.begins.tolist(), drawn, strict=True)
    ]

    u = stacked_inputs(drawn, own, network.Nin if weights.Win is not None else 0, training, dtype)
    noise = np.empty((own[-1].stop, N), dtype)
    for trial, rows in zip(drawn, own, strict=True):
        noise[rows] = trial.noise
    x = np.stack([trial.x0 for trial in drawn]).astype(dtype, copy=False)
    states = np.empty_like(noise) if with_states else None
    r = noise

    Win = np.zeros((N, 0), dtype) if weights.Win is None else weights.Win
    alpha = np.broadcast_to(np.asarray(alpha_of(weights, network), dtype), N).copy()
    recurrence = Recurrence(
        Win, weights.Wrec, weights.brec, weights.x0, alpha, network.hidden_activation
    )
    Wout = np.zeros((0, N), dtype) if weights.Wout is None else weights.Wout
    readout = Readout(Wout, weights.bout, network.output_activation)
    a = get_kernels(fastest_kernels()).run(
        recurrence, readout, places, u, noise, x, r, states, from_start=True
    )
    z = r if weights.Wout is None else activation(network.output_activation)(a)

    runs = {}
    for number, trial, rows in zip(order, drawn, own, strict=True):
        u_own = None if weights.Win is None else u[rows].T
        x_own = None if states is None else states[rows].T
        runs[number] = Run(trial.t, u_own, r[rows].T, z[rows].T, trial.info, x_own)
    return [runs[b] for b in range(len(drawn))], x


def stacked_inputs(
    drawn: Sequence[DrawnTrial],
    own: Sequence[slice],
    Nin: int,
    training: TrainingConfig,
    dtype: Any,
) -> NDArray:
    """Inputs (row, Nin) with baseline and noise; sample 0 of a trial shows nothing of the task."""
    u = np.zeros((own[-1].stop, Nin), dtype)
    for trial, rows in zip(drawn, own, strict=True):
        u[rows.start + 1 : rows.stop] = trial.shown
    u += dtype.type(training.baseline_in)
    for trial, rows in zip(drawn, own, strict=True):
        u[rows] += np.asarray(trial.noise_in, dtype)
    return np.maximum(u, 0, out=u) if training.rectify_inputs else u
