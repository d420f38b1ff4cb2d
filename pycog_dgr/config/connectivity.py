"""Which weights of a matrix are plastic, fixed or absent, and the connections used by default."""

from __future__ import annotations

import copy
import logging

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pycog_dgr.errors import SettingError

logger = logging.getLogger(__name__)

MAX_UNITS = 20_000  # an N x N matrix of float64 takes 3.2 GB then


class Connectivity:
    """Which weights of one matrix are plastic, which are fixed, and which are absent.

        Connectivity(C, Cfixed=None)        from matrices
        Connectivity(N, p=0.3, seed=4321)   a random binary C of density p among non-self pairs

    The arrays are read-only copies: neither the caller's matrices nor this object ever change.

    Parameters
    ----------
    C_or_N
        C (post, pre): non-zero entries are plastic, and their values scale the initial draw; or the
        number of units N of a random C (N, N).
    Cfixed
        (post, pre): non-zero entries are fixed weights. What is zero in both stays zero.
    p
        Density of a random C among non-self pairs, 0 to 1.
    rng
        numpy RandomState that a random C is drawn from; one of `seed` where it is None.
    seed
        Of a random C.

    Raises
    ------
    SettingError
        For matrices that are not 2-D and finite, differ in shape, or overlap.
    """

    def __init__(
        self,
        C_or_N: ArrayLike | int,
        Cfixed: ArrayLike | None = None,
        p: float = 1,
        rng: np.random.RandomState | None = None,
        seed: int = 4321,
    ) -> None:
        if isinstance(C_or_N, (int, np.integer)) and not isinstance(C_or_N, bool):
            rng = checked_stream(seed) if rng is None else rng
            C = random_mask(int(C_or_N), p, rng)
        else:
            C = checked_matrix("C", C_or_N)
        fixed = np.zeros(C.shape) if Cfixed is None else checked_matrix("Cfixed", Cfixed)
        if fixed.shape != C.shape:
            raise SettingError(
                f"Connectivity: C has shape {C.shape} and Cfixed {fixed.shape}; give both the same"
            )
        overlap = np.argwhere((C != 0) & (fixed != 0))
        if len(overlap):
            raise SettingError(
                f"Connectivity: entry {tuple(overlap[0].tolist())} is non-zero in both C and "
                f"Cfixed; a weight is either plastic or fixed ({len(overlap)} such entries)"
            )
        if C.shape[0] == C.shape[1] and not is_connected((C != 0) | (fixed != 0)):
            logger.warning("Connectivity: the %d x %d matrix is not strongly connected", *C.shape)

        self.C = read_only(C)
        self.shape = C.shape
        self.size = C.size
        self.idx_plastic = read_only(np.flatnonzero(C))
        self.plastic = read_only(C.ravel()[self.idx_plastic])
        self.nplastic = len(self.plastic)
        self.idx_fixed = read_only(np.flatnonzero(fixed))
        self.fixed = read_only(fixed.ravel()[self.idx_fixed])
        self.nfixed = len(self.fixed)
        self.p_plastic = self.nplastic / self.size
        self.p = (self.nplastic + self.nfixed) / self.size
        self.mask_plastic = read_only((C != 0).astype(np.float64))
        self.mask_fixed = read_only(fixed.astype(np.float64))

    def scaled(self, factor: float) -> Connectivity:
        """The same connections with every fixed weight multiplied by `factor`."""
        return self.with_fixed(self.mask_fixed * factor)

    def with_fixed(self, mask_fixed: NDArray) -> Connectivity:
        """The same connections with other values at the fixed places."""
        if not np.array_equal(mask_fixed != 0, self.mask_fixed != 0):
            raise SettingError("Connectivity: the new fixed weights are at other places")
        other = copy.copy(self)
        other.mask_fixed = read_only(np.array(mask_fixed, dtype=np.float64))
        other.fixed = read_only(other.mask_fixed.ravel()[self.idx_fixed])
        return other

    def __repr__(self) -> str:
        return f"Connectivity(shape={self.shape}, p={self.p:.2f}, p_plastic={self.p_plastic:.2f})"


def checked_stream(seed: int) -> np.random.RandomState:
    """The random stream of a seed; SettingError where it cannot be one."""
    try:
        return np.random.RandomState(seed)
    except (ValueError, TypeError) as error:
        raise SettingError(f"Connectivity: seed {seed!r} is not one ({error})") from None


def checked_matrix(name: str, values: ArrayLike) -> NDArray:
    """A copy of `values` as a finite 2-D array of numbers; SettingError otherwise."""
    try:
        matrix = np.array(values)
    except ValueError:
        raise SettingError(f"Connectivity: the rows of {name} are not equally long") from None
    if matrix.ndim != 2 or matrix.dtype.kind not in "biuf" or not matrix.size:
        raise SettingError(
            f"Connectivity: {name} must be a (post, pre) matrix of numbers, "
            f"not shape {matrix.shape} of {matrix.dtype}"
        )
    if not np.isfinite(matrix).all():
        raise SettingError(f"Connectivity: {name} holds values that are not finite")
    return matrix.astype(int) if matrix.dtype.kind == "b" else matrix


def read_only(values: NDArray) -> NDArray:
    """`values`, its write flag cleared."""
    values.flags.writeable = False
    return values


def random_mask(N: int, p: float, rng: np.random.RandomState) -> NDArray:
    """A random binary mask (N, N) of density `p` over non-self pairs, with the original's draws."""
    if not 1 <= N <= MAX_UNITS or not isinstance(p, (int, float, np.number)) or not 0 <= p <= 1:
        raise SettingError(
            f"Connectivity: N must be at least 1, at most {MAX_UNITS}, and p in [0, 1], not {N} "
            f"and {p}"
        )
    pairs = N * (N - 1)
    present = np.zeros(pairs, dtype=int)
    present[: int(p * pairs)] = 1
    rng.shuffle(present)
    mask = np.zeros((N, N), dtype=int)
    mask[~np.eye(N, dtype=bool)] = present  # row by row, the diagonal skipped
    return mask


def is_connected(present: NDArray) -> bool:
    """Whether every unit reaches every other along the connections `present` (post, pre)."""
    from scipy.sparse import csgraph  # slow to import, needed only here

    count, _ = csgraph.connected_components(present, directed=True, connection="strong")
    return count == 1


def default_recurrent(N: int, ei: NDArray | None) -> Connectivity:
    """All-to-all without self connections, the default Crec.

    With Dale's law each row's inhibitory entries are scaled so that the row's excitatory and
    inhibitory sums balance, and each row is then divided by its L2 norm.
    """
    C = np.ones((N, N))
    np.fill_diagonal(C, 0)
    if ei is None:
        return Connectivity(C)
    excitatory, inhibitory = ei > 0, ei < 0
    for row in C:
        if row[inhibitory].any():
            row[inhibitory] *= np.sum(row[excitatory]) / np.sum(row[inhibitory])
    norms = np.linalg.norm(C, axis=1)
    if not norms.all():
        raise SettingError(
            f"Crec: the default connections balance excitation and inhibition, which leaves unit "
            f"{int(np.argmin(norms))} of {N} without any; give Crec"
        )
    return Connectivity(C / norms[:, np.newaxis])
