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

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.kernels.arrays import Kept
from pycog_dgr.kernels.tuples import (
    Connections,
    Cotangents,
    Dale,
    Gradients,
    LossGradient,
    Omega,
    Outputs,
    Readout,
    Recurrence,
    Regulariser,
    Rows,
    Trajectory,
)

EPSILON = 1e-10  # inside the logarithms of the cross-entropies


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
