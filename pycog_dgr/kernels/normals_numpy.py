"""Pairs of standard normal numbers in plain numpy; the formula stands in data/noise.py.

normals_numba.py computes the same numbers but for rounding, several times as fast.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

SPLITMIX = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)  # its constants
PAIRS = 16384  # made at once: few enough to stay in the cache
WORD = np.float32(2.0**-32)  # spacing of 32-bit numbers on an interval of length 1


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
