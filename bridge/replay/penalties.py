"""Penalties that hold a solver to what earlier contexts depend on, in place of replay.

    penalty = sum_s sum_i lambda/2 F_si (theta_i - theta_star_si)^2      joins the context's loss

    ewc   one s for every earlier context; F: diagonal Fisher information on its training images
          (Kirkpatrick et al. 2017)
    si    one s in all, at the last context's theta; F_i = sum over contexts of
          max(gain_i, 0) / (way_i^2 + damping), gain: of the path integral within the context, way:
          from the context's first theta to its last (Zenke, Poole and Ganguli 2017)

Solvers take part that have the methods of `bridge.networks.HoldingSolver`. Nothing here sees an
image of an earlier context: what is carried on is theta_star and F.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, NamedTuple, Protocol

import numpy as np

from bridge.data import Labelled, one_hot
from bridge.errors import SettingError
from bridge.networks import HoldingSolver, Solver

Arrays = dict[str, np.ndarray]


class Held(NamedTuple):
    """What a context leaves behind, by the name of each trained parameter."""

    theta_star: Arrays  # values at the context's end
    importance: Arrays  # F, of the same shapes


class Penalty(Protocol):
    """How what a context leaves behind is measured, and how strongly it holds."""

    solver_options: ClassVar[Mapping[str, Any]]

    @property
    def strength(self) -> float:
        """lambda."""

    def consolidate(
        self, held: Sequence[Held], before: Solver, solver: Solver, real: Labelled
    ) -> list[Held]:
        """What holds from now on: `held` before, and the context that `solver` has just learnt."""


def _check(name: str, value: float, least: float = 0.0) -> None:
    if isinstance(value, bool) or not (np.isfinite(value) and value >= least):
        raise SettingError(f"{name} is {value!r}; it must be finite and at least {least:g}")


@dataclass(frozen=True)
class EWC:
    """Elastic weight consolidation."""

    strength: Annotated[float, "lambda"] = 1000.0
    images: Annotated[int, "training images of a context that its Fisher information is of"] = 500
    solver_options: ClassVar[Mapping[str, Any]] = {}

    def __post_init__(self) -> None:
        _check("baselines.ewc.strength", self.strength)
        _check("baselines.ewc.images", self.images, 1)

    def consolidate(
        self, held: Sequence[Held], before: Solver, solver: Solver, real: Labelled
    ) -> list[Held]:
        """One pair more, of the context's first images (their order is random)."""
        able = holding(solver)
        part = real.first(self.images)
        n_classes = solver.predict(part.images[:1]).shape[1]
        importance = able.fisher_information(part.images, one_hot(part.labels, n_classes))
        return [*held, Held(able.trained_parameters(), importance)]


@dataclass(frozen=True)
class SynapticIntelligence:
    """Synaptic intelligence."""

    strength: Annotated[float, "lambda, twice the c of the paper"] = 2.0
    damping: Annotated[float, "xi, keeps the importance of what hardly moved finite"] = 0.1
    solver_options: ClassVar[Mapping[str, Any]] = {"track_path": True}

    def __post_init__(self) -> None:
        _check("baselines.si.strength", self.strength)
        _check("baselines.si.damping", self.damping, 1e-12)

    def consolidate(
        self, held: Sequence[Held], before: Solver, solver: Solver, real: Labelled
    ) -> list[Held]:
        """One pair, of all contexts so far; `before` is the solver as the context began."""
        earlier, able = holding(before), holding(solver)
        start, end = earlier.trained_parameters(), able.trained_parameters()
        path_before, path = earlier.path_integral(), able.path_integral()
        importance = {}
        for name, theta in end.items():
            gain = np.maximum(path[name] - path_before[name], 0)
            importance[name] = gain / ((theta - start[name]) ** 2 + self.damping)
            if held:
                importance[name] += held[-1].importance[name]
        return [Held(end, importance)]


def holding(solver: Solver) -> HoldingSolver:
    """The solver itself, where it can be held by penalties.

    Parameters
    ----------
    solver
        Any.

    Returns
    -------
    HoldingSolver
        The same object.

    Raises
    ------
    SettingError
        A solver without the methods.
    """
    if not isinstance(solver, HoldingSolver):
        raise SettingError(
            f"{type(solver).__name__} cannot be held by penalties (ewc, si): it lacks a method of "
            "bridge.networks.HoldingSolver; choose another solver or another kind of replay"
        )
    return solver
