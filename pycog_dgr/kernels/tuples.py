"""What kernels are given, and what they return. Symbols stand in interface.py."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Entries(NamedTuple):
    """Some places of a matrix, row by row."""

    starts: NDArray  # (row + 1,), of each row in what follows
    columns: NDArray  # (entry,)
    flat: NDArray  # (entry,), the same places in Wrec as one row of numbers


class Connections(NamedTuple):
    """Where Wrec may differ from 0: anywhere in the columns of `whole` units, of the others'
    columns in the entries alone.
    """

    whole: NDArray  # (unit,), presynaptic ones
    others: NDArray  # (unit,)
    by_post: Entries  # rows are postsynaptic units
    by_pre: Entries


class Recurrence(NamedTuple):
    """The recurrent part of a network: effective weights, alpha = dt / tau, and f by name.

    With `connections`, Wrec is 0 elsewhere, is not read there, and its derivative is of no use
    there; so that 0 inf is 0.
    """

    Win: NDArray  # (N, Nin); Nin may be 0
    Wrec: NDArray  # (N, N)
    brec: NDArray  # (N,)
    x0: NDArray  # (N,)
    alpha: NDArray  # (N,)
    activation: str
    connections: Connections | None = None  # what `Kernels.connections` made


class Dale(NamedTuple):
    """How raw weights become effective ones: pos(plastic * raw + fixed) * column.

    Small arrays: an update reads them twice, and the caches are full of others.
    """

    plastic: NDArray  # (post, pre), bool, whether raw is trained
    fixed: NDArray  # (post, pre), weights that never move; (1, 1) where they are all the same
    column: NDArray  # (pre,), ei, or 1 without Dale's law, times a dropout mask
    positive: str | None  # pos: 'rectify', 'abs', or None for the weights as they are


class Trajectory(NamedTuple):
    """States and rates at t = 1..T, both (time, trial, N)."""

    x: NDArray
    r: NDArray

    @classmethod
    def empty(cls, noise: NDArray) -> Trajectory:
        """Arrays of `noise`'s shape and number type, not yet filled."""
        return cls(np.empty_like(noise), np.empty_like(noise))


class Rows(NamedTuple):
    """Where the time steps of trials stand in arrays (row, ...): step t of trial b in row
    begins[b] + t every.
    """

    begins: NDArray  # (trial,)
    every: int
    running: NDArray  # (time,): how many trials have such a step; they are the first ones

    @classmethod
    @functools.lru_cache(maxsize=16)
    def of_batch(cls, n_time: int, n_trial: int) -> Rows:
        """Those of arrays (time, trial, ...)."""
        return cls(np.arange(n_trial), n_trial, np.full(n_time, n_trial))

    @classmethod
    @functools.lru_cache(maxsize=16)
    def of_equal(cls, n_time: int, n_trial: int) -> Rows:
        """One trial after the other, all equally long."""
        return cls(np.arange(n_trial) * n_time, 1, np.full(n_time, n_trial))

    @classmethod
    def of_lengths(cls, steps: NDArray) -> Rows:
        """One trial after the other, of so many steps each, the longest first."""
        running = np.searchsorted(-steps, -np.arange(steps[0]))
        return cls(np.cumsum(steps) - steps, 1, running)


class Cotangents(NamedTuple):
    """Derivatives of a cost: D, S, and those with respect to the effective weights."""

    D: NDArray  # (time, trial, N)
    S: NDArray  # (time - 1, trial, N)
    Win: NDArray  # (N, Nin)
    Wrec: NDArray  # (N, N)
    brec: NDArray  # (N,)
    x0: NDArray  # (N,)

    @classmethod
    def empty(cls, recurrence: Recurrence, x: NDArray) -> Cotangents:
        """Arrays for a network and for states like x (time, trial, N), not yet filled."""
        Win, Wrec, brec, x0, *_ = recurrence
        D, S = np.empty_like(x), np.empty_like(x[1:])
        return cls(D, S, *(np.empty_like(values) for values in (Win, Wrec, brec, x0)))


class Regulariser(NamedTuple):
    """lambda_Omega, and the least |d_t|^2 that counts."""

    lambda_Omega: float
    bound: float


class Omega(NamedTuple):
    """The regulariser, the share of (step, trial) that count, and its right-hand factor.

    dOmega/dWrec = sum_t (alpha d_t)^T q_term_t, with d and x held constant.
    """

    value: float  # NaN where no step counts
    nelems: float
    q_term: NDArray  # (time - 1, trial, N); 0 where no step counts


class Gradients(NamedTuple):
    """A loss, Omega, and derivatives of loss + lambda_Omega Omega (d and x held constant)."""

    loss: float
    Omega: float  # NaN where no step counts
    nelems: float
    Win: NDArray  # (N, Nin)
    Wrec: NDArray  # (N, N)
    brec: NDArray  # (N,)
    x0: NDArray  # (N,)
    Wout: NDArray  # (Nout, N)
    bout: NDArray  # (Nout,)
    alpha: NDArray | None  # (N,), of the loss alone, where it was asked for


class Readout(NamedTuple):
    """The outputs: effective weights, and g by name."""

    Wout: NDArray  # (Nout, N)
    bout: NDArray  # (Nout,)
    activation: str


class Outputs(NamedTuple):
    """z (time, trial, Nout), and sums over all outputs, each weighted by the mask."""

    z: NDArray
    loss: float  # sum of l mask
    squared_error: float  # sum of (z - target)^2 mask


class LossGradient(NamedTuple):
    """The loss, sum(l mask) / sum(mask), and its derivatives with respect to rates and readout."""

    loss: float
    gr: NDArray  # (time, trial, N)
    Wout: NDArray  # (Nout, N)
    bout: NDArray  # (Nout,)
