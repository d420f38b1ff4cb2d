"""Solvers and generators behind one interface each; a backend is imported when it is asked for."""

from bridge.networks.interface import Generator, HoldingSolver, Network, OnIteration, Solver, State
from bridge.networks.registry import (
    CONSTRAINED,
    GENERATORS,
    SOLVERS,
    make_generator,
    make_solver,
    sizes,
)
from bridge.networks.stored import KIND, Stored, load_network, read_network, save_network

__all__ = [
    "CONSTRAINED",
    "GENERATORS",
    "KIND",
    "SOLVERS",
    "Generator",
    "HoldingSolver",
    "Network",
    "OnIteration",
    "Solver",
    "State",
    "Stored",
    "load_network",
    "make_generator",
    "make_solver",
    "read_network",
    "save_network",
    "sizes",
]
