"""Optimisers of the rate network over its raw parameters theta, as pycog_dgr has them.

    gnorm = || g ||                                       one global norm, before clipping
    g    <- g max_gradient_norm / gnorm                   if gnorm > max_gradient_norm
    g    <- 0, and shrink * theta where a group has it    if gnorm is NaN, infinite or > 1e10

    ClippedSGD     theta <- theta - learning_rate g
    ProjectedAdam  theta <- theta - learning_rate(step) Adam's direction of g
                   W     <- max(W, floor)                 raw matrices of groups that have a floor

A shrink of 0.02 on Wrec is pycog's way out of an explosion: smaller recurrent weights. The floor
keeps a weight that Dale's law has pushed to 0 within reach of its gradient. Adam: Kingma and Ba
2015.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any

import torch

from torch_dgr.checks import checked_count, checked_number, named
from torch_dgr.errors import SettingError, shown
from torch_dgr.schedules import SCHEDULES

__all__ = ["ClippedSGD", "ProjectedAdam"]

logger = logging.getLogger(__name__)


GNORM_LIMIT = 1e10  # beyond it a gradient is taken for an explosion


class ClippedSGD(torch.optim.Optimizer):
    """Gradient descent with a clipped global norm and a guard against explosions.

    Parameters
    ----------
    params
        Parameters, or groups; a group may set 'shrink', the factor of theta that serves as its
        gradient when gradients explode (0: the group rests).
    lr
        Learning rate.
    max_gradient_norm
        To which a longer gradient is scaled.
    shrink
        Of groups that set none of their own.

    Raises
    ------
    SettingError
        A number out of its range.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 0.01,
        max_gradient_norm: float = 1.0,
        shrink: float = 0.0,
    ):
        if not lr >= 0:
            raise SettingError(f"lr is {shown(lr)}; give a number of at least 0")
        if not max_gradient_norm > 0:
            raise SettingError(f"max_gradient_norm is {shown(max_gradient_norm)}; give one above 0")
        self.max_gradient_norm = max_gradient_norm
        super().__init__(params, {"lr": lr, "shrink": shrink, "skipped": 0})

    @property
    def skipped(self) -> int:
        """Updates that were not followed since their gradient exploded; state_dict holds it."""
        return self.param_groups[0]["skipped"]

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> float:  # type: ignore[override]
        """Update every parameter that has a gradient; return gnorm, the norm before clipping."""
        if closure is not None:
            with torch.enable_grad():
                closure()
        gnorm = limit_gradients(self, self.max_gradient_norm)
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.sub_(parameter.grad, alpha=group["lr"])
        return gnorm


class ProjectedAdam(torch.optim.Adam):
    """Adam with a clipped global norm, a learning rate's course, and matrices kept positive.

    Parameters
    ----------
    params
        Parameters, or groups; a group may set 'shrink' (`ClippedSGD`) and 'floor', below which
        its parameters are not let.
    lr, betas, eps
        Of Adam.
    schedule, steps
        The name of a schedule (schedules.SCHEDULES) and the number of updates it runs over.
    max_gradient_norm
        To which a longer gradient is scaled.

    Raises
    ------
    SettingError
        A number or name that is none, or more updates than `steps`.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        *,
        schedule: str = "constant",
        steps: int | None = None,
        max_gradient_norm: float = 1.0,
    ):
        self.schedule = named(SCHEDULES, schedule, "schedule")
        if schedule != "constant":
            checked_count(steps if steps is not None else 0, "steps")
        self.peak = checked_number(lr, "lr")
        self.steps = steps
        self.max_gradient_norm = checked_number(max_gradient_norm, "max_gradient_norm", above=0)
        super().__init__(params, lr, betas, eps)
        for group in self.param_groups:
            group.setdefault("shrink", 0.0)
            group.setdefault("floor", None)
        self.param_groups[0].update(skipped=0, done=0)

    @property
    def skipped(self) -> int:
        """Updates whose gradient exploded; state_dict holds it."""
        return self.param_groups[0]["skipped"]

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> float:  # type: ignore[override]
        """Update every parameter that has a gradient; return gnorm, the norm before clipping."""
        if closure is not None:
            with torch.enable_grad():
                closure()
        first = self.param_groups[0]
        if self.steps is not None and first["done"] >= self.steps:
            raise SettingError(
                f"the schedule ran over its {self.steps} steps; give as many steps as updates"
            )
        gnorm = limit_gradients(self, self.max_gradient_norm)
        for group in self.param_groups:
            group["lr"] = self.peak * self.schedule(first["done"], self.steps or 1)
        super().step()
        first["done"] += 1
        for group in self.param_groups:
            for parameter in group["params"] if group["floor"] is not None else ():
                parameter.clamp_(min=group["floor"])
        return gnorm


def limit_gradients(optimiser: torch.optim.Optimizer, max_norm: float) -> float:
    """Clip all gradients together, or put those of an explosion out; return the norm before.

    The first explosion is logged, and each is counted under 'skipped' of the first group.
    """
    moving = [
        (parameter, group["shrink"])
        for group in optimiser.param_groups
        for parameter in group["params"]
        if parameter.grad is not None
    ]
    squares = [parameter.grad.square().sum() for parameter, _ in moving]
    gnorm = torch.stack(squares).sum().sqrt().item()
    first = optimiser.param_groups[0]
    if not gnorm <= GNORM_LIMIT:  # True for NaN
        if not first["skipped"]:
            gradients = [parameter.grad for parameter, _ in moving]
            logger.warning("gradient norm %s: %s; update skipped", gnorm, _first_bad(gradients))
        first["skipped"] += 1
        for parameter, shrink in moving:
            parameter.grad = parameter * shrink
    elif gnorm > max_norm:
        for parameter, _ in moving:
            parameter.grad = parameter.grad * (max_norm / gnorm)
    return gnorm


def _first_bad(gradients: list[torch.Tensor]) -> str:
    """Say which gradient is the first that is not finite, in the order of the parameters."""
    for number, gradient in enumerate(gradients):
        bad = torch.nonzero(~torch.isfinite(gradient))
        if len(bad):
            place = tuple(int(index) for index in bad[0])
            return (
                f"the gradient of parameter {number}, shape {tuple(gradient.shape)}, is "
                f"{gradient[place].item()} at {place}"
            )
    return "every gradient is finite, but together they are too large"
