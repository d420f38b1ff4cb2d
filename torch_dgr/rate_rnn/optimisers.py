"""Stochastic gradient descent as pycog does it, over all trained (raw) parameters.

    gnorm = || g ||                                       one global norm, before clipping
    g    <- g max_gradient_norm / gnorm                   if gnorm > max_gradient_norm
    g    <- 0, and shrink * theta where a group has it    if gnorm is NaN, infinite or > 1e10
    theta <- theta - learning_rate g

A shrink of 0.02 on Wrec is pycog's way out of an explosion: smaller recurrent weights.
"""

import logging
from collections.abc import Callable, Iterable

import torch

from torch_dgr.errors import SettingError

logger = logging.getLogger(__name__)


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
