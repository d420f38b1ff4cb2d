"""Normal numbers of numpy's RandomState, compiled by Numba: the same bits, twice as fast.

RandomState makes two words of the Mersenne Twister (Matsumoto & Nishimura, ACM TOMACS 8, 3, 1998)
into a number of 53 bits, and two of these into two normal ones by the polar method (Marsaglia &
Bray, SIAM Rev. 6, 260, 1964). Here each step of it is a loop over a block that stays in the cache.
Nothing is regrouped, so that every number is rounded as numpy rounds it.
"""
# mypy: allow-untyped-defs
# Numba infers the types of what it compiles, one version for each number type.

import math

import numpy as np

from pycog_dgr.kernels.compilation import exact

STATE, SHIFTED = 624, 397  # words of the state, and the distance of the two that make a new one
PAIRS = 256  # of a block
TOP, REST, TWIST = np.uint32(0x80000000), np.uint32(0x7FFFFFFF), np.uint32(0x9908B0DF)
MASK_1, MASK_2, ONE, NOTHING = (np.uint32(i) for i in (0x9D2C5680, 0xEFC60000, 1, 0))
S7, S11, S15, S18 = (np.uint32(shift) for shift in (7, 11, 15, 18))
S5, S26, S38, LOW = (np.uint64(word) for word in (5, 26, 38, 0xFFFFFFFF))
UNIT = 2.0**-53


@exact
def polar(key, position, out):
    """Overwrite out (even,), float64, and key (624,); the new position in the key."""
    n = len(out) // 2
    words = np.empty(4 * PAIRS, np.uint32)
    x = np.empty(2 * PAIRS)
    x1, x2, r2 = np.empty(PAIRS), np.empty(PAIRS), np.empty(PAIRS)
    done = 0
    while done < n:
        size = min(PAIRS, n - done)  # no word is drawn that may not be needed
        position = draw_words(key, position, words[: 4 * size])
        between_minus_1_and_1(words.view(np.uint64), x[: 2 * size])
        for i in range(size):
            r2[i] = x[2 * i] * x[2 * i] + x[2 * i + 1] * x[2 * i + 1]
        kept = 0
        for i in range(size):  # those within the circle move up
            x1[kept], x2[kept], r2[kept] = x[2 * i], x[2 * i + 1], r2[i]
            kept += (r2[kept] < 1.0) & (r2[kept] != 0.0)
        for i in range(kept):
            r2[i] = math.sqrt(-2.0 * math.log(r2[i]) / r2[i])
        for i in range(kept):
            out[2 * (done + i)] = r2[i] * x2[i]
            out[2 * (done + i) + 1] = r2[i] * x1[i]
        done += kept
    return position


@exact
def between_minus_1_and_1(words, x):
    """x <- 2 u - 1, where u in [0, 1) is made of the upper 27 and 26 bits of two words, here one
    of 64 bits of which the lower half is the first.
    """
    for i in range(len(x)):
        first, second = (words[i] & LOW) >> S5, words[i] >> S38
        u = np.float64(np.int64((first << S26) | second)) * UNIT
        x[i] = 2.0 * u - 1.0


@exact
def draw_words(key, position, out):
    """The twister's next words into out; the new position."""
    done = 0
    while done < len(out):
        if position == STATE:
            next_state(key)
            position = 0
        some = min(STATE - position, len(out) - done)
        for i in range(some):
            y = key[position + i]
            y ^= y >> S11
            y ^= (y << S7) & MASK_1
            y ^= (y << S15) & MASK_2
            out[done + i] = y ^ (y >> S18)
        position += some
        done += some
    return position


@exact
def next_state(key):
    """All words of the state are replaced."""
    for i in range(STATE - SHIFTED):
        key[i] = twisted(key[i], key[i + 1], key[i + SHIFTED])
    for i in range(STATE - SHIFTED, STATE - 1):
        key[i] = twisted(key[i], key[i + 1], key[i + SHIFTED - STATE])
    key[STATE - 1] = twisted(key[STATE - 1], key[0], key[SHIFTED - 1])


@exact
def twisted(word, following, shifted):
    y = (word & TOP) | (following & REST)
    return shifted ^ (y >> ONE) ^ (TWIST if y & ONE else NOTHING)
