"""Weights of the biological network cross between PyTensor and torch, and leave as plain files.

    raw        what an optimiser moves          pycog_dgr Parameters  <-> torch_dgr RateRNN.raw
    effective  what the equations see: masks    pycog_dgr Weights     <-> RateRNN.Win, Wrec, Wout
               and Dale's law applied

    net = twin(network, step.parameters)         a PyTensor network in torch, to the last bit
    step.parameters = parameters_of(net)         and back
    violations(step.weights, network)            the constraint certificate: [] where all holds
    bridge.files.export('lstm.safetensors', exported(solver))   any network, for other programs

| symbol     | shape      |                                                        |
|------------|------------|--------------------------------------------------------|
| Win        | (N, Nin)   | absent (None) where there are no inputs                |
| Wrec       | (N, N)     | (post, pre)                                            |
| Wout       | (Nout, N)  |                                                        |
| brec, x0   | (N,)       |                                                        |
| bout       | (Nout,)    |                                                        |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bridge.errors import SettingError
from pycog_dgr.config import NetworkConfig, TrainingConfig
from pycog_dgr.network import Parameters, Weights, alpha_logit_of, effective_weights

if TYPE_CHECKING:  # torch is imported only by those who ask for it
    from torch_dgr.rate_rnn.network import RateRNN
    from torch_dgr.rate_rnn.objective import Objective

CONNECTIONS = {"Win": "Cin", "Wrec": "Crec", "Wout": "Cout"}


# -- PyTensor <-> torch --------------------------------------------------------------------------


def twin(network: NetworkConfig, parameters: Parameters, dtype: str = "float64") -> RateRNN:
    """The torch network with the same constraint and the same raw parameters."""
    import torch

    from torch_dgr.rate_rnn.network import Masks, RateRNN

    if not network.Nout:
        raise SettingError("the torch twin needs outputs: this network has Nout = 0")
    connections = {name: getattr(network, setting) for name, setting in CONNECTIONS.items()}
    return RateRNN(
        {
            name: value
            for name, value in parameters._asdict().items()
            if name in network.shapes or name in ("Win", "Wout")
        },
        tau=network.tau,
        dt=network.dt,
        tau_bounds=network.tau_bounds,
        masks={
            name: Masks(held.mask_plastic, held.mask_fixed)
            for name, held in connections.items()
            if held is not None and name in network.shapes
        },
        ei=network.ei,
        ei_positive_func=network.ei_positive_func,
        hidden_activation=network.hidden_activation,
        output_activation=network.output_activation,
        trained=network.trained,
        dtype=getattr(torch, dtype),
    )


def objective_of(training: TrainingConfig) -> Objective:
    """The terms of the objective that torch needs, out of pycog's settings."""
    from dataclasses import fields

    from torch_dgr.rate_rnn.objective import Objective

    return Objective(**{one.name: getattr(training, one.name) for one in fields(Objective)})


def parameters_of(net: RateRNN) -> Parameters:
    """Raw parameters of a torch network, copied."""
    held = net.raw_values()
    values: dict[str, Any] = {name: held.get(name) for name in Parameters._fields}
    return Parameters(**values)


def weights_of(net: RateRNN) -> Weights:
    """Effective weights of a torch network, copied."""
    held = net.effective_values()
    values: dict[str, Any] = {name: held.get(name) for name in Weights._fields}
    return Weights(**values)


def raw_from_effective(weights: Weights, network: NetworkConfig) -> Parameters:
    """Raw parameters that lead to the given effective weights, to train on from a saved best.

    SettingError, with the first broken entry, where no raw parameters can lead there.
    """
    certify(weights, network)
    raw: dict[str, Any] = {
        name: None if value is None else np.array(value)
        for name, value in weights._asdict().items()
        if name != "tau"
    }
    if weights.tau is not None:
        raw["alpha_logit"] = alpha_logit_of(np.asarray(weights.tau), network)
    for name, setting in CONNECTIONS.items():
        if raw[name] is None:
            continue
        raw[name] = raw[name] * _signs(name, network, raw[name].dtype)
        if getattr(network, setting) is not None:
            raw[name] *= getattr(network, setting).mask_plastic.astype(raw[name].dtype)
    return Parameters(**raw)


# -- the constraint certificate ------------------------------------------------------------------


def certify(weights: Weights, network: NetworkConfig) -> None:
    """Raise SettingError unless `violations` finds nothing."""
    if found := violations(weights, network):
        raise SettingError(f"weights that break the network's constraint: {'; '.join(found)}")


def violations(weights: Weights, network: NetworkConfig) -> list[str]:
    """What effective weights break: shapes, finiteness, zeros, fixed weights, Dale's signs, bounds.

    Fixed weights are compared to the rounding of the weights' dtype. A list of sentences; empty
    where all holds. Works for the weights of either backend.
    """
    found = []
    for name, shape in network.shapes.items():
        name = "tau" if name == "alpha_logit" else name
        held = getattr(weights, name)
        if held is None or np.shape(held) != shape:
            given = "absent" if held is None else f"of shape {np.shape(held)}"
            found.append(f"{name} is {given}, expected shape {shape}")
        elif not np.isfinite(held).all():
            found.append(f"{name} {_where(~np.isfinite(held), held)} is not finite")
        elif name in CONNECTIONS:
            found += _broken(name, np.asarray(held), network)
        elif name == "tau":
            found += _out_of_bounds(np.asarray(held), network.tau_bounds)
    return found


def _out_of_bounds(tau: np.ndarray, bounds: tuple[float, float]) -> list[str]:
    """Trained time constants (N,), ms, that left their bounds by more than rounding."""
    low, high = (np.asarray(bound, tau.dtype) for bound in bounds)
    slack = 1 + 4 * np.finfo(tau.dtype).eps
    outside = (tau * slack < low) | (tau > high * slack)
    return (
        [f"tau {_where(outside, tau)} is outside {low:g} to {high:g} ms"] if outside.any() else []
    )


def _broken(name: str, held: np.ndarray, network: NetworkConfig) -> list[str]:
    signs = _signs(name, network, held.dtype)
    found = []
    if network.ei is not None and (wrong := held * signs < 0).any():
        found.append(f"{name} {_where(wrong, held)} is against the sign of its unit")
    connectivity = getattr(network, CONNECTIONS[name])
    if connectivity is None:
        return found
    nothing = Parameters(
        **{
            field: np.zeros(network.shapes.get(field, (0, 0)), held.dtype)
            for field in Parameters._fields
        }
    )
    expected = getattr(effective_weights(nothing, network), name)  # fixed weights alone
    fixed = connectivity.mask_fixed != 0
    absent = (connectivity.mask_plastic == 0) & ~fixed
    if (extra := absent & (held != 0)).any():
        found.append(f"{name} {_where(extra, held)} is not zero where no connection exists")
    if (moved := fixed & (held != expected)).any():
        found.append(
            f"{name} {_where(moved, held)} differs from its fixed weight "
            f"{expected[tuple(np.argwhere(moved)[0])]:g}"
        )
    return found


def _signs(name: str, network: NetworkConfig, dtype: np.dtype) -> np.ndarray:
    """+1 or -1 a column: of the presynaptic unit, which for Win is an input."""
    if network.ei is None or name == "Win":
        return np.ones(network.shapes[name][1], dtype)
    return network.ei.astype(dtype)


def _where(places: np.ndarray, held: np.ndarray) -> str:
    first = tuple(int(index) for index in np.argwhere(places)[0])
    more = f", the first of {places.sum()} entries," if places.sum() > 1 else ""
    return f"[{', '.join(map(str, first))}] = {held[first]:g}{more}"


# -- for other programs --------------------------------------------------------------------------


def exported(net: Any) -> dict[str, np.ndarray]:
    """Raw and effective arrays of a TrainingStep, a RateRNN, or any solver, by name."""
    if hasattr(net, "raw_values"):
        raw, effective = parameters_of(net), weights_of(net)
    elif hasattr(net, "parameters") and hasattr(net, "weights"):
        raw, effective = net.parameters, net.weights
    else:
        return net.state()
    return {
        f"{kind}.{name}": value
        for kind, held in (("raw", raw), ("effective", effective))
        for name, value in held._asdict().items()
        if value is not None
    }
