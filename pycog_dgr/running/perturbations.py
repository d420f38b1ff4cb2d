"""What is done to a trial while it runs: a pulse of input or current, a kick of the state.

    rnn.run(inputs=..., perturbations=[InputPulse(400, 500, [0.2, 0]), Kick(800, change)])

    u_t     <- u_t + input       start < t <= end, before rectification
    drive_t <- drive_t + current start < t <= end
    x_t     <- x_t + change      at the first sample from `at` on: a drive of change / alpha there

All are terms of what drives the network, so that the loop over time knows nothing of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pycog_dgr.config import NetworkConfig
from pycog_dgr.errors import TaskError
from pycog_dgr.running.integrate import DrawnTrial


class Perturbation(Protocol):
    """A change of all that drives one trial."""

    def applied(self, drawn: DrawnTrial, network: NetworkConfig) -> DrawnTrial:
        """The trial as it is with the perturbation; TaskError where it does not fit."""


@dataclass(frozen=True)
class InputPulse:
    """Something added to the inputs, start < t <= end in ms; input (Nin,) or a number."""

    start: float
    end: float
    input: ArrayLike

    def applied(self, drawn: DrawnTrial, network: NetworkConfig) -> DrawnTrial:
        """The trial with this change; TaskError where it does not fit."""
        if not network.Nin:
            raise TaskError("InputPulse: the network has no inputs; use a CurrentPulse")
        when = _samples("InputPulse", drawn.t, self.start, self.end)
        added = np.outer(when, _units("InputPulse", self.input, network.Nin, "input"))
        return drawn._replace(noise_in=drawn.noise_in + added)


@dataclass(frozen=True)
class CurrentPulse:
    """A current into the units, start < t <= end in ms; current (N,) or a number."""

    start: float
    end: float
    current: ArrayLike

    def applied(self, drawn: DrawnTrial, network: NetworkConfig) -> DrawnTrial:
        """The trial with this change; TaskError where it does not fit."""
        when = _samples("CurrentPulse", drawn.t, self.start, self.end)
        added = np.outer(when, _units("CurrentPulse", self.current, network.N, "unit"))
        return drawn._replace(noise=drawn.noise + added)


@dataclass(frozen=True)
class Kick:
    """A sudden change of the state at a time in ms; change (N,) or a number."""

    at: float
    change: ArrayLike

    def applied(self, drawn: DrawnTrial, network: NetworkConfig) -> DrawnTrial:
        """The trial with this change; TaskError where it does not fit."""
        later = np.flatnonzero((drawn.t >= self.at) & (drawn.t > 0))
        if not later.size:
            raise TaskError(f"Kick: the trial ends at {drawn.t[-1]:g} ms, before {self.at:g} ms")
        noise = np.zeros((len(drawn.t), network.N)) + drawn.noise
        noise[later[0]] += _units("Kick", self.change, network.N, "unit") / network.alpha
        return drawn._replace(noise=noise)


def _samples(what: str, t: NDArray, start: float, end: float) -> NDArray:
    """1 at start < t <= end, else 0."""
    when = (t > start) & (t <= end)
    if not when.any():
        raise TaskError(
            f"{what}: no sample lies in {start:g} < t <= {end:g} ms of a trial of {t[-1]:g} ms"
        )
    return when.astype(float)


def _units(what: str, values: ArrayLike, size: int, name: str) -> NDArray:
    """(size,) from a number or as many; finite."""
    given = np.asarray(values, float)
    if given.shape not in ((), (size,)) or not np.isfinite(given).all():
        raise TaskError(
            f"{what}: expected a number or one finite number per {name}, ({size},), got shape "
            f"{given.shape}"
        )
    return np.broadcast_to(given, (size,))
