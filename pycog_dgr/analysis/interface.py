"""What the analyses ask of trials and of a trained network: any object with these names serves.

`pycog_dgr.Trials` and `pycog_dgr.RNN` have them. They stand above this folder, which therefore
names what it needs instead of importing them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, Self

from numpy.typing import NDArray


class SimulatedTrials(Protocol):
    """Trials as arrays; NaN beyond a trial's own length.

    t (time,) in ms; inputs (trial, time, Nin), rates (trial, time, N), outputs and targets
    (trial, time, Nout), dimensionless; lengths (trial,) in samples; info: condition -> (trial,);
    epochs: name -> (trial, 2) in ms.
    """

    @property
    def t(self) -> NDArray: ...

    @property
    def inputs(self) -> NDArray: ...

    @property
    def rates(self) -> NDArray: ...

    @property
    def outputs(self) -> NDArray: ...

    @property
    def targets(self) -> NDArray: ...

    @property
    def lengths(self) -> NDArray: ...

    @property
    def info(self) -> Mapping[str, NDArray]: ...

    @property
    def epochs(self) -> Mapping[str, NDArray]: ...

    def __len__(self) -> int: ...

    def column(self, name: str) -> NDArray:
        """info[name] (trial,)."""

    def epoch(self, name: str) -> NDArray:
        """epochs[name] (trial, 2), start and end in ms."""

    def during(self, name: str) -> NDArray:
        """Which samples lie in an epoch: (trial, time) of bool."""

    def present(self) -> NDArray:
        """Which samples belong to their trial: (trial, time) of bool."""

    def select(self, which: NDArray) -> Self:
        """Some of the trials."""


class TrainedNetwork(Protocol):
    """A network that has been trained or run: its settings, effective weights and histories.

    p: setting -> value; Win (N, Nin) or None, Wrec (N, N), Wout (Nout, N) or None, brec (N,),
    bout (Nout,); of the last run t (time,) in ms, r (N, time), z (Nout, time), None before one.
    """

    @property
    def p(self) -> Mapping[str, Any]: ...

    @property
    def costs_history(self) -> list | None: ...

    @property
    def Omega_history(self) -> list | None: ...

    @property
    def t(self) -> NDArray: ...

    @property
    def r(self) -> NDArray | None: ...

    @property
    def z(self) -> NDArray: ...

    @property
    def Win(self) -> NDArray | None: ...

    @property
    def Wrec(self) -> NDArray: ...

    @property
    def Wout(self) -> NDArray | None: ...

    @property
    def brec(self) -> NDArray: ...

    @property
    def bout(self) -> NDArray: ...
