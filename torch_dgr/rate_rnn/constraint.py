"""How raw, trained parameters become the effective values of the equations.

    M           = plastic * W + fixed
    W_effective = pos(M) * signs     with Dale's law, signs of the columns (presynaptic units)
                = M                  without

    tau         = dt / (alpha_min + (alpha_max - alpha_min) s(alpha_logit)),    not below its bound
    alpha       = dt / tau,    alpha_min = dt / high,    alpha_max = dt / low

Signs are ei (+1 or -1) for Wrec and Wout, and +1 for Win; pos is rectification or the absolute
value; s is the logistic function. Source: Song, Yang and Wang 2016, eqs. 12-16.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from torch_dgr.rate_rnn.activations import POSITIVE

__all__ = [
    "BoundedAlpha",
    "Constraint",
    "Masks",
]


class Masks(NamedTuple):
    """Where a matrix is trained (1) or not (0), and the weights that are fixed elsewhere."""

    plastic: np.ndarray
    fixed: np.ndarray


class Constraint(nn.Module):
    """Parametrisation raw -> effective of one matrix: masks, then Dale's law.

    signs: of the columns, (presynaptic,), or None without Dale.
    """

    plastic: Tensor
    fixed: Tensor
    signs: Tensor | None

    def __init__(self, masks: Masks, signs: Tensor | None, positive: str):
        super().__init__()
        self.positive = positive
        self.register_buffer("plastic", torch.tensor(masks.plastic))
        self.register_buffer("fixed", torch.tensor(masks.fixed))
        self.register_buffer("signs", signs)

    def forward(self, raw: Tensor) -> Tensor:
        """Return the effective matrix."""
        masked = self.plastic * raw + self.fixed
        if self.signs is None:
            return masked
        return POSITIVE[self.positive](masked) * self.signs

    def right_inverse(self, effective: Tensor) -> Tensor:
        """Return a raw matrix that leads to an effective one: what assigning to it stores."""
        raw = effective if self.signs is None else effective * self.signs
        return self.plastic * raw

    def violations(self, effective: Tensor, tolerance: float = 0.0) -> list[str]:
        """Say, in words, which entries of an effective matrix break the constraint."""
        found = []
        broken = {
            "not finite": ~torch.isfinite(effective),
            "non-zero where no connection exists": (
                (self.plastic == 0) & (self.fixed == 0) & (effective.abs() > tolerance)
            ),
            "fixed weights moved": (
                (self.fixed != 0)
                & ((effective - self.forward(torch.zeros_like(effective))).abs() > tolerance)
            ),
        }
        if self.signs is not None:
            broken["against the sign of its unit"] = effective * self.signs < -tolerance
        for words, places in broken.items():
            found += _told(words, places, effective)
        return found


class BoundedAlpha(nn.Module):
    """Parametrisation alpha_logit -> alpha = dt / tau, one per unit; tau between bounds, in ms."""

    def __init__(self, dt: float, bounds: tuple[float, float]):
        super().__init__()
        self.dt = dt
        self.low, self.high = bounds

    def tau(self, logit: Tensor) -> Tensor:
        """Return the time constants (N,), ms."""
        smallest, largest = self.dt / self.high, self.dt / self.low
        alpha = smallest + (largest - smallest) * torch.sigmoid(logit)
        return (self.dt / alpha).clamp(min=self.low)  # rounding alone could leave the bound

    def forward(self, logit: Tensor) -> Tensor:
        """Return alpha (N,)."""
        return self.dt / self.tau(logit)

    def right_inverse(self, alpha: Tensor) -> Tensor:
        """Return the logit that leads to alpha: what assigning to it stores."""
        with np.errstate(divide="ignore"):  # at a bound the logit is infinite
            logit = self.logit_of(self.dt / alpha.detach().cpu().numpy())
        return torch.as_tensor(logit).to(alpha)

    def logit_of(self, tau: np.ndarray) -> np.ndarray:
        """Return the raw values of time constants (N,), ms, that lie within the bounds."""
        smallest, largest = self.dt / self.high, self.dt / self.low
        share = (self.dt / tau - smallest) / (largest - smallest)
        return np.log(share) - np.log1p(-share)

    def violations(self, tau: Tensor) -> list[str]:
        """Say, in words, which time constants leave the bounds by more than rounding."""
        slack = 1 + 4 * torch.finfo(tau.dtype).eps
        broken = {
            "not finite": ~torch.isfinite(tau),
            f"outside {self.low:g} to {self.high:g} ms": (
                (tau * slack < self.low) | (tau > self.high * slack)
            ),
        }
        return [told for words, places in broken.items() for told in _told(words, places, tau)]


def _told(words: str, places: Tensor, values: Tensor) -> list[str]:
    """Say how many entries are so, and which is the first; nothing where there is none."""
    if not places.any():
        return []
    first = tuple(int(index) for index in places.nonzero()[0])
    where = ", ".join(map(str, first))
    return [
        f"{int(places.sum())} entries {words}, the first at [{where}]: {values[first].item():g}"
    ]
