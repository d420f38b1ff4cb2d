"""Networks and their Adam moments as named numpy arrays, and back."""

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from torch_dgr.checks import LARGEST_SEED, checked_count
from torch_dgr.errors import SettingError, StateError, shown

__all__ = [
    "MOMENTS",
    "Parts",
    "adam",
    "denormals_flushed",
    "load_numpy_state",
    "numpy_state",
    "prefixed",
    "seeded",
    "take",
]


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw torch's random numbers from a seed within, and leave its global state as it was.

    That of the CPU alone: networks draw their first weights there, whatever device they move to.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(checked_count(seed, "seed", 0, LARGEST_SEED))
        yield


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """Compute with 0 in place of numbers below 1e-38 within, on this thread.

    Once all classes of a context are known, gradients vanish over the steps of a recurrence into
    such numbers, with which a processor takes many times as long; no weight depends on them.
    """
    before = (torch.tensor(2e-38) * 0.1).item() == 0
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def adam(
    network: nn.Module, learning_rate: float, betas: tuple[float, float], epsilon: float = 1e-8
) -> torch.optim.Adam:
    """Return Adam over a network's parameters, one fused kernel a step (Kingma and Ba 2015)."""
    if not isinstance(learning_rate, (int, float)) or not 0 < learning_rate < math.inf:
        raise SettingError(f"learning_rate is {shown(learning_rate)}; give a finite number above 0")
    if np.shape(betas) != (2,) or not all(0 <= beta < 1 for beta in betas):
        raise SettingError(f"betas are {shown(betas)}; give two numbers in [0, 1)")
    return torch.optim.Adam(
        network.parameters(), lr=learning_rate, betas=betas, eps=epsilon, fused=True
    )


Parts = Mapping[str, tuple[nn.Module, torch.optim.Optimizer | None]]
"""Networks by name, each with the Adam that trains it, or None."""

MOMENTS = ("exp_avg", "exp_avg_sq", "step")


def numpy_state(parts: Parts) -> dict[str, np.ndarray]:
    """Return copies of every weight and Adam moment: 'part.weight' and 'part.adam.moment.weight'.

    Before the first step the moments are zeros: what Adam itself starts from.
    """
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in _named(parts).items()}


def load_numpy_state(parts: Parts, state: Mapping[str, np.ndarray]) -> None:
    """Copy a state of `numpy_state` into the networks and optimisers it describes.

    Raises StateError, and changes nothing, where a name is missing or foreign, or a shape differs.
    """
    tensors = _named(parts)
    if missing := sorted(tensors.keys() - state.keys()):
        raise StateError(
            f"the state lacks {shown(missing[0])} (and {len(missing) - 1} more): "
            "it belongs to another kind of network"
        )
    if foreign := sorted(state.keys() - tensors.keys()):
        raise StateError(
            f"the state holds {shown(foreign[0])} (and {len(foreign) - 1} more), unknown "
            "here: it belongs to another kind of network"
        )
    for name, tensor in tensors.items():
        value = np.asarray(state[name])
        if value.shape != tuple(tensor.shape) or value.dtype.kind != "f":
            raise StateError(
                f"{name} has shape {value.shape} and dtype {value.dtype}; this network holds "
                f"floating-point numbers of shape {tuple(tensor.shape)}: build it with the "
                "sizes that the state was saved with"
            )
        if not np.isfinite(value).all():
            raise StateError(f"{name} holds NaN or infinity; load an earlier state")
    with torch.no_grad():
        for name, tensor in tensors.items():
            tensor.copy_(torch.from_numpy(np.array(state[name])))


def prefixed(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return copies of arrays by the names 'prefix.name'; `take` is the way back."""
    return {f"{prefix}.{name}": array.copy() for name, array in arrays.items()}


def take(state: dict[str, np.ndarray], prefix: str, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Remove 'prefix.name' from a state and return it as 'name'; StateError where it lacks one."""
    missing = [name for name in names if f"{prefix}.{name}" not in state]
    if missing:
        raise StateError(
            f"the state lacks '{prefix}.{missing[0]}': it belongs to another kind of network"
        )
    return {name: state.pop(f"{prefix}.{name}") for name in names}


def _named(parts: Parts) -> dict[str, torch.Tensor]:
    """Return the live tensors by name; Adam's are made, at zero, where it has not stepped yet."""
    named: dict[str, torch.Tensor] = {}
    for part, (network, optimiser) in parts.items():
        for name, parameter in network.named_parameters():
            named[f"{part}.{name}"] = parameter
            if optimiser is None:
                continue
            moments = optimiser.state[parameter]
            for moment in MOMENTS:
                if moment not in moments:
                    like = parameter.detach() if moment != "step" else parameter.detach().sum()
                    moments[moment] = torch.zeros_like(like)
                named[f"{part}.adam.{moment}.{name}"] = moments[moment]
    return named
