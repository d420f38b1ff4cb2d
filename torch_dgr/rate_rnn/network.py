"""The biological network in torch: the twin of pycog_dgr's, written on its own from the equations.

    x_t = (1 - alpha) x_{t-1} + alpha ( r_{t-1} Wrec^T + brec + u_t Win^T + noise_t )
    r_t = f(x_t)
    z_t = g( r_t Wout^T + bout )                      t = 1..T, alpha = dt / tau

The matrices are *effective*: a function of trained *raw* matrices W, masks and Dale's law,

    M    = plastic * W + fixed
    Win  = pos(M_in),   Wrec = pos(M_rec) * ei,   Wout = pos(M_out) * ei      (with Dale)

where ei multiplies columns, the presynaptic units, and pos is rectification or the absolute value.
Without Dale the effective matrix is M. Source: Song, Yang and Wang 2016, eqs 1-3 and 9-18.

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

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from torch_dgr.checks import named
from torch_dgr.errors import SettingError, StateError
from torch_dgr.rate_rnn.activations import HIDDEN, OUTPUT, POSITIVE
from torch_dgr.rate_rnn.constraint import Constraint, Masks

MATRICES = ("Win", "Wrec", "Wout")
VECTORS = ("brec", "bout", "x0")


class Trajectory(NamedTuple):
    """Currents, rates (time, trial, N) and outputs (time, trial, Nout) for t = 1..T."""

    x: Tensor
    r: Tensor
    z: Tensor


class RateRNN(nn.Module):
    """The network. `net.Wrec` is effective, `net.raw('Wrec')` what an optimiser moves.

    parameters: raw Win, Wrec, Wout, brec, bout, x0 (no Win, or None, where there are no inputs).
    masks: by matrix name; a matrix without an entry is plastic throughout. tau and dt in ms.
    trained: names of the parameters that learn; the others keep their values.
    Raises SettingError for unknown names, wrong shapes, signs other than +1 and -1.
    """

    def __init__(
        self,
        parameters: Mapping[str, np.ndarray | None],
        *,
        tau: float | np.ndarray,
        dt: float,
        masks: Mapping[str, Masks] | None = None,
        ei: np.ndarray | None = None,
        ei_positive_func: str = "rectify",
        hidden_activation: str = "rectify",
        output_activation: str = "linear",
        trained: Iterable[str] = ("Win", "Wrec", "Wout", "x0"),
        dtype: torch.dtype = torch.float64,
    ):
        super().__init__()
        self.hidden = named(HIDDEN, hidden_activation, "hidden_activation")
        self.output = named(OUTPUT, output_activation, "output_activation")
        named(POSITIVE, ei_positive_func, "ei_positive_func")
        self.hidden_activation, self.output_activation = hidden_activation, output_activation
        values = _checked_parameters(parameters)
        self.names = tuple(name for name in (*MATRICES, *VECTORS) if name in values)
        self.Nout, self.N = values["Wout"].shape
        self.Nin = values["Win"].shape[1] if "Win" in values else 0
        self.register_buffer("alpha", _checked_alpha(tau, dt, self.N).to(dtype))
        self.register_buffer("ei", _checked_signs(ei, self.N, dtype))
        trained = _checked_trained(trained, self.names)
        masks = _checked_masks(masks or {}, values)
        for name, value in values.items():
            tensor = torch.tensor(value, dtype=dtype)
            self.register_parameter(name, nn.Parameter(tensor, requires_grad=name in trained))
            if name in MATRICES:
                signs = None if self.ei is None else self.ei
                if name == "Win" and signs is not None:
                    signs = torch.ones(self.Nin, dtype=dtype)
                constraint = Constraint(masks[name], signs, ei_positive_func).to(dtype)
                parametrize.register_parametrization(self, name, constraint)
                with torch.no_grad():  # registering stored right_inverse: keep the raw values
                    self.raw(name).copy_(tensor)

    def forward(self, inputs: Tensor | None, noise: Tensor | None = None) -> Trajectory:
        """Integrate from x0. inputs (time, trial, Nin), noise (time, trial, N) or None for none.

        Without inputs (Nin = 0) the noise, zeros if need be, says how long and how often.
        """
        x, r = map(torch.stack, self.integrate(inputs, noise))
        return Trajectory(x, r, self.outputs(r))

    def integrate(
        self, inputs: Tensor | None, noise: Tensor | None
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Return x_1..x_T and r_1..r_T, one tensor (trial, N) a step, for derivatives in x_t."""
        alpha, f = self.alpha, self.hidden.function
        drive = self._drive(inputs, noise)
        Wrec = self.Wrec
        x = self.x0.expand(drive.shape[1], self.N)
        r = f(x)
        xs, rs = [], []
        for drive_t in drive:
            x = (1 - alpha) * x + alpha * (r @ Wrec.T + drive_t)
            r = f(x)
            xs.append(x)
            rs.append(r)
        return xs, rs

    def output_current(self, r: Tensor) -> Tensor:
        """Return r Wout^T + bout (..., Nout) of rates r (..., N)."""
        return r @ self.Wout.T + self.bout

    def outputs(self, r: Tensor) -> Tensor:
        """Return z (..., Nout) of rates r (..., N)."""
        return self.output(self.output_current(r))

    def _drive(self, inputs: Tensor | None, noise: Tensor | None) -> Tensor:
        """Return brec + u_t Win^T + noise_t for all t, (time, trial, N)."""
        given = {"inputs": (inputs, self.Nin), "noise": (noise, self.N)}
        if self.Nin == 0:
            given.pop("inputs")
        elif inputs is None:
            raise SettingError(f"this network has Nin = {self.Nin} inputs; give inputs")
        for name, (tensor, size) in given.items():
            if tensor is not None and (tensor.ndim != 3 or tensor.shape[2] != size):
                raise SettingError(
                    f"{name} have shape {tuple(tensor.shape)}; give (time, trial, {size})"
                )
        if self.Nin == 0:
            if noise is None:
                raise SettingError("a network without inputs needs noise (time, trial, N)")
            return self.brec + noise
        drive = inputs @ self.Win.T + self.brec
        if noise is None:
            return drive
        if noise.shape[:2] != inputs.shape[:2]:
            raise SettingError(
                f"noise has shape {tuple(noise.shape)}, inputs "
                f"{tuple(inputs.shape)}: times and trials have to be the same"
            )
        return drive + noise

    def raw(self, name: str) -> nn.Parameter:
        """Return the tensor that is trained under a name."""
        if name in MATRICES:
            return self.parametrizations[name].original
        return getattr(self, name)

    def trained(self) -> dict[str, nn.Parameter]:
        """Return the raw parameters that learn, by name."""
        return {name: self.raw(name) for name in self.names if self.raw(name).requires_grad}

    def raw_values(self) -> dict[str, np.ndarray]:
        """Return copies of all raw parameters."""
        return {name: self.raw(name).detach().cpu().numpy().copy() for name in self.names}

    def effective_values(self) -> dict[str, np.ndarray]:
        """Return copies of the effective matrices and the vectors."""
        return {name: getattr(self, name).detach().cpu().numpy().copy() for name in self.names}

    def load_raw(self, values: Mapping[str, np.ndarray | None]) -> None:
        """Take over raw parameters; StateError (and no change) where names or shapes differ."""
        values = {name: value for name, value in values.items() if value is not None}
        if values.keys() != set(self.names):
            raise StateError(
                f"parameters {sorted(values)} given; this network has {sorted(self.names)}"
            )
        for name, value in values.items():
            try:
                _numbers(name, value)
            except SettingError as error:
                raise StateError(f"{error}; load an earlier state") from error
            if np.shape(value) != tuple(self.raw(name).shape):
                raise StateError(
                    f"{name} has shape {np.shape(value)}; this network's has "
                    f"{tuple(self.raw(name).shape)}"
                )
        with torch.no_grad():
            for name, value in values.items():
                self.raw(name).copy_(torch.as_tensor(np.array(value)))

    def violations(self, effective: Mapping[str, np.ndarray] | None = None) -> list[str]:
        """The constraint certificate: [] where Dale's signs, fixed weights and zeros all hold.

        effective: matrices from elsewhere to be checked against this network's constraint.
        """
        found = []
        with torch.no_grad():
            for name in self.names:
                tensor = getattr(self, name)
                if effective is not None:
                    tensor = torch.as_tensor(np.array(effective[name])).to(tensor)
                if name in MATRICES:
                    constraint = self.parametrizations[name][0]
                    found += [f"{name}: {words}" for words in constraint.violations(tensor)]
                elif not torch.isfinite(tensor).all():
                    found.append(f"{name}: entries not finite")
        return found


def _checked_parameters(parameters: Mapping[str, np.ndarray | None]) -> dict[str, np.ndarray]:
    known = (*MATRICES, *VECTORS)
    if foreign := sorted(parameters.keys() - set(known)):
        raise SettingError(f"unknown parameter {foreign[0]!r}; known are {', '.join(known)}")
    values = {
        name: _numbers(name, parameters[name]) for name in known if parameters.get(name) is not None
    }
    if missing := [name for name in known[1:] if name not in values]:
        raise SettingError(f"parameter {missing[0]} is missing; give all of {', '.join(known[1:])}")
    for name in MATRICES:
        if name in values and values[name].ndim != 2:
            raise SettingError(f"{name} has shape {values[name].shape}; give a matrix")
    N, Nout = len(values["Wrec"]), len(values["Wout"])
    if not N or not Nout:
        raise SettingError(
            f"a network of N = {N} units and Nout = {Nout} outputs; give both 1 or more"
        )
    shapes = {"Wrec": (N, N), "Wout": (Nout, N), "brec": (N,), "bout": (Nout,), "x0": (N,)}
    if "Win" in values:
        shapes["Win"] = (N, values["Win"].shape[-1])
    for name, shape in shapes.items():
        if values[name].shape != shape:
            raise SettingError(
                f"{name} has shape {values[name].shape}; with N = {N} units and "
                f"Nout = {Nout} outputs it has to be {shape}"
            )
    return values


def _numbers(name: str, value: np.ndarray) -> np.ndarray:
    try:
        array = np.asarray(value)
    except ValueError as error:  # ragged nested lists
        raise SettingError(f"{name} is not one array ({error}); give equal rows") from error
    if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
        raise SettingError(f"{name} of dtype {array.dtype} has to hold finite real numbers")
    return array


def _checked_alpha(tau: float | np.ndarray, dt: float, N: int) -> Tensor:
    tau = _numbers("tau", tau).astype(float)
    if tau.shape not in ((), (N,)):
        raise SettingError(f"tau has shape {tau.shape}; give one time constant, or {N}")
    if (
        not (tau > 0).all()
        or not isinstance(dt, (int, float, np.number))
        or not (0 < dt <= tau.min())
    ):
        raise SettingError(
            f"dt is {dt} ms and the shortest tau {tau.min():g} ms; 0 < dt <= tau has to hold"
        )
    return torch.as_tensor(dt / tau)


def _checked_signs(ei: np.ndarray | None, N: int, dtype: torch.dtype) -> Tensor | None:
    if ei is None:
        return None
    ei = _numbers("ei", ei)
    if ei.shape != (N,) or not np.isin(ei, (-1, 1)).all():
        raise SettingError(
            f"ei has shape {ei.shape} and values {np.unique(ei)}; give {N} signs, each +1 or -1"
        )
    return torch.tensor(ei, dtype=dtype)


def _checked_trained(trained: Iterable[str], names: tuple[str, ...]) -> set[str]:
    trained = set(trained)
    if foreign := sorted(trained - {*MATRICES, *VECTORS}):
        raise SettingError(f"trained names {foreign[0]!r}; known are {', '.join(names)}")
    return trained


def _checked_masks(
    masks: Mapping[str, Masks], values: Mapping[str, np.ndarray]
) -> dict[str, Masks]:
    if foreign := sorted(masks.keys() - set(MATRICES)):
        raise SettingError(f"masks name {foreign[0]!r}; known are {', '.join(MATRICES)}")
    checked = {}
    for name in MATRICES:
        if name not in values:
            continue
        shape = values[name].shape
        plastic, fixed = masks.get(name, Masks(np.ones(shape), np.zeros(shape)))
        plastic, fixed = (
            _numbers(f"the mask of {name}", mask).astype(float) for mask in (plastic, fixed)
        )
        if plastic.shape != shape or fixed.shape != shape:
            raise SettingError(
                f"masks of {name} have shapes {plastic.shape} and {fixed.shape}; "
                f"give two of {shape}"
            )
        if not np.isin(plastic, (0, 1)).all() or ((plastic != 0) & (fixed != 0)).any():
            raise SettingError(
                f"masks of {name}: plastic has to hold 0 and 1 alone, and no "
                "entry can be plastic and fixed"
            )
        checked[name] = Masks(plastic, fixed)
    return checked
