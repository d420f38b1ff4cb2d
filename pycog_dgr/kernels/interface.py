"""What kernels compute, and on which arrays: one interface, kept by numpy and by Numba.

Forward, t = 1..T:

    drive_t = u_t Win^T + brec + noise_t
    x_t     = (1 - alpha) x_{t-1} + alpha (r_{t-1} Wrec^T + drive_t)
    r_t     = f(x_t)

Backward, t = T..1, from the cotangents gx and gr of x and r:

    S_t = (alpha D_{t+1}) Wrec                                           S_T = 0
    D_t = gx_t + (gr_t + S_t) * f'(x_t) + (1 - alpha) D_{t+1}            D_{T+1} = 0

    noise: alpha D_t      Win: sum_t (alpha D_t)^T u_t      Wrec: sum_t (alpha D_t)^T r_{t-1}
    brec:  sum_t,trials alpha D_t      x0: sum_trials (alpha D_1) Wrec * f'(x0) + (1 - alpha) D_1
    alpha: sum_t,trials D_t (x_t - x_{t-1}) / alpha

The regulariser Omega, of the D of the loss alone:

    d_t     = (1 - alpha) D_{t+1}                                        d_T = 0
    q_t     = (1 - alpha) d_t + (alpha d_t) Wrec * f'(x_t)
    Omega_t = (|q_t|^2 / |d_t|^2 - 1)^2 where |d_t|^2 >= bound, else 0
    Omega   = sum_t,trials Omega_t / how many (t, trial) count

Source: H. F. Song, G. R. Yang, X.-J. Wang (2016), PLoS Comput. Biol. 12, e1004792, eqs. 1-3,
discretised by Euler's method as in its eqs. 5-7; Omega: R. Pascanu, T. Mikolov, Y. Bengio (2013).
A rectification's f' at exactly 0 is 0.5 in the backward pass and 0 in Omega.

The loss of each output, l, belongs to g: squared error; for sigmoid -y log(z + 1e-10) + (1 - y)
softplus(a), whose derivative is taken of -y log(z + 1e-10) - (1 - y) log(1 - z + 1e-10), as
symbolic/objective.py explains; for softmax -y log(z + 1e-10).

| symbol      | name                                     | shape                    | unit |
|-------------|------------------------------------------|--------------------------|------|
| u, noise    | inputs, recurrent noise                  | (time, trial, Nin or N)  | 1    |
| x, r        | states, rates                            | (time, trial, N)         | 1    |
| gx, gr      | cotangents of x and r                    | (time, trial, N)         | 1    |
| D           | total derivative with respect to x_t     | (time, trial, N)         | 1    |
| S           | what D_{t+1} gives back through Wrec     | (time - 1, trial, N)     | 1    |
| q_term      | dOmega/dq_t * f'(x_t)                    | (time - 1, trial, N)     | 1    |
| alpha       | dt / tau                                 | (N,)                     | 1    |
| Wrec        | effective weights                        | (post, pre) = (N, N)     | 1    |

All arrays are in C order, of one number type (float32 or float64).
"""

from __future__ import annotations

import functools
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.kernels.arrays import Kept

EPSILON = 1e-10  # inside the logarithms of the cross-entropies


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


class Kernels(Protocol):
    """The functions of recurrence_numpy and recurrence_numba.

    `out` takes arrays of an earlier call to be written again, and `kept`, a dictionary that is
    empty at first, holds those of the kernels' own; what is returned may be among them. Training
    asks for the same large arrays at every update, and getting them anew from the system costs a
    tenth of its time.
    """

    def connections(self, mask: NDArray) -> Connections | None:
        """What helps where Wrec (post, pre) can differ from 0 only where a mask is true; None
        where it would not.
        """

    def forward(
        self,
        recurrence: Recurrence,
        inputs: NDArray,
        noise: NDArray,
        out: Trajectory | None = None,
        kept: Kept | None = None,
    ) -> Trajectory:
        """States and rates, driven by inputs (time, trial, Nin) and noise (time, trial, N)."""

    def backward(
        self,
        recurrence: Recurrence,
        inputs: NDArray,
        trajectory: Trajectory,
        gr: NDArray,
        gx: NDArray | None = None,
        out: Cotangents | None = None,
    ) -> Cotangents:
        """Derivatives of a cost from those with respect to r and x (None: zero)."""

    def alpha_cotangent(
        self, recurrence: Recurrence, trajectory: Trajectory, D: NDArray
    ) -> NDArray:
        """The derivative with respect to alpha (N,), where time constants are trained."""

    def omega(
        self,
        recurrence: Recurrence,
        trajectory: Trajectory,
        D: NDArray,
        S: NDArray,
        bound: float,
        out: NDArray | None = None,
    ) -> Omega:
        """The regulariser, from D and S of the loss; `out` serves for q_term."""

    def omega_gradient(self, recurrence: Recurrence, D: NDArray, q_term: NDArray) -> NDArray:
        """dOmega/dWrec (N, N), d and x held constant."""

    def gradients(
        self,
        recurrence: Recurrence,
        readout: Readout,
        inputs: NDArray,
        targets: NDArray,
        mask: NDArray,
        noise: NDArray,
        regulariser: Regulariser,
        with_alpha: bool = False,
        kept: Kept | None = None,
    ) -> Gradients:
        """All of a batch: `forward`, `loss_gradient`, `backward`, `omega` and its gradient, and
        `alpha_cotangent` where it is asked for.

        Where all units share one alpha, the derivatives of loss and Omega with respect to Wrec both
        have the factor (alpha D_{t+1})^T, and one product serves them. The arrays are overwritten
        by the next call with the same `kept`.
        """

    def run(
        self,
        recurrence: Recurrence,
        readout: Readout,
        places: Rows,
        inputs: NDArray,
        noise: NDArray,
        x: NDArray,
        r: NDArray | None = None,
        states: NDArray | None = None,
        from_start: bool = False,
    ) -> NDArray:
        """Currents of the outputs, a (row, Nout), of trials of any lengths from the states x.

        inputs (row, Nin) and noise (row, N) drive them. The last states of each trial take the
        place of x (trial, N); rates and states of all steps are put into r and states (row, N),
        where they are given. r may be the array of the noise. Where the trials are `from_start`,
        their first step is x itself, and what drives them at that step is not used.
        """

    def outputs(self, activation: str, a: NDArray, targets: NDArray, mask: NDArray) -> Outputs:
        """Outputs g(a) of currents a (time, trial, Nout), whose place they take, and how far from
        the targets they are.
        """

    def loss_gradient(
        self,
        readout: Readout,
        r: NDArray,
        targets: NDArray,
        mask: NDArray,
        out: NDArray | None = None,
    ) -> LossGradient:
        """The loss that belongs to the output activation, and its gradient; `out` serves for gr."""

    def effective(self, dale: Dale, raw: NDArray) -> NDArray:
        """Effective weights (post, pre) from raw ones."""

    def raw_gradient(self, dale: Dale, raw: NDArray, g: NDArray) -> None:
        """Overwrite g, a derivative with respect to effective weights, with that to raw ones.

        A rectification's derivative at exactly 0 is 0.5.
        """

    def sum_of_squares(self, g: NDArray) -> float:
        """Of a vector or matrix, in double precision."""

    def subtract(self, theta: NDArray, factor: float, g: NDArray) -> None:
        """Theta <- theta - factor g, both vectors or both matrices."""

    def normals(self, positions: NDArray, ends: NDArray, scale: NDArray, out: NDArray) -> None:
        """Overwrite out (row, unit), float32, with `scale` times numbers of the fast stream.

        Its rows are those of several requests (request,), one after the other, each up to its
        `ends`. A request's numbers are the first ones of the pairs after its position, in uint64,
        then the second ones; of an odd number the last pair gives one. `scale` is (unit,) or (1,).
        """

    def some_normals(
        self,
        position: np.uint64,
        size: int,
        first: int,
        step: int,
        scale: NDArray,
        out: NDArray,
    ) -> None:
        """Some numbers of one request for `size`, as `normals` draws them: number first + m step
        and those that follow it in row m of out (row, several units).
        """

    def polar(self, key: NDArray, position: int, out: NDArray) -> int:
        """Overwrite out (even,), float64, with a RandomState's next normals, whose first number of
        a pair it does not hold back.

        The state of its Mersenne Twister is key (624,) of uint32, overwritten, and the position in
        it; the new position is returned.
        """
