"""Normal numbers of the fast stream in plain numpy; the formula stands in data/noise.py.

normals_numba.py computes the same numbers but for rounding, several times as fast.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

SPLITMIX = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)  # its constants
PAIRS = 16384  # made at once: few enough to stay in the cache
WORD = np.float32(2.0**-32)  # spacing of 32-bit numbers on an interval of length 1


def normals(positions: NDArray, ends: NDArray, scale: NDArray, out: NDArray) -> None:
    begin = 0
    for position, end in zip(positions, ends, strict=True):
        own = out[begin:end].reshape(-1)
        whole = len(own) // 2
        half = len(own) - whole
        pairs(position, own[:whole], own[half:])
        if half > whole:
            last = np.empty((2, 1), np.float32)
            pairs(np.add(position, whole, dtype=np.uint64), last[0], last[1])
            own[whole] = last[0, 0]
        out[begin:end] *= scale
        begin = end


def some_normals(
    position: np.uint64, size: int, first: int, step: int, scale: NDArray, out: NDArray
) -> None:
    half, unused = size - size // 2, np.empty(out.shape[1], np.float32)
    for m, row in enumerate(out):
        place = first + m * step
        n_first = min(max(half - place, 0), len(row))
        own, later = row[:n_first], row[n_first:]
        begin = position + np.array([place, place + n_first - half]).astype(np.uint64)
        pairs(begin[0], own, unused[: len(own)])
        pairs(begin[1], unused[: len(later)], later)
    by_unit = out.reshape(len(out), -1, len(scale))
    by_unit *= scale


def pairs(position: np.uint64, cosines: NDArray, sines: NDArray) -> None:
    """Overwrite both (n,), float32, with the stream's pairs position + 1, position + 2, ..."""
    step, *mixers = map(np.uint64, SPLITMIX)
    for first in range(0, len(cosines), PAIRS):
        part = slice(first, first + PAIRS)
        z = np.arange(first + 1, first + 1 + len(cosines[part]), dtype=np.uint64)
        z += position
        z *= step
        for shift, mixer in zip((30, 27), mixers, strict=True):
            z ^= z >> np.uint64(shift)
            z *= mixer
        z ^= z >> np.uint64(31)
        u = (z >> np.uint64(32)).astype(np.float32) * WORD + WORD / 2
        radius = np.sqrt(-2 * np.log(u))
        angle = z.astype(np.uint32).view(np.int32)  # its two top bits choose the quarter
        q = (angle << 2).astype(np.float32) * np.float32(math.pi / 2) * WORD
        radius[angle & 0x40000000 != 0] *= -1
        cosine, sine = radius * np.cos(q), radius * np.sin(q)
        cosines[part] = np.where(angle < 0, sine, cosine)
        sines[part] = np.where(angle < 0, cosine, sine)
