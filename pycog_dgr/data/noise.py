"""Noise of inputs, recurrent units and initial states: of the original's stream, or a faster one.

    input noise       sqrt(2 tau_in/dt var_in) N(0, 1)               (time, trial, Nin)
    recurrent noise   sqrt(tau) sqrt(2/dt var_rec) N(0, 1)           (time, trial, N)

so that the noise integrated with step dt has variance var whatever dt is (Song, Yang & Wang, PLoS
Comput. Biol. 12, e1004792, 2016, eqs. 8 and 9). A 2-D variance is a covariance matrix.

Where the numbers N(0, 1) come from has a name, the setting `noise_stream`:

    original   numpy's RandomState, the task's own: number for number what pycog draws (float64)
    fast       NormalStream (float32), seeded anew for every batch by one word of 64 bits that
               the task's RandomState draws; twenty times as fast with Numba. Its state is
               therefore the RandomState's

    symbol    setting       shape                   unit
    dt, tau   dt, tau       (), () or (N,)          ms
    tau_in    tau_in        ()                      ms
    var_in    var_in        (), (Nin,), (Nin, Nin)  dimensionless
    var_rec   var_rec       (), (N,), (N, N)        dimensionless
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pycog_dgr.config import NOISE_STREAMS
from pycog_dgr.errors import SettingError
from pycog_dgr.kernels import fastest_kernels, get_kernels

Shape = tuple[int, ...]
Stream: TypeAlias = "np.random.RandomState | NormalStream"
LEAST_COMPILED = 2**15  # numbers: fewer are drawn before the state is read and put back
Sampler = Callable[[Stream, Shape], NDArray | None]


def normal_stream(name: str, rng: np.random.RandomState) -> Stream:
    """What draws the noise of one batch: `rng` itself, or a NormalStream that it seeds.

    Parameters
    ----------
    name
        'fast' or 'original'.
    rng
        numpy RandomState of the dataset.

    Returns
    -------
    RandomState or NormalStream
        With a method `normal`.
    """
    if name not in NOISE_STREAMS:
        raise SettingError(f"noise_stream is {name!r}; give one of {', '.join(NOISE_STREAMS)}")
    if name == "original":
        return rng
    return NormalStream(int(rng.randint(0, 2**64, dtype=np.uint64)))


def input_noise(
    rng: Stream, shape: Shape, *, tau_in: float, dt: float, var_in: ArrayLike
) -> NDArray | None:
    """Input noise.

    Parameters
    ----------
    rng : RandomState or NormalStream
        Draws float64 or float32 numbers.
    shape : tuple of int
        (..., Nin).
    tau_in, dt : float
        ms.
    var_in : array_like of shape (), (Nin,) or (Nin, Nin)
        Variance of the noise integrated, or covariance.

    Returns
    -------
    ndarray or None
        None, and nothing drawn, where all variances are 0.
    """
    return input_noise_sampler(tau_in=tau_in, dt=dt, var_in=var_in)(rng, shape)


def recurrent_noise(
    rng: Stream, shape: Shape, *, tau: ArrayLike, dt: float, var_rec: ArrayLike
) -> NDArray | None:
    """Recurrent noise (..., N), like `input_noise`; tau, in ms, may be one per unit.

    Parameters
    ----------
    rng
        A RandomState (float64 numbers) or a NormalStream (float32).
    shape
        (time, trial) or (time,), and N last.
    tau
        Time constant, ms: a number, or (N,).
    dt
        Time step, ms.
    var_rec
        Variance, dimensionless: a number, (N,), or a covariance (N, N).

    Returns
    -------
    ndarray or None
        None, and nothing drawn, where all variances are 0.
    """
    return recurrent_noise_sampler(tau=tau, dt=dt, var_rec=var_rec)(rng, shape)


def input_noise_sampler(*, tau_in: float, dt: float, var_in: ArrayLike) -> Sampler:
    """`input_noise` as a function (rng, shape), for those who draw often.

    Parameters
    ----------
    tau_in
        Time constant of the input noise, ms.
    dt
        Time step, ms.
    var_in
        Variance, dimensionless: a number, (Nin,), or a covariance (Nin, Nin).

    Returns
    -------
    callable
        (rng, shape) -> noise (*shape, Nin), or None where all variances are 0.
    """
    return _sampler(2 * tau_in / dt * np.asarray(var_in))


def recurrent_noise_sampler(*, tau: ArrayLike, dt: float, var_rec: ArrayLike) -> Sampler:
    """`recurrent_noise` as a function (rng, shape), for those who draw often.

    Parameters
    ----------
    tau
        Time constant, ms: a number, or (N,).
    dt
        Time step, ms.
    var_rec
        Variance, dimensionless: a number, (N,), or a covariance (N, N).

    Returns
    -------
    callable
        (rng, shape) -> noise (*shape, N), or None where all variances are 0.
    """
    return _sampler(2 / dt * np.asarray(var_rec), np.sqrt(tau))


def _sampler(variance: NDArray, factor: ArrayLike = 1.0) -> Sampler:
    """Draws `factor` times normal noise of a variance (), (unit,) or a covariance (unit, unit)."""
    covariance = np.ndim(variance) == 2
    if not covariance and not (variance > 0).any():
        return lambda rng, shape: None
    scales = [np.asarray(factor)] if covariance else [np.sqrt(variance), np.asarray(factor)]
    at_once = [np.asarray(functools.reduce(np.multiply, scales), np.float32)]

    def draw(rng: Stream, shape: Shape) -> NDArray:
        if covariance:
            noise = rng.multivariate_normal(np.zeros(shape[-1]), variance, shape[:-1])
        else:
            noise = normals(rng, shape)
        # float64 numbers are scaled step by step, to the original's last bit
        for scale in at_once if noise.dtype == np.float32 else scales:
            noise *= scale
        return noise

    return draw


def normals(rng: Stream, shape: Shape) -> NDArray:
    """rng.normal(size=shape), many numbers of a RandomState by compiled loops: the same bits."""
    n = math.prod(shape)
    if not isinstance(rng, np.random.RandomState) or n < LEAST_COMPILED or not same_bits():
        return rng.normal(size=shape)
    state: Any = rng.get_state(legacy=True)
    name, key, position, has_one, one = state
    if name != "MT19937":
        return rng.normal(size=shape)
    drawn = np.empty(n + 2)
    drawn[0] = one  # the second number of a pair, kept from an earlier request
    end = has_one + 2 * ((n - has_one + 1) // 2)
    position = get_kernels(fastest_kernels()).polar(key, position, drawn[has_one:end])
    left = end - n
    rng.set_state((name, key, position, left, drawn[n] if left else 0.0))
    return drawn[:n].reshape(shape)


@functools.cache
def same_bits() -> bool:
    """Whether the compiled loops round as the numpy that is installed here; no number shows it."""
    compiled, plain = (np.empty(4096) for _ in range(2))
    state: Any = np.random.RandomState(0).get_state(legacy=True)
    for kernels, out in ((fastest_kernels(), compiled), ("numpy", plain)):
        get_kernels(kernels).polar(state[1].copy(), state[2], out)
    return np.array_equal(compiled, plain)


class NormalStream:
    """Standard normal numbers, float32, in pairs (Box & Muller, Ann. Math. Stat. 29, 610, 1958).

        radius = sqrt(-2 ln u)         u uniform in (0, 1)
        radius (cos q, sin q)          q uniform in (-pi/4, pi/4), then one of the four quarters

    u and q are made of the two halves of a word of SplitMix64 (Steele, Lea & Flood, OOPSLA 2014),
    which is a function of its number in the stream. Numba and numpy compute the same numbers but
    for rounding.

    Parameters
    ----------
    seed
        A whole number of 64 bits: where in the stream to begin.
    """

    def __init__(self, seed: int) -> None:
        self.position = seed
        self._pairs = get_kernels(fastest_kernels()).pairs

    def normal(self, size: int | Shape) -> NDArray:
        """Numbers of shape `size`; every request begins with a new pair."""
        n = math.prod(size) if isinstance(size, tuple) else size
        half = (n + 1) // 2
        drawn = np.empty(2 * half, np.float32)
        self._pairs(np.uint64(self.position), drawn[:half], drawn[half:])
        self.position = (self.position + half) % 2**64
        return drawn[:n].reshape(size)

    def multivariate_normal(self, mean: NDArray, cov: NDArray, size: Shape) -> NDArray:
        """Numbers (*size, unit) of covariance `cov` (unit, unit) around `mean` (unit,)."""
        variances, axes = np.linalg.eigh(cov)
        root = np.sqrt(np.maximum(variances, 0)) * axes
        independent = self.normal((*size, len(cov)))
        return independent @ root.T.astype(np.float32) + np.asarray(mean, np.float32)
