"""Synaptic intelligence: how much each parameter's movement has lowered the loss so far.

    P_i <- P_i - g_i (theta_i' - theta_i)        at every update from theta to theta'

Zenke, Poole and Ganguli, ICML (2017). g is the gradient that the optimiser was given: of the whole
loss, penalties included, after clipping. The importance of a parameter for a task is what P_i
gained within the task over the squared way that it went.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from torch_dgr.errors import StateError
from torch_dgr.ewc import trained

__all__ = ["PathIntegral"]


class PathIntegral:
    """P of every parameter that is trained, kept by watching an optimiser's steps.

    Parameters
    ----------
    network
        The module that the optimiser trains.
    """

    def __init__(self, network: nn.Module):
        self._parameters = trained(network)
        self._sums = {name: torch.zeros_like(theta) for name, theta in self._parameters.items()}
        self._before: dict[str, Tensor] = {}

    def watch(self, optimiser: torch.optim.Optimizer) -> None:
        """Go on with every step of `optimiser`, which trains the network.

        Parameters
        ----------
        optimiser
            Any; it is not changed.
        """
        optimiser.register_step_pre_hook(self._begin)
        optimiser.register_step_post_hook(self._end)

    def _begin(self, *_: Any) -> None:
        self._before = {name: theta.detach().clone() for name, theta in self._parameters.items()}

    def _end(self, *_: Any) -> None:
        for name, theta in self._parameters.items():
            if theta.grad is not None:
                self._sums[name] -= theta.grad * (theta.detach() - self._before[name])

    def arrays(self) -> dict[str, np.ndarray]:
        """Copies of P by parameter name.

        Returns
        -------
        dict
            Name -> array of the parameter's shape.
        """
        return {name: held.cpu().numpy().copy() for name, held in self._sums.items()}

    def load(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on from what `arrays` returned.

        Parameters
        ----------
        arrays
            Name -> P.

        Raises
        ------
        StateError
            Names or shapes that are not this network's; nothing is changed then.
        """
        for name, held in self._sums.items():
            shape = np.shape(arrays[name]) if name in arrays else None
            if shape != tuple(held.shape):
                raise StateError(
                    f"the path integral of {name} has shape {shape}, expected {tuple(held.shape)}: "
                    "it belongs to another network"
                )
        for name, held in self._sums.items():
            held.copy_(torch.as_tensor(np.asarray(arrays[name])).to(held))
