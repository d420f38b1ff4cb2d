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
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pycog_dgr.config import NOISE_STREAMS
from pycog_dgr.data.random_state import normals, word_of
from pycog_dgr.errors import SettingError
from pycog_dgr.kernels import fastest_kernels, get_kernels

Shape = tuple[int, ...]
Stream: TypeAlias = "np.random.RandomState | NormalStream"
AS_DRAWN = np.ones(1, np.float32)


class Sampler:
    """Draws `factor` times normal noise of a variance, or nothing where all variances are 0.

    Parameters
    ----------
    variance
        () or (unit,), or a covariance (unit, unit).
    factor
        () or (unit,).

    Attributes
    ----------
    silent
        Whether all variances are 0.
    correlated
        Whether the variance is a covariance.
    """

    def __init__(self, variance: NDArray, factor: ArrayLike = 1.0) -> None:
        self.variance = variance
        self.correlated = np.ndim(variance) == 2
        self.silent = not self.correlated and not (variance > 0).any()
        # float64 numbers are scaled step by step, to the original's last bit; float32 ones at once
        self.scales = [np.asarray(factor)]
        if not self.correlated:
            self.scales = [np.sqrt(variance), np.asarray(factor)]
        at_once = np.asarray(functools.reduce(np.multiply, self.scales), np.float32)
        self.scale = np.atleast_1d(at_once)

    def __call__(self, rng: Stream, shape: Shape, out: NDArray | None = None) -> NDArray | None:
        """Noise (*shape); a NormalStream puts it into `out`, float32 and in C order, if given."""
        if self.silent:
            return None
        if self.correlated:
            noise = rng.multivariate_normal(np.zeros(shape[-1]), self.variance, shape[:-1])
        elif isinstance(rng, NormalStream):
            return rng.normal(shape, out, self.scale)
        else:
            noise = normals(rng, shape)
        for scale in [self.scale] if noise.dtype == np.float32 else self.scales:
            noise *= scale
        return noise

    def of_trials(
        self, stream: NormalStream, positions: NDArray, ends: NDArray, out: NDArray
    ) -> None:
        """Noise, not correlated, of trials one after the other into out (row, unit).

        Parameters
        ----------
        stream
            Where it is drawn.
        positions
            (trial,), what `stream.places` gave.
        ends
            (trial,), the row after each trial's last one.
        out
            (row, unit), of the stream's number type or another.
        """
        if self.silent:
            out[:] = 0
        else:
            stream.trials(positions, ends, self.scale, out)


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
    return NormalStream(word_of(rng))


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


def made_once(make: Callable[..., Sampler]) -> Callable[..., Sampler]:
    """Decorate what makes a Sampler, so that those of plain numbers are made once and kept."""
    kept = functools.lru_cache(maxsize=16)(make)

    @functools.wraps(make)
    def sampler(**settings: Any) -> Sampler:
        try:
            return kept(**settings)
        except TypeError:  # of arrays, which cannot be looked up
            return make(**settings)

    return sampler


@made_once
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
    return Sampler(2 * tau_in / dt * np.asarray(var_in))


@made_once
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
    return Sampler(2 / dt * np.asarray(var_rec), np.sqrt(tau))


class Requests(NamedTuple):
    """What trials ask a NormalStream for, a trial's requests before the next one's."""

    begins: NDArray  # (request, trial): pairs before each
    n_pairs: int  # of all

    @classmethod
    def of(cls, sizes: NDArray) -> Requests:
        """Of so many numbers, (trial, request). Each begins with a new pair."""
        pairs = (sizes.ravel() + 1) // 2
        after = pairs.cumsum()
        begins = (after - pairs).astype(np.uint64).reshape(sizes.shape)
        return cls(np.ascontiguousarray(begins.T), int(after[-1]))


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
        self._normals = get_kernels(fastest_kernels()).normals

    def normal(
        self, size: int | Shape, out: NDArray | None = None, scale: NDArray = AS_DRAWN
    ) -> NDArray:
        """Numbers of shape `size`, in `out` (in C order) where it is given and is float32.

        Every request begins with a new pair. `scale`, float32, is of shape (1,) or size[-1:].
        """
        if out is None or out.dtype != np.float32:
            out = np.empty(size, np.float32)
        rows = out.reshape(1, -1) if len(scale) == 1 else out.reshape(-1, len(scale))
        positions = self.places(Requests.of(np.array([[out.size]])))
        self._normals(positions[0], np.array([len(rows)]), scale, rows)
        return out

    def places(self, requests: Requests) -> NDArray:
        """Where in the stream each of the requests begins, (request, trial); it goes on after."""
        begins = requests.begins + np.uint64(self.position)
        self.position = (self.position + requests.n_pairs) % 2**64
        return begins

    def trials(self, positions: NDArray, ends: NDArray, scale: NDArray, out: NDArray) -> None:
        """Numbers (row, unit), as many requests as there are positions; see Kernels.normals."""
        if out.dtype == np.float32:
            self._normals(positions, ends, scale, out)
        else:
            drawn = np.empty(out.shape, np.float32)
            self._normals(positions, ends, scale, drawn)
            out[:] = drawn

    def multivariate_normal(self, mean: NDArray, cov: NDArray, size: Shape) -> NDArray:
        """Numbers (*size, unit) of covariance `cov` (unit, unit) around `mean` (unit,)."""
        variances, axes = np.linalg.eigh(cov)
        root = np.sqrt(np.maximum(variances, 0)) * axes
        independent = self.normal((*size, len(cov)))
        return independent @ root.T.astype(np.float32) + np.asarray(mean, np.float32)
