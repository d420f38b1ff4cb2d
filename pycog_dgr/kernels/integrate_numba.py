"""The loop over time that everything forward shares, compiled by Numba.

    drive_t = u_t Win^T + brec + noise_t
    x_t     = (1 - alpha) x_{t-1} + alpha (r_{t-1} Wrec^T + drive_t)
    r_t     = f(x_t)
    a_t     = r_t Wout^T + bout                                             t = 1..T

Source: H. F. Song, G. R. Yang, X.-J. Wang (2016), PLoS Comput. Biol. 12, e1004792, eqs. 1-3,
discretised by Euler's method as in its eqs. 5-7. Training keeps x and r of all steps, a validation
only a, a run r, a and where they are asked for x. The readout costs nothing of its own: r_{t-1}
is multiplied by Wrec and Wout at once,

    [r_{t-1}, u_t] [[Wrec, Win], [Wout, 0]]^T = [r_{t-1} Wrec^T + u_t Win^T, r_{t-1} Wout^T]
"""
# mypy: allow-untyped-defs
# Numba infers the types of what it compiles, one version for each number type.

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.kernels.activations_numba import KINDS, f_rows
from pycog_dgr.kernels.arrays import Kept, rows
from pycog_dgr.kernels.compilation import compiled, inner, merged
from pycog_dgr.kernels.connections import factor_of_rates
from pycog_dgr.kernels.integrate_one import integrate_one
from pycog_dgr.kernels.prefetch import prefetch_rows
from pycog_dgr.kernels.products import Factor, times_factor, with_own_space, words_of
from pycog_dgr.kernels.tuples import Readout, Recurrence, Rows, Trajectory

# Trials integrated together: a few tiles of rows, whose present state stays in the nearest cache
TOGETHER = 16
TOGETHER_BY_ENTRIES = 64  # as many columns as two tiles have (connections.py)
FEWEST = 8  # trials: no fewer are left for the last group


def forward(
    recurrence: Recurrence,
    inputs: NDArray,
    noise: NDArray,
    out: Trajectory | None = None,
    kept: Kept | None = None,
) -> Trajectory:
    x, r = out or Trajectory.empty(noise)
    W = factor_of_rates(recurrence, recurrence.Wrec[:0], noise.shape[1], kept)
    integrate_batch(recurrence, W, inputs, noise, x, r)
    return Trajectory(x, r)


def integrate_batch(
    recurrence: Recurrence, W: Factor, inputs: NDArray, noise: NDArray, x: NDArray, r: NDArray
) -> None:
    """`forward` by the factor W of rates."""
    n_time, n_trial, N = noise.shape
    if n_trial == 1:
        integrate_one(recurrence, W, rows(inputs), rows(noise), rows(x), rows(r))
        return
    start = np.empty((n_trial, N), noise.dtype)
    start[:] = recurrence.x0
    no_outputs = Readout(recurrence.Wrec[:0], recurrence.brec[:0], "linear")
    loop(
        recurrence, W, no_outputs, Rows.of_batch(n_time, n_trial), False, rows(inputs),
        rows(noise), start, rows(r), rows(x), start[:0],
    )  # fmt: skip


def run(
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
    nothing = noise[:0]
    a = np.empty((len(noise), len(readout.bout)), noise.dtype)
    loop(
        recurrence, factor_of_run(recurrence, readout.Wout, len(x)), readout, places, from_start,
        inputs, noise, x, nothing if r is None else r, nothing if states is None else states, a,
    )  # fmt: skip
    return a


class Prepared(NamedTuple):
    """A Factor, and the weights it was made of; one trial alone has another form."""

    is_for_one: bool
    weights: list[tuple[Any, ...]]
    factor: Factor


_last: dict[str, Prepared] = {}  # "run": of the last one


def factor_of_run(recurrence: Recurrence, Wout: NDArray, n_trial: int) -> Factor:
    """`factor_of_rates`, which is not made anew where the run before had the same weights.

    They are compared number by number, since arrays may be changed in place.
    """
    if recurrence.connections is not None:
        return factor_of_rates(recurrence, Wout, n_trial)
    matrices = (recurrence.Win, recurrence.Wrec, Wout)
    weights = [(W.shape, W.dtype.char, W.tobytes()) for W in matrices]
    last, is_for_one = _last.get("run"), n_trial == 1
    if last is None or last.weights != weights or last.is_for_one != is_for_one:
        factor = factor_of_rates(recurrence, Wout, n_trial)
        last = _last["run"] = Prepared(is_for_one, weights, factor)
    return with_own_space(last.factor)


def loop(
    recurrence: Recurrence,
    W: Factor,
    readout: Readout,
    places: Rows,
    from_start: bool,
    inputs: NDArray,
    noise: NDArray,
    x: NDArray,
    r: NDArray,
    states: NDArray,
    a: NDArray,
) -> None:
    """`run`, where an array of no rows stands for what is not kept."""
    integrate(
        KINDS[recurrence.activation], W, places.begins, places.every, places.running, from_start,
        inputs, noise, recurrence.brec, readout.bout, recurrence.alpha, x, r, states, a,
    )  # fmt: skip


@compiled
def integrate(
    kind, W, begins, every, running, from_start, inputs, noise, brec, bout, alpha, x, r, states, a
):
    """Some trials after the other; see `Kernels.run`. r may be the array of the noise."""
    n_trial, W_words = len(x), words_of(W)
    together = TOGETHER_BY_ENTRIES if len(W.weights) else TOGETHER
    n_groups = max((n_trial + together - FEWEST) // together, 1)
    for group in range(n_groups):
        first = group * together
        last = n_trial if group == n_groups - 1 else first + together
        integrate_some(
            kind, W_words, begins[first:last], every, running, first, from_start, inputs, noise,
            brec, bout, alpha, x[first:last], r, states, a,
        )  # fmt: skip


@merged
def integrate_some(
    kind, W, begins, every, running, first, from_start, inputs, noise, brec, bout, alpha, x, r,
    states, a,
):  # fmt: skip
    """The trials x (trial, N), of which the first is number `first` of those that `running` counts.

    Rates r_{t-1} stay in `received`. When they are multiplied for step t, the currents of the
    outputs at t - 1 come with it.
    """
    n_trial, N = x.shape
    received = np.empty((n_trial, N + inputs.shape[1]), x.dtype)  # [r_{t-1}, u_t]
    current = np.empty((n_trial, W.width), x.dtype)
    f_rows(kind, x, n_trial, received)
    n_before, t = np.intp(0), 0  # a plain 0 would compile another version of what it is given to
    while t < len(running) and running[t] > first:
        n, offset = min(running[t] - first, n_trial), t * every
        if t > 0 or not from_start:
            for b in range(n):
                for k in range(inputs.shape[1]):
                    received[b, N + k] = inputs[begins[b] + offset, k]
            prefetch_rows(noise, begins, n, offset)  # which comes while products are computed
            times_factor(received, max(n, n_before), W, current)
            read_out(current, N, bout, begins, n_before, offset - every, a)
            step(kind, current, brec, noise, begins, n, offset, alpha, x, received)
        keep(received, begins, n, offset, N, r)
        keep(x, begins, n, offset, N, states)
        n_before = n
        t += 1
    if len(a):
        times_factor(received, n_before, W, current)
        read_out(current, N, bout, begins, n_before, (t - 1) * every, a)


@merged
def step(kind, current, brec, noise, begins, n, offset, alpha, x_t, r_t):
    """x_t and r_t take the places of x_{t-1} and r_{t-1}, for the first n trials of (trial, ...).

    current is r_{t-1} Wrec^T + u_t Win^T; noise_t stands in the trials' rows.
    """
    one = x_t.dtype.type(1)
    for b in range(n):
        row = begins[b] + offset
        for i in range(x_t.shape[1]):
            drive_t = brec[i] + noise[row, i]
            x_t[b, i] = (one - alpha[i]) * x_t[b, i] + alpha[i] * (current[b, i] + drive_t)
    f_rows(kind, x_t, n, r_t)


@inner
def keep(values, begins, n, offset, N, kept):
    """The first N columns of n trials' rows (trial, ...) into `kept`, if it has any rows."""
    if len(kept):
        for b in range(n):
            row = begins[b] + offset
            for i in range(N):
                kept[row, i] = values[b, i]


@merged
def read_out(current, N, bout, begins, n, offset, a):
    """The currents of the outputs, which stand after those of the N units."""
    if len(a):
        for b in range(n):
            row = begins[b] + offset
            for k in range(len(bout)):
                a[row, k] = current[b, N + k] + bout[k]
