"""The network's mathematics in numpy: parameters, initial values, and the equations themselves."""

from pycog_dgr.network.activations import ACTIVATIONS, activation
from pycog_dgr.network.initialisation import initial_parameters, rescaled, spectral_radius
from pycog_dgr.network.parameters import (
    Parameters,
    Weights,
    alpha_logit_of,
    alpha_of,
    effective_weights,
    trained_tau,
)
from pycog_dgr.network.simulate import Simulation, outputs, simulate, step
from pycog_dgr.network.spectrum import spectrum_matched_settings

__all__ = [
    "ACTIVATIONS",
    "Parameters",
    "Simulation",
    "Weights",
    "activation",
    "alpha_logit_of",
    "alpha_of",
    "effective_weights",
    "initial_parameters",
    "outputs",
    "rescaled",
    "simulate",
    "spectral_radius",
    "spectrum_matched_settings",
    "step",
    "trained_tau",
]
