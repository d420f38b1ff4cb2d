"""Loops over time and the random numbers, as numpy and as Numba run them, behind one interface."""

from pycog_dgr.kernels.activations_numpy import ACTIVATIONS, Activation, Function, sigmoid
from pycog_dgr.kernels.arrays import rows
from pycog_dgr.kernels.choice import fastest_kernels, get_kernels
from pycog_dgr.kernels.interface import Kernels
from pycog_dgr.kernels.tuples import (
    Cotangents,
    Dale,
    Gradients,
    LossGradient,
    Omega,
    Outputs,
    Readout,
    Recurrence,
    Regulariser,
    Rows,
    Trajectory,
)

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "Cotangents",
    "Dale",
    "Function",
    "Gradients",
    "Kernels",
    "LossGradient",
    "Omega",
    "Outputs",
    "Readout",
    "Recurrence",
    "Regulariser",
    "Rows",
    "Trajectory",
    "fastest_kernels",
    "get_kernels",
    "rows",
    "sigmoid",
]
