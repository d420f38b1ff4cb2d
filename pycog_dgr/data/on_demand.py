"""Noise of a large batch, drawn where it is read and not kept: the same numbers every time.

Every number of the fast stream is a function of its place alone, so that some trials can be drawn
without the others. A validation reads its noise once, some trials at a time: those of the
example `romo` took 526 MB, of which 30 are in memory at a time now. A number drawn alone takes
longer, since those of the stream come in pairs, and the other one is of another time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from pycog_dgr.data.noise import NormalStream, Requests, Sampler, Shape, Stream
from pycog_dgr.kernels import fastest_kernels, get_kernels

MOST_KEPT = 2**24  # numbers: 64 MB in float32


class NoiseOnDemand:
    """Noise (time, trial, unit) that is drawn when it is read, otherwise like a read-only array.

    `noise[:, a:b]` draws the trials a to b; `np.asarray(noise)`, and so every function of numpy,
    draws everything. What is read is an array of its own.

    Parameters
    ----------
    stream
        What it is drawn from, which goes on after it.
    shape
        (time, trial, unit).
    scale
        Standard deviation, float32, of shape (1,) or (unit,).
    dtype
        Number type of the arrays; the numbers are those of float32.
    """

    ndim = 3

    def __init__(
        self, stream: NormalStream, shape: Shape, scale: NDArray, dtype: DTypeLike = "float32"
    ) -> None:
        self.shape, self.dtype = shape, np.dtype(dtype)
        self.size = math.prod(shape)
        self._scale = scale
        self._positions = stream.places(Requests.of(np.array([[self.size]])))[0]

    def __repr__(self) -> str:
        return f"NoiseOnDemand({self.shape}, {self.dtype})"

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[NDArray]:
        return iter(np.asarray(self))

    def __getitem__(self, key: Any) -> NDArray:
        match key:
            case slice(start=None, stop=None, step=None), slice(step=None) as trials:
                begin, end, _ = trials.indices(self.shape[1])
                return self._trials(begin, max(begin, end))
            case _:
                return np.asarray(self)[key]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray:
        if copy is False:
            raise ValueError("noise that is drawn on demand cannot be had without a new array")
        drawn = np.empty(self.shape, np.float32)
        rows = drawn.reshape(-1, len(self._scale))
        kernels = get_kernels(fastest_kernels())
        kernels.normals(self._positions, np.array([len(rows)]), self._scale, rows)
        return drawn.astype(dtype or self.dtype, copy=False)

    def astype(self, dtype: DTypeLike) -> NoiseOnDemand:
        """The same noise as arrays of another number type."""
        same = NoiseOnDemand.__new__(NoiseOnDemand)
        same.__dict__.update(self.__dict__, dtype=np.dtype(dtype))
        return same

    def _trials(self, begin: int, end: int) -> NDArray:
        n_time, n_trial, N = self.shape
        drawn = np.empty((n_time, end - begin, N), np.float32)
        rows = drawn.reshape(n_time, -1)
        get_kernels(fastest_kernels()).some_normals(
            self._positions[0], self.size, begin * N, n_trial * N, self._scale, rows
        )
        return drawn.astype(self.dtype, copy=False)


def noise_of_batch(
    sampler: Sampler, stream: Stream, shape: Shape, dtype: DTypeLike
) -> NDArray | NoiseOnDemand:
    """Noise of a batch: an array, or, of more than MOST_KEPT numbers, drawn on demand.

    That is for the fast stream, and where units are independent.

    Parameters
    ----------
    sampler
        Of the noise.
    stream
        What it is drawn from.
    shape
        (time, trial, unit).
    dtype
        Number type.

    Returns
    -------
    ndarray or NoiseOnDemand of shape (time, trial, unit)
        Zeros, and nothing drawn, where all variances are 0.
    """
    if sampler.silent:
        return np.zeros(shape, dtype)
    much = math.prod(shape) > MOST_KEPT
    if much and isinstance(stream, NormalStream) and not sampler.correlated:
        return NoiseOnDemand(stream, shape, sampler.scale, dtype)
    noise = sampler(stream, shape)
    assert noise is not None
    return noise.astype(dtype, copy=False)
