"""Trained networks: run them, trial by trial or many trials at once, and keep what they did."""

from pycog_dgr.running.integrate import Run
from pycog_dgr.running.perturbations import CurrentPulse, InputPulse, Kick, Perturbation
from pycog_dgr.running.rnn import RNN
from pycog_dgr.running.trials import Trials, simulate_trials

__all__ = [
    "RNN",
    "CurrentPulse",
    "InputPulse",
    "Kick",
    "Perturbation",
    "Run",
    "Trials",
    "simulate_trials",
]
