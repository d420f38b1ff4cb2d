"""Settings that say what a network is, under pycog's own names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.config.checks import (
    AUTO,
    boolean,
    check_fields,
    check_shape,
    choice,
    connectivity,
    integer,
    interval,
    number,
    number_or_array,
    optional,
    signs,
)
from pycog_dgr.config.connectivity import MAX_UNITS, Connectivity, default_recurrent
from pycog_dgr.errors import SettingError

RHO0_WITHOUT_DALE = 1.1  # the original's initial spectral radius where there is no Dale's law
STEPS_PER_TAU = 5  # dt = tau / 5 unless given

HIDDEN_ACTIVATIONS = (
    "linear", "rectify", "rectify_power", "sigmoid", "tanh", "rtanh", "softplus",
)  # fmt: skip
OUTPUT_ACTIVATIONS = ("linear", "rectify", "rectify_power", "sigmoid", "softmax")
POSITIVE_FUNCTIONS = ("rectify", "abs")  # of Dale's law, see network/parameters.py
DISTRIBUTIONS = ("uniform", "normal", "gamma", "lognormal")
SPECTRUM_MATCHED = "spectrum_matched"  # of Wrec alone, see network/spectrum.py
LARGEST_TAU = 10  # times the largest initial one, the upper bound of trained tau unless given
MODES = ("batch", "continuous")


@dataclass(frozen=True, eq=False, kw_only=True)
class NetworkConfig:
    """What the network is: N recurrent units, Nin inputs, Nout outputs; times in ms.

    Every field is a setting, `name: Annotated[type, check, meaning, unit] = default` (dimensionless
    without one), checked and completed when the object is made, and fixed from then on. Raises
    SettingError.
    """

    Nin: Annotated[int, integer(0, MAX_UNITS), "number of inputs; 0 for a network without"] = 0
    N: Annotated[int, integer(1, MAX_UNITS), "number of recurrent units"] = 100
    Nout: Annotated[
        int, integer(0, MAX_UNITS), "number of outputs; 0 reads out the rates themselves"
    ] = 0
    tau: Annotated[
        float | NDArray,
        number_or_array(above=0),
        "time constant of the currents; or one per unit (N,)",
        "ms",
    ] = 100.0
    dt: Annotated[float, optional(number(above=0)), "time step; None: min(tau)/5", "ms"] = AUTO
    ei: Annotated[
        NDArray | None, optional(signs), "Dale's law: sign of each unit (N,); None: no such law"
    ] = None
    ei_positive_func: Annotated[
        str, choice(*POSITIVE_FUNCTIONS), "how raw weights are made positive under Dale's law"
    ] = "rectify"
    Cin: Annotated[
        Connectivity | None, optional(connectivity), "input connections (N, Nin); None: all-to-all"
    ] = None
    Crec: Annotated[
        Connectivity,
        optional(connectivity),
        "recurrent connections (N, N); None: all but self-connections",
    ] = AUTO
    Cout: Annotated[
        Connectivity | None,
        optional(connectivity),
        "output connections (Nout, N); None: all-to-all",
    ] = None
    hidden_activation: Annotated[str, choice(*HIDDEN_ACTIVATIONS), "f of the rates, r = f(x)"] = (
        "rectify"
    )
    output_activation: Annotated[
        str, choice(*OUTPUT_ACTIVATIONS), "g of the outputs, z = g(r Wout^T + bout)"
    ] = "linear"
    brec: Annotated[
        float | NDArray, number_or_array(), "initial recurrent bias; or one per unit (N,)"
    ] = 0.0
    bout: Annotated[
        float | NDArray, number_or_array(), "initial output bias; or one per output (Nout,)"
    ] = 0.0
    x0: Annotated[float | NDArray, number_or_array(), "initial currents; or one per unit (N,)"] = (
        0.1
    )
    train_brec: Annotated[bool, boolean, "train the recurrent bias"] = False
    train_bout: Annotated[bool, boolean, "train the output bias"] = False
    train_x0: Annotated[bool, boolean, "train the initial state; never in continuous mode"] = True
    train_tau: Annotated[bool, boolean, "train the time constants, one per unit"] = False
    tau_bounds: Annotated[
        tuple[float, float],
        optional(interval),
        "least and largest trained tau; None: dt and 10 max(tau)",
        "ms",
    ] = AUTO
    mode: Annotated[str, choice(*MODES), "continuous: a run starts where the last ended"] = "batch"
    rho0: Annotated[
        float, number(above=0), "initial spectral radius under Dale's law (without it always 1.1)"
    ] = 1.5
    distribution_in: Annotated[
        str, optional(choice(*DISTRIBUTIONS)), "of initial input weights; None: uniform"
    ] = AUTO
    distribution_rec: Annotated[
        str,
        optional(choice(*DISTRIBUTIONS, SPECTRUM_MATCHED)),
        "of initial recurrent weights; None: gamma under Dale's law, else normal",
    ] = AUTO
    distribution_out: Annotated[
        str, optional(choice(*DISTRIBUTIONS)), "of initial output weights; None: uniform"
    ] = AUTO
    gamma_k: Annotated[float, number(above=0), "shape of the gamma distribution"] = 2.0

    def __post_init__(self) -> None:
        check_fields(self)
        N, Nin, Nout = self.N, self.Nin, self.Nout
        check_shape("ei", self.ei, (N,))
        filled = {
            "dt": float(np.min(self.tau)) / STEPS_PER_TAU if self.dt is None else self.dt,
            "Crec": default_recurrent(N, self.ei) if self.Crec is None else self.Crec,
            "distribution_in": self.distribution_in or "uniform",
            "distribution_rec": self.distribution_rec or ("normal" if self.ei is None else "gamma"),
            "distribution_out": self.distribution_out or "uniform",
            "train_x0": self.train_x0 and self.mode != "continuous",
        }
        for name, value in filled.items():
            object.__setattr__(self, name, value)
        vectors = {"tau": (N,), "brec": (N,), "bout": (Nout,), "x0": (N,)}
        for name, vector in vectors.items():
            check_shape(name, getattr(self, name), vector)
        if self.dt > np.min(self.tau):
            raise SettingError(
                f"setting dt: {self.dt:g} ms is longer than the shortest tau, "
                f"{np.min(self.tau):g} ms, where the integration overshoots; lower dt"
            )
        self._complete_tau_bounds()
        matrices = {"Cin": (N, Nin), "Crec": (N, N), "Cout": (Nout, N)}
        for name, matrix in matrices.items():
            check_shape(name, getattr(self, name), matrix)

    def _complete_tau_bounds(self) -> None:
        if not self.train_tau:
            if self.tau_bounds is not None:
                raise SettingError("setting tau_bounds: nothing trains tau; give train_tau=True")
            return
        if self.tau_bounds is None:
            bounds = float(self.dt), LARGEST_TAU * float(np.max(self.tau))
            object.__setattr__(self, "tau_bounds", bounds)
        low, high = self.tau_bounds
        if low < self.dt:
            raise SettingError(
                f"setting tau_bounds: the lower one, {low:g} ms, is shorter than dt, {self.dt:g} ms"
            )
        if not (low < np.min(self.tau) and np.max(self.tau) < high):
            raise SettingError(
                f"setting tau: where tau is trained it must start between tau_bounds, {low:g} and "
                f"{high:g} ms, not at {np.min(self.tau):g} to {np.max(self.tau):g} ms"
            )

    @property
    def alpha_bounds(self) -> tuple[float, float]:
        """The ratio dt / tau at the upper and the lower bound of trained time constants."""
        low, high = self.tau_bounds
        return self.dt / high, self.dt / low

    def described(self) -> str:
        """Sizes, Dale's law and time constant in a few words."""
        dale = "no Dale's law"
        if self.ei is not None:
            dale = f"{np.sum(self.ei > 0)} excitatory and {np.sum(self.ei < 0)} inhibitory"
        tau = f"{np.min(self.tau):g} ms" if np.ndim(self.tau) == 0 else "one a unit"
        return f"{self.Nin} inputs, {self.N} units ({dale}), {self.Nout} outputs, tau {tau}"

    @property
    def alpha(self) -> float | NDArray:
        """The ratio dt / tau of the settings: a number, or (N,) where tau is one per unit."""
        return self.dt / self.tau

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name -> shape of every parameter the network has, in the original's order."""
        N, Nin, Nout = self.N, self.Nin, self.Nout
        shapes: dict[str, tuple[int, ...]] = {"Win": (N, Nin), "Wrec": (N, N), "Wout": (Nout, N)}
        shapes |= {"brec": (N,), "bout": (Nout,), "x0": (N,), "alpha_logit": (N,)}
        absent = {"Win": Nin == 0, "Wout": Nout == 0, "alpha_logit": not self.train_tau}
        return {name: shape for name, shape in shapes.items() if not absent.get(name)}

    @property
    def n_trained(self) -> int:
        """How many numbers training moves: plastic weights, trained biases and initial states."""
        connections = {"Win": self.Cin, "Wrec": self.Crec, "Wout": self.Cout}
        return sum(
            int(np.prod(self.shapes[name])) if (C := connections.get(name)) is None else C.nplastic
            for name in self.trained
        )

    @property
    def trained(self) -> tuple[str, ...]:
        """Names of the trained parameters, in the original's order."""
        is_trained = {"brec": self.train_brec, "bout": self.train_bout, "x0": self.train_x0}
        return tuple(name for name in self.shapes if is_trained.get(name, True))
