"""Optimisers of torch_dgr, and their state as named numpy arrays.

Stochastic gradient descent as pycog does it, over all trained (raw) parameters theta:

    gnorm = || g ||                                       one global norm, before clipping
    g    <- g max_gradient_norm / gnorm                   if gnorm > max_gradient_norm
    g    <- 0, and shrink * theta where a group has it    if gnorm is NaN, infinite or > 1e10
    theta <- theta - learning_rate g

A shrink of 0.02 on Wrec is pycog's way out of an explosion: smaller recurrent weights.
"""

import logging
import math
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import torch
from torch import nn

from torch_dgr.errors import SettingError, StateError

logger = logging.getLogger(__name__)


def adam(
    network: nn.Module, learning_rate: float, betas: tuple[float, float], epsilon: float = 1e-8
) -> torch.optim.Adam:
    """Return Adam over a network's parameters, one fused kernel a step (Kingma and Ba 2015)."""
    if not isinstance(learning_rate, (int, float)) or not 0 < learning_rate < math.inf:
        raise SettingError(f"learning_rate is {learning_rate!r}; give a finite number above 0")
    if np.shape(betas) != (2,) or not all(0 <= beta < 1 for beta in betas):
        raise SettingError(f"betas are {betas!r}; give two numbers in [0, 1)")
    return torch.optim.Adam(
        network.parameters(), lr=learning_rate, betas=betas, eps=epsilon, fused=True
    )


GNORM_LIMIT = 1e10  # beyond it a gradient is taken for an explosion


class ClippedSGD(torch.optim.Optimizer):
    """Gradient descent with a clipped global norm and a guard against explosions.

    params: parameters, or groups; a group may set 'shrink', the factor of theta that serves as
    its gradient when the guard steps in (0: the group rests). The first time it does is logged;
    `guarded` counts how often it did, and state_dict holds the count.
    """

    def __init__(
        self,
        params: Iterable,
        lr: float = 0.01,
        max_gradient_norm: float = 1.0,
        shrink: float = 0.0,
    ):
        if not lr >= 0:
            raise SettingError(f"lr is {lr!r}; give a number of at least 0")
        if not max_gradient_norm > 0:
            raise SettingError(f"max_gradient_norm is {max_gradient_norm!r}; give one above 0")
        self.max_gradient_norm = max_gradient_norm
        super().__init__(params, {"lr": lr, "shrink": shrink, "guarded": 0})

    @property
    def guarded(self) -> int:
        """Steps at which the guard stepped in."""
        return self.param_groups[0]["guarded"]

    @torch.no_grad()
    def step(self, closure: Callable[[], torch.Tensor] | None = None) -> float:
        """Update every parameter that has a gradient; return gnorm, the norm before clipping."""
        if closure is not None:
            with torch.enable_grad():
                closure()
        moving = [
            (parameter, group)
            for group in self.param_groups
            for parameter in group["params"]
            if parameter.grad is not None
        ]
        squares = [parameter.grad.square().sum() for parameter, _ in moving]
        gnorm = torch.stack(squares).sum().sqrt().item()
        exploded = not gnorm <= GNORM_LIMIT  # True for NaN
        if exploded and not self.guarded:
            logger.warning("gradient norm %s: %s; the guard steps in", gnorm, _first_bad(moving))
        self.param_groups[0]["guarded"] += exploded
        scale = self.max_gradient_norm / gnorm if gnorm > self.max_gradient_norm else 1.0
        for parameter, group in moving:
            if exploded:
                parameter.sub_(parameter * group["shrink"], alpha=group["lr"])
            else:
                parameter.sub_(parameter.grad * scale, alpha=group["lr"])
        return gnorm


def _first_bad(moving: list[tuple[torch.Tensor, dict]]) -> str:
    """Which gradient is the first that is not finite, in the order of the parameters."""
    for number, (parameter, _) in enumerate(moving):
        bad = torch.nonzero(~torch.isfinite(parameter.grad))
        if len(bad):
            return (
                f"the gradient of parameter {number}, shape {tuple(parameter.shape)}, is "
                f"{parameter.grad[tuple(bad[0])].item()} at {tuple(bad[0].tolist())}"
            )
    return "every gradient is finite, but together they are too large"


Parts = Mapping[str, tuple[nn.Module, torch.optim.Optimizer]]
MOMENTS = ("exp_avg", "exp_avg_sq", "step")


def numpy_state(parts: Parts) -> dict[str, np.ndarray]:
    """Return copies of every weight and Adam moment: 'part.weight' and 'part.adam.moment.weight'.

    Before the first step the moments are zeros: what Adam itself starts from.
    """
    return {name: tensor.detach().numpy().copy() for name, tensor in _named(parts).items()}


def load_numpy_state(parts: Parts, state: Mapping[str, np.ndarray]) -> None:
    """Copy a state of `numpy_state` into the networks and optimisers it describes.

    Raises StateError, and changes nothing, where a name is missing or foreign, or a shape differs.
    """
    tensors = _named(parts)
    if missing := sorted(tensors.keys() - state.keys()):
        raise StateError(
            f"the state lacks {missing[0]!r} (and {len(missing) - 1} more): "
            "it belongs to another kind of network"
        )
    if foreign := sorted(state.keys() - tensors.keys()):
        raise StateError(
            f"the state holds {foreign[0]!r} (and {len(foreign) - 1} more), unknown "
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


def _named(parts: Parts) -> dict[str, torch.Tensor]:
    """Return the live tensors by name; Adam's are made, at zero, where it has not stepped yet."""
    named: dict[str, torch.Tensor] = {}
    for part, (network, optimiser) in parts.items():
        for name, parameter in network.named_parameters():
            named[f"{part}.{name}"] = parameter
            moments = optimiser.state[parameter]
            for moment in MOMENTS:
                if moment not in moments:
                    scalar = moment == "step"
                    moments[moment] = torch.zeros(()) if scalar else torch.zeros_like(parameter)
                named[f"{part}.adam.{moment}.{name}"] = moments[moment]
    return named
