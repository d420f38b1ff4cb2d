"""The loop forward over one trial of training, compiled by Numba.

    drive_t = u_t Win^T + brec + noise_t
    x_t     = (1 - alpha) x_{t-1} + alpha (r_{t-1} Wrec^T + drive_t)
    r_t     = f(x_t)                                                        t = 1..T

The loop of integrate_numba.py, which serves several trials and those runs of which not every step
is kept, computes a step beside the arrays and copies it into them. Here x_t and r_t are computed
where they stay, since the weights need the nearest cache for themselves. drive_t, of some steps at
once so that Win is read once for all of them, stands where x_t will.
"""
# mypy: allow-untyped-defs
# Numba infers the types of what it compiles, one version for each number type.

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.kernels.activations_numba import KINDS, f_rows
from pycog_dgr.kernels.compilation import compiled, merged
from pycog_dgr.kernels.products import Factor, Words, product_with_panels, times_factor, words_of
from pycog_dgr.kernels.tiles import PANEL_BYTES, ROWS
from pycog_dgr.kernels.tuples import Recurrence


def integrate_one(
    recurrence: Recurrence, W: Factor, inputs: NDArray, noise: NDArray, x: NDArray, r: NDArray
) -> None:
    """x and r, by the factor W of rates (one_row.py); all are (time, ...)."""
    _, _, brec, x0, alpha, activation, _ = recurrence
    product = product_with_panels(len(brec), x.dtype)
    integrate_steps(KINDS[activation], W, product, inputs, noise, brec, alpha, x0, x, r)


@compiled
def integrate_steps(kind, W, product, inputs, noise, brec, alpha, x0, x, r):
    n_time, N = x.shape
    words, one = words_of(W), x.dtype.type(1)
    put_drive(inputs, product, words, noise, brec, x)
    current = np.empty((1, words.width), x.dtype)
    x_last, r_last = x0.reshape((1, N)), np.empty((1, N), x.dtype)
    f_rows(kind, x_last, 1, r_last)
    for t in range(n_time):
        x_t, r_t = x[t : t + 1], r[t : t + 1]
        times_factor(r_last, 1, words, current)
        for i in range(N):
            x_t[0, i] = (one - alpha[i]) * x_last[0, i] + alpha[i] * (current[0, i] + x_t[0, i])
        f_rows(kind, x_t, 1, r_t)
        x_last, r_last = x_t, r_t


@merged
def put_drive(inputs, product, W, noise, brec, x):
    """X <- drive, of some steps at a time; the rows of W after the first N are Win^T."""
    n_time, N = x.shape
    W_in = Words(product, W.values + N * W.k_step, PANEL_BYTES, W.k_step, W.width, 0, 0, 0)
    some_currents = np.zeros((ROWS, W.width), x.dtype)
    for first in range(0, n_time, ROWS):
        some = inputs[first : first + ROWS]
        if some.shape[1]:
            times_factor(some, len(some), W_in, some_currents)
        for j in range(len(some)):
            t = first + j
            for i in range(N):
                x[t, i] = some_currents[j, i] + (brec[i] + noise[t, i])
