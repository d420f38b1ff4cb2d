"""Which kernels run: Numba's compiled loops, or numpy where Numba cannot run. Chosen here alone."""

from __future__ import annotations

import functools
import logging

from pycog_dgr.errors import BackendError
from pycog_dgr.kernels.interface import Kernels

logger = logging.getLogger(__name__)


@functools.cache
def get_kernels(name: str) -> Kernels:
    """The kernels called 'numba' or 'numpy'.

    Parameters
    ----------
    name
        'numba' or 'numpy'.

    Returns
    -------
    Kernels
        The module with the functions of `interface.Kernels`.

    Raises
    ------
    BackendError
        Where Numba is not installed, or has no folder that it may keep its compiled code in.
    """
    if name == "numpy":
        import pycog_dgr.kernels.recurrence_numpy as recurrence_numpy

        return recurrence_numpy
    try:
        import pycog_dgr.kernels.recurrence_numba as recurrence_numba
    except (ImportError, RuntimeError, OSError, UnicodeError) as error:
        raise BackendError(
            f"Numba cannot run here ({type(error).__name__}: {error}); use backend='numpy', or "
            "install numba and make NUMBA_CACHE_DIR a folder that can be written"
        ) from error
    return recurrence_numba


@functools.cache
def fastest_kernels() -> str:
    """'numba', or 'numpy' where Numba cannot run; the log then says why, once."""
    try:
        get_kernels("numba")
    except BackendError as error:
        logger.warning("%s. The same numbers come from numpy instead, slower", error)
        return "numpy"
    return "numba"
