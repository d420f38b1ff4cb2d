"""The biological network in torch: the twin of pycog_dgr's, written on its own from the equations.

    drive_t = u_t Win^T + brec + noise_t
    x_t     = (1 - alpha) x_{t-1} + alpha (r_{t-1} Wrec^T + drive_t)
    r_t     = f(x_t)
    z_t     = g(r_t Wout^T + bout)                    t = 1..T, alpha = dt / tau

Source: Song, Yang and Wang 2016, eqs. 1-3, by Euler's method as in their eqs. 5-7. The weights are
*effective*: functions of raw parameters, which are what is trained (constraint.py).

| symbol  | name          | shape                | unit                                       |
|---------|---------------|----------------------|--------------------------------------------|
| x, r    | x, r          | (time, trial, N)     | current, rate (arbitrary units)            |
| u       | inputs        | (time, trial, Nin)   | arbitrary units                            |
| z       | z             | (time, trial, Nout)  | arbitrary units                            |
| noise   | noise         | (time, trial, N)     | arbitrary units, drawn beforehand          |
| Win     | Win           | (N, Nin)             |                                            |
| Wrec    | Wrec          | (N, N)               |                                            |
| Wout    | Wout          | (Nout, N)            |                                            |
| brec    | brec          | (N,)                 |                                            |
| bout    | bout          | (Nout,)              |                                            |
| x_0     | x0            | (N,)                 | starting current, a parameter              |
| tau, dt | tau, dt       | () or (N,), ()       | ms                                         |
| ei      | ei            | (N,)                 | +1 excitatory, -1 inhibitory               |
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from torch_dgr.checks import checked_device, named
from torch_dgr.errors import SettingError, StateError
from torch_dgr.rate_rnn.activations import HIDDEN, OUTPUT, POSITIVE
from torch_dgr.rate_rnn.constraint import BoundedAlpha, Constraint, Masks
from torch_dgr.rate_rnn.parameters import (
    LOGIT,
    checked_bounds,
    checked_masks,
    checked_parameters,
    checked_signs,
    checked_tau,
    checked_trained,
    numbers,
)

__all__ = ["Masks", "RateRNN", "Trajectory"]

Function = Callable[[Tensor], Tensor]
ATTRIBUTES = {LOGIT: "alpha"}  # effective values that go under another name than their raw ones


class Trajectory(NamedTuple):
    """Currents, rates (time, trial, N) and outputs (time, trial, Nout) for t = 1..T."""

    x: Tensor
    r: Tensor
    z: Tensor


def step(
    x_prev: Tensor, r_prev: Tensor, drive_t: Tensor, Wrec: Tensor, alpha: Tensor, f: Function
) -> tuple[Tensor, Tensor]:
    """Return currents and rates (trial, N) one time step on."""
    x_t = (1 - alpha) * x_prev + alpha * (r_prev @ Wrec.T + drive_t)
    r_t = f(x_t)
    return x_t, r_t


class RateRNN(nn.Module):
    """The network. `net.Wrec` is effective, `net.raw('Wrec')` what an optimiser moves.

    Parameters
    ----------
    parameters
        Raw Win, Wrec, Wout, brec, bout, x0 (no Win, or None, where there are no inputs), and
        alpha_logit where time constants are trained and do not start at `tau`.
    tau, dt
        Time constants, () or (N,), and step, ms.
    tau_bounds
        (low, high), ms, dt <= low: makes the time constants a parameter, alpha_logit (N,), one
        for each unit, that stays between them.
    masks
        By matrix name; a matrix without an entry is plastic throughout.
    ei
        Signs of the units (N,) with Dale's law, None without.
    ei_positive_func
        'rectify' or 'abs'.
    hidden_activation, output_activation
        Names of f and g.
    trained
        Names of the parameters that learn; the others keep their values.
    dtype, device
        Of all tensors.

    Raises
    ------
    SettingError
        An unknown name, a wrong shape, signs other than +1 and -1, dt above tau or above its
        lower bound.
    """

    Win: Tensor
    Wrec: Tensor
    Wout: Tensor
    brec: Tensor
    bout: Tensor
    x0: Tensor
    alpha: Tensor

    def __init__(
        self,
        parameters: Mapping[str, np.ndarray | None],
        *,
        tau: float | np.ndarray,
        dt: float,
        tau_bounds: tuple[float, float] | None = None,
        masks: Mapping[str, Masks] | None = None,
        ei: np.ndarray | None = None,
        ei_positive_func: str = "rectify",
        hidden_activation: str = "rectify",
        output_activation: str = "linear",
        trained: Iterable[str] = ("Win", "Wrec", "Wout", "x0"),
        dtype: torch.dtype = torch.float64,
        device: str | torch.device = "cpu",
    ):
        super().__init__()
        self.hidden = named(HIDDEN, hidden_activation, "hidden_activation")
        self.output = named(OUTPUT, output_activation, "output_activation")
        named(POSITIVE, ei_positive_func, "ei_positive_func")
        self.hidden_activation, self.output_activation = hidden_activation, output_activation
        values = checked_parameters(parameters)
        self.Nout, self.N = values["Wout"].shape
        self.Nin = values["Win"].shape[1] if "Win" in values else 0
        signs = checked_signs(ei, self.N, dtype)
        self.register_buffer("ei", signs)
        functions: dict[str, nn.Module] = {
            name: Constraint(mask, _columns(name, signs, self.Nin), ei_positive_func).to(dtype)
            for name, mask in checked_masks(masks or {}, values).items()
        }
        tau = checked_tau(tau, dt, self.N)
        bounds = checked_bounds(tau_bounds, tau, dt, values)
        if bounds is None:
            self.register_buffer("alpha", torch.as_tensor(dt / tau).to(dtype))
        else:
            functions[LOGIT] = bounded = BoundedAlpha(dt, bounds)
            values.setdefault(LOGIT, bounded.logit_of(np.broadcast_to(tau, self.N)))
        self.names = tuple(values)
        learning = checked_trained(trained)
        for name, value in values.items():
            self._add(name, torch.tensor(value, dtype=dtype), functions.get(name))
            self.raw(name).requires_grad_(name in learning)
        self.to(checked_device(device))

    def _add(self, name: str, raw: Tensor, function: nn.Module | None) -> None:
        """Add a raw parameter, and the effective values as a function of it."""
        attribute = ATTRIBUTES.get(name, name)
        effective = raw.clone() if function is None else function(raw)
        self.register_parameter(attribute, nn.Parameter(effective))
        if function is not None:
            parametrize.register_parametrization(self, attribute, function, unsafe=True)
            with torch.no_grad():  # registering stored an inverse: the raw values are those given
                self.raw(name).copy_(raw)

    def forward(self, inputs: Tensor | None, noise: Tensor | None = None) -> Trajectory:
        """Integrate from x0.

        Parameters
        ----------
        inputs
            (time, trial, Nin); None where Nin = 0.
        noise
            (time, trial, N) or None for none. Without inputs it says how long and how often.

        Returns
        -------
        Trajectory

        Raises
        ------
        SettingError
            Inputs or noise of a wrong shape, or missing.
        """
        x, r = map(torch.stack, self.integrate(inputs, noise))
        return Trajectory(x, r, self.outputs(r))

    def integrate(
        self, inputs: Tensor | None, noise: Tensor | None
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Return x_1..x_T and r_1..r_T, one tensor (trial, N) a step, for derivatives in x_t."""
        drive = self.drive(inputs, noise)
        f, Wrec, alpha = self.hidden.f, self.Wrec, self.alpha
        x_t = self.x0.expand(drive.shape[1], self.N)
        r_t = f(x_t)
        x, r = [], []
        for drive_t in drive:
            x_t, r_t = step(x_t, r_t, drive_t, Wrec, alpha, f)
            x.append(x_t)
            r.append(r_t)
        return x, r

    def drive(self, inputs: Tensor | None, noise: Tensor | None) -> Tensor:
        """Return what reaches the units from outside, (time, trial, N)."""
        for name, tensor, size in (("inputs", inputs, self.Nin), ("noise", noise, self.N)):
            if tensor is not None and size and (tensor.ndim != 3 or tensor.shape[2] != size):
                raise SettingError(
                    f"{name} have shape {tuple(tensor.shape)}; give (time, trial, {size})"
                )
        if self.Nin == 0:
            if noise is None:
                raise SettingError("a network without inputs needs noise (time, trial, N)")
            return self.brec + noise
        if inputs is None:
            raise SettingError(f"this network has Nin = {self.Nin} inputs; give inputs")
        if noise is None:
            return inputs @ self.Win.T + self.brec
        if noise.shape[:2] != inputs.shape[:2]:
            raise SettingError(
                f"noise has shape {tuple(noise.shape)}, inputs "
                f"{tuple(inputs.shape)}: times and trials have to be the same"
            )
        return inputs @ self.Win.T + self.brec + noise

    def output_current(self, r: Tensor) -> Tensor:
        """Return r Wout^T + bout (..., Nout) of rates r (..., N)."""
        return r @ self.Wout.T + self.bout

    def outputs(self, r: Tensor) -> Tensor:
        """Return z (..., Nout) of rates r (..., N)."""
        return self.output(self.output_current(r))

    def function(self, name: str) -> nn.Module | None:
        """Return what turns a raw parameter into its effective value; None where they are one."""
        attribute = ATTRIBUTES.get(name, name)
        if not parametrize.is_parametrized(self, attribute):
            return None
        return cast(Any, self.parametrizations)[attribute][0]

    def raw(self, name: str) -> nn.Parameter:
        """Return the tensor that is trained under a name."""
        attribute = ATTRIBUTES.get(name, name)
        if not parametrize.is_parametrized(self, attribute):
            return getattr(self, name)
        return cast(Any, self.parametrizations)[attribute].original

    def trained(self) -> dict[str, nn.Parameter]:
        """Return the raw parameters that learn, by name."""
        return {name: self.raw(name) for name in self.names if self.raw(name).requires_grad}

    def raw_values(self) -> dict[str, np.ndarray]:
        """Return copies of all raw parameters."""
        return {name: _copied(self.raw(name)) for name in self.names}

    def effective(self) -> dict[str, Tensor]:
        """Return effective matrices, vectors and, where they are trained, time constants (ms)."""
        found = {name: getattr(self, name) for name in self.names if name != LOGIT}
        bounded = self.function(LOGIT)
        if isinstance(bounded, BoundedAlpha):
            found["tau"] = bounded.tau(self.raw(LOGIT))
        return found

    def effective_values(self) -> dict[str, np.ndarray]:
        """Return copies of `effective` as numpy arrays."""
        return {name: _copied(value) for name, value in self.effective().items()}

    def load_raw(self, values: Mapping[str, np.ndarray | None]) -> None:
        """Take over raw parameters; StateError (and no change) where names or shapes differ."""
        given = {name: value for name, value in values.items() if value is not None}
        if given.keys() != set(self.names):
            raise StateError(
                f"parameters {sorted(given)} given; this network has {sorted(self.names)}"
            )
        for name, value in given.items():
            try:
                numbers(name, value)
            except SettingError as error:
                raise StateError(f"{error}; load an earlier state") from error
            if np.shape(value) != tuple(self.raw(name).shape):
                raise StateError(
                    f"{name} has shape {np.shape(value)}; this network's has "
                    f"{tuple(self.raw(name).shape)}"
                )
        with torch.no_grad():
            for name, value in given.items():
                self.raw(name).copy_(torch.as_tensor(np.array(value)))

    def violations(self, effective: Mapping[str, np.ndarray] | None = None) -> list[str]:
        """Say where Dale's signs, fixed weights, zeros or bounds of tau do not hold; [] if nowhere.

        effective: values from elsewhere to be checked against this network's constraint.
        """
        found = []
        with torch.no_grad():
            for name, own in self.effective().items():
                value = own if effective is None else torch.as_tensor(effective[name]).to(own)
                function = self.function(LOGIT if name == "tau" else name)
                if isinstance(function, (Constraint, BoundedAlpha)):
                    found += [f"{name}: {words}" for words in function.violations(value)]
                elif not torch.isfinite(value).all():
                    found.append(f"{name}: entries not finite")
        return found


def _columns(name: str, signs: Tensor | None, Nin: int) -> Tensor | None:
    """Return the signs of a matrix's columns: inputs excite, units as their kind; None if free."""
    if signs is None or name != "Win":
        return signs
    return torch.ones(Nin, dtype=signs.dtype)


def _copied(tensor: Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy().copy()
