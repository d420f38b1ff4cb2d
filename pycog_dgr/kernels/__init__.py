"""Loops over time and the random numbers, as numpy and as Numba run them, behind one interface."""

from pycog_dgr.kernels.choice import fastest_kernels, get_kernels
from pycog_dgr.kernels.interface import (
    Cotangents,
    Kernels,
    Omega,
    Recurrence,
    Regulariser,
    Trajectory,
)

__all__ = [
    "Cotangents",
    "Kernels",
    "Omega",
    "Recurrence",
    "Regulariser",
    "Trajectory",
    "fastest_kernels",
    "get_kernels",
]
