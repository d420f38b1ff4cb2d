"""Masks and Dale's law: how a trained raw matrix becomes the effective one of the equations.

    M = plastic * W + fixed
    W_effective = pos(M) * signs        with Dale's law, signs of the columns (presynaptic units)
                = M                     without

Source: Song, Yang and Wang 2016, eqs 9-18; pos is rectification or the absolute value.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from torch_dgr.rate_rnn.activations import POSITIVE


class Masks(NamedTuple):
    """Where a matrix is trained (1) or not (0), and the weights that are fixed elsewhere."""

    plastic: np.ndarray
    fixed: np.ndarray


class Constraint(nn.Module):
    """Parametrisation raw -> effective of one matrix: masks, then Dale's law.

    signs: of the columns, (presynaptic,), or None without Dale.
    """

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
            if places.any():
                row, column = (int(index) for index in places.nonzero()[0])
                found.append(
                    f"{int(places.sum())} entries {words}, the first at "
                    f"[{row}, {column}]: {effective[row, column].item():g}"
                )
        return found
