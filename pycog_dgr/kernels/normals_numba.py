"""Normal numbers of the fast stream, compiled by Numba: the arithmetic of noise.py, several times
as fast as numpy's.

Loops over a block that stays in the cache do one step of the formula each, so that the compiler
puts them on the processor's vector units. It cannot do that with a library's ln, cos and sin:
they are written out as the polynomials of Cephes (S. L. Moshier 1992: logf, sinf, cosf), whose
error is one unit in the last place of float32.
"""
# mypy: allow-untyped-defs
# Numba infers the types of what it compiles, one version for each number type.

import math

import numpy as np

from pycog_dgr.kernels.compilation import compiled, inner, wide_vectors
from pycog_dgr.kernels.normals_numpy import SPLITMIX

BLOCK = 512  # pairs
STEP, MIX_1, MIX_2 = np.uint64(SPLITMIX[0]), np.uint64(SPLITMIX[1]), np.uint64(SPLITMIX[2])
SHIFT_1, SHIFT_2, SHIFT_3, HALF_WORD = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(32)

f4 = np.float32
WORD = f4(2.0**-32)
LN_2 = f4(math.log(2))
OCTANT = f4(math.pi / 4 * 2.0**-31)
ROOT_HALF = np.int32(0x3F3504F3)  # sqrt(1/2) as float32, bit by bit
MANTISSA, SIGN = np.int32(0x007FFFFF), np.int32(-0x80000000)

# ln(1 + x) = x - x^2/2 + x^3 P(x); sin q = q + q^3 S(q^2); cos q = 1 - q^2/2 + q^4 C(q^2)
P8, P7, P6 = f4(7.0376836292e-2), f4(-1.1514610310e-1), f4(1.1676998740e-1)
P5, P4, P3 = f4(-1.2420140846e-1), f4(1.4249322787e-1), f4(-1.6668057665e-1)
P2, P1, P0 = f4(2.0000714765e-1), f4(-2.4999993993e-1), f4(3.3333331174e-1)
S2, S1, S0 = f4(-1.9515295891e-4), f4(8.3321608736e-3), f4(-1.6666654611e-1)
C2, C1, C0 = f4(2.443315711809948e-5), f4(-1.388731625493765e-3), f4(4.166664568298827e-2)
ONE, HALF, MINUS_TWO = f4(1), f4(0.5), f4(-2)


@compiled
def normals(positions, ends, scale, out):
    """See `Kernels.normals`."""
    wide_vectors()
    numbers, last, one = out.reshape(-1), np.empty((2, 1), f4), f4(1)
    space = np.empty(BLOCK, f4), np.empty(BLOCK, np.int32)
    factor = scale[0] if len(scale) == 1 else one
    begin = 0
    for b in range(len(ends)):
        own = numbers[begin * out.shape[1] : ends[b] * out.shape[1]]
        whole = len(own) // 2
        half = len(own) - whole
        pairs(positions[b], factor, own[:whole], own[half:], space)
        if half > whole:
            pairs(positions[b] + np.uint64(whole), factor, last[0], last[1], space)
            own[whole] = last[0, 0]
        if len(scale) > 1:
            for row in range(begin, ends[b]):
                for i in range(len(scale)):
                    out[row, i] *= scale[i]
        begin = ends[b]


@compiled
def some_normals(position, size, first, step, scale, out):
    """See `Kernels.some_normals`."""
    n_rows, n = out.shape
    half, one = size - size // 2, f4(1)
    space = np.empty(BLOCK, f4), np.empty(BLOCK, np.int32)
    factor = scale[0] if len(scale) == 1 else one
    if size == n_rows * step and n_rows % 2 == 0:  # both numbers of a pair are in one column
        apart = n_rows // 2
        for m in range(apart):
            place = first + m * step
            pairs(position + np.uint64(place), factor, out[m], out[m + apart], space)
    else:
        unused = np.empty(n, f4)
        for m in range(n_rows):
            place = first + m * step
            n_first = min(max(half - place, 0), n)
            n_second, second = n - n_first, place + n_first - half
            pairs(position + np.uint64(place), factor, out[m, :n_first], unused[:n_first], space)
            pairs(position + np.uint64(second), factor, unused[:n_second], out[m, n_first:], space)
    if len(scale) > 1:
        for m in range(n_rows):
            for i in range(n):
                out[m, i] *= scale[i % len(scale)]


@inner
def pairs(position, factor, cosines, sines, space):
    """Overwrite both (n,) with `factor` times the pairs position + 1, position + 2, ..."""
    wide_vectors()
    n = cosines.size
    u, angle = space
    for start in range(0, n, BLOCK):
        size = min(BLOCK, n - start)
        c, s = cosines[start : start + size], sines[start : start + size]
        word = (position + np.uint64(start + 1)) * STEP
        for i in range(size):
            z = word
            word += STEP
            z = (z ^ (z >> SHIFT_1)) * MIX_1
            z = (z ^ (z >> SHIFT_2)) * MIX_2
            z = z ^ (z >> SHIFT_3)
            u[i] = f4(np.uint32(z >> HALF_WORD)) * WORD + HALF * WORD
            angle[i] = np.int32(np.uint32(z))
        for i in range(size):
            # u = 2^exponent (1 + x) with 1 + x from sqrt(1/2) to sqrt(2)
            above = np.float32(u[i]).view(np.int32) - ROOT_HALF
            exponent = f4(above >> np.int32(23))
            x = np.int32((above & MANTISSA) + ROOT_HALF).view(np.float32) - ONE
            P = ((((((((P8 * x + P7) * x + P6) * x + P5) * x + P4) * x + P3) * x + P2) * x + P1)
                 * x + P0)  # fmt: skip
            ln_u = exponent * LN_2 + (x - HALF * x * x + x * x * x * P)
            radius = f4(math.sqrt(max(MINUS_TWO * ln_u, f4(0))))
            # the two top bits of the angle say which quarter, the others where in it
            q = f4(np.int32(angle[i] << np.int32(2))) * OCTANT
            q2 = q * q
            sine = q + q * q2 * ((S2 * q2 + S1) * q2 + S0)
            cosine = ONE - HALF * q2 + q2 * q2 * ((C2 * q2 + C1) * q2 + C0)
            swapped = angle[i] < 0
            sign = (angle[i] << np.int32(1)) & SIGN
            first = np.float32(radius * (sine if swapped else cosine)).view(np.int32) ^ sign
            second = np.float32(radius * (cosine if swapped else sine)).view(np.int32) ^ sign
            # the factor has a rounding of its own: no product is regrouped across the bits
            c[i] = np.int32(first).view(np.float32) * factor
            s[i] = np.int32(second).view(np.float32) * factor
