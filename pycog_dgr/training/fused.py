"""The training step as a few passes through kernels, without PyTensor's graph.

    W     = pos(plastic * raw + fixed) * column                    effective weights, as in network/
    g     = d loss / d raw,   Wrec's plus lambda_Omega d Omega / d Wrec
    gnorm = one norm of g over all trained parameters, before clipping
    raw   <- raw - step of the optimiser on the clipped and guarded g

It serves what most networks are trained on: the losses of the output activations, Omega with one
alpha for all units, SGD and Adam. The definition of everything here is the graph of
symbolic/step_graph.py, which computes all else, and to which this is equal by test.

| symbol         | name                                              | shape                | unit |
|----------------|---------------------------------------------------|----------------------|------|
| raw, W         | raw and effective weights                         | (post, pre)          | 1    |
| plastic, fixed | 1 where raw is trained; weights that never move   | (post, pre)          | 1    |
| column         | ei, or 1 without Dale's law, times a dropout mask | (pre,)               | 1    |
| pos            | 0.5 (x + |x|), |x|, or x without Dale's law       |                      |      |
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.config import Connectivity, NetworkConfig, TrainingConfig
from pycog_dgr.data import Batch
from pycog_dgr.kernels import (
    Kernels,
    Readout,
    Recurrence,
    Regulariser,
    Rows,
    Trajectory,
    rows,
)
from pycog_dgr.symbolic.objective import Penalty
from pycog_dgr.symbolic.optimisers import LARGEST_NORM, SGD, SHRINK_WREC, Adam

Arrays = dict[str, NDArray]


def can_fuse(
    network: NetworkConfig, training: TrainingConfig, penalties: Sequence[Penalty]
) -> bool:
    """Whether kernels can do the whole step, by SGD or Adam."""
    one_alpha = not (np.ndim(network.tau) or network.train_tau)
    return training.loss is None and not penalties and network.Nout > 0 and one_alpha


class Dale(NamedTuple):
    """How one matrix of raw weights becomes effective ones; see the module's table."""

    plastic: NDArray | None  # None: all of them, and nothing fixed
    fixed: NDArray | None
    column: NDArray | None  # None: 1
    positive: str | None  # 'rectify' or 'abs'; None without Dale's law

    def masked(self, raw: NDArray) -> NDArray:
        if self.plastic is None:
            return raw
        return self.plastic * raw + self.fixed

    def effective(self, raw: NDArray) -> NDArray:
        W = self.masked(raw)
        if self.positive is not None:
            W = np.maximum(W, 0) if self.positive == "rectify" else np.abs(W)
        return W if self.column is None else W * self.column

    def gradient(self, raw: NDArray, g: NDArray) -> NDArray:
        """The derivative with respect to raw weights from `g`, that to the effective ones."""
        if self.column is not None:
            g = g * self.column
        if self.positive == "rectify":
            g = g * np.heaviside(self.masked(raw), g.dtype.type(0.5))
        elif self.positive == "abs":
            g = g * np.sign(self.masked(raw))
        return g if self.plastic is None else g * self.plastic


class Workspace(NamedTuple):
    """Arrays of one batch size that every update writes again."""

    trajectory: Trajectory
    gr: NDArray  # (time, trial, N)
    q_term: NDArray  # (time - 1, trial, N)


class FusedStep:
    """Updates and evaluations of one network.

    raw, moments   by name, changed in place by `update`: raw parameters; what the optimiser keeps
    """

    def __init__(
        self,
        network: NetworkConfig,
        training: TrainingConfig,
        optimiser: SGD | Adam,
        kernels: Kernels,
        dtype: str,
    ) -> None:
        self.network = network
        self.training = training
        self.optimiser = optimiser
        self.kernels = kernels
        self.regulariser = Regulariser(training.lambda_Omega, training.bound)
        self.alpha = np.broadcast_to(np.asarray(network.alpha, dtype), network.N).copy()
        self.dale = {
            name: dale_of(network, connectivity, name != "Win", dtype)
            for name, connectivity in (
                ("Win", network.Cin),
                ("Wrec", network.Crec),
                ("Wout", network.Cout),
            )
            if name in network.shapes
        }
        self._space: Workspace | None = None

    def update(
        self, raw: Arrays, moments: Arrays, batch: Batch, dropout_mask: NDArray | None = None
    ) -> tuple[float, float, float, float]:
        """Loss, gnorm, Omega and nelems of a batch, as seen before the parameters change."""
        dale = self.dale
        if dropout_mask is not None:
            dale = dale | {"Wrec": with_dropout(dale["Wrec"], dropout_mask)}
        recurrence, readout = self._network(raw, dale)
        space = self._workspace(batch)
        kernels, (inputs, targets, mask, noise) = self.kernels, plain(*batch)

        trajectory = kernels.forward(recurrence, inputs, noise, space.trajectory)
        loss = kernels.loss_gradient(readout, trajectory.r, targets, mask, space.gr)
        back = kernels.backward_with_omega(
            recurrence, inputs, trajectory, loss.gr, self.regulariser, space.q_term
        )
        with_respect_to = {**back._asdict(), "Wout": loss.Wout, "bout": loss.bout}
        g = {
            name: dale[name].gradient(raw[name], with_respect_to[name])
            if name in dale
            else with_respect_to[name]
            for name in self.network.trained
        }
        gnorm = global_norm(g)
        self._descend(raw, moments, self._guarded(raw, g, gnorm))
        return loss.loss, float(gnorm), back.Omega, back.nelems

    def evaluate(self, raw: Arrays, batch: Batch) -> tuple[float, float, NDArray]:
        """Loss, root-mean-square error and z (time, trial, Nout)."""
        recurrence, readout = self._network(raw, self.dale)
        inputs, targets, mask, noise = plain(*batch)
        n_time, n_trial, _ = noise.shape
        start = np.tile(recurrence.x0, (n_trial, 1))
        places = Rows.of_batch(n_time, n_trial)
        a = self.kernels.run(recurrence, readout, places, rows(inputs), rows(noise), start)
        found = self.kernels.outputs(readout.activation, a.reshape(targets.shape), targets, mask)
        total = np.sum(mask, dtype=np.float64)
        return float(found.loss / total), float(np.sqrt(found.squared_error / total)), found.z

    # --- parts ----------------------------------------------------------------------------------

    def _network(self, raw: Arrays, dale: Mapping[str, Dale]) -> tuple[Recurrence, Readout]:
        W = {name: one.effective(raw[name]) for name, one in dale.items()}
        N, activation = self.network.N, self.network.hidden_activation
        Win = W.get("Win", np.zeros((N, 0), self.alpha.dtype))
        recurrence = Recurrence(Win, W["Wrec"], raw["brec"], raw["x0"], self.alpha, activation)
        return recurrence, Readout(W["Wout"], raw["bout"], self.network.output_activation)

    def _workspace(self, batch: Batch) -> Workspace:
        if self._space is None or self._space.trajectory.x.shape != batch.noise.shape:
            like = np.empty(batch.noise.shape, self.alpha.dtype)
            self._space = Workspace(Trajectory.empty(like), like, np.empty_like(like[1:]))
        return self._space

    def _guarded(self, raw: Arrays, g: Arrays, gnorm: np.floating) -> Arrays:
        """Clipped to the largest norm; of a norm that is unsound, only a little of Wrec."""
        if not 0 <= gnorm <= LARGEST_NORM:  # NaN too
            return {
                name: SHRINK_WREC * raw[name] if name == "Wrec" else np.zeros_like(one)
                for name, one in g.items()
            }
        limit = self.training.max_gradient_norm
        if gnorm > limit:
            scale = gnorm.dtype.type(limit) / gnorm
            return {name: one * scale for name, one in g.items()}
        return g

    def _descend(self, raw: Arrays, moments: Arrays, g: Arrays) -> None:
        dtype = self.alpha.dtype.type
        if isinstance(self.optimiser, SGD):
            for name, one in g.items():
                raw[name] -= dtype(self.optimiser.learning_rate) * one
            return
        learning_rate, beta1, beta2, epsilon = map(dtype, dataclasses.astuple(self.optimiser))
        one = dtype(1)
        moments["adam_count"] += one
        t = moments["adam_count"]
        rate, unbiased = learning_rate / (one - beta1**t), one - beta2**t
        for name, gradient in g.items():
            m, v = moments[f"adam_mean_{name}"], moments[f"adam_square_{name}"]
            m[...] = beta1 * m + (one - beta1) * gradient
            v[...] = beta2 * v + (one - beta2) * gradient**2
            raw[name] -= rate * m / (np.sqrt(v / unbiased) + epsilon)


def dale_of(
    network: NetworkConfig, connectivity: Connectivity | None, is_presynaptic: bool, dtype: str
) -> Dale:
    """`is_presynaptic`: whether the columns are units of the network, and so have a sign."""
    ei = network.ei
    return Dale(
        plastic=None if connectivity is None else connectivity.mask_plastic.astype(dtype),
        fixed=None if connectivity is None else connectivity.mask_fixed.astype(dtype),
        column=None if ei is None or not is_presynaptic else ei.astype(dtype),
        positive=None if ei is None else network.ei_positive_func,
    )


def plain(*arrays: NDArray) -> list[NDArray]:
    """Arrays in C order that may be written, the one kind that the kernels are compiled for."""
    return [np.require(array, requirements=["C", "W"]) for array in arrays]


def with_dropout(dale: Dale, mask: NDArray) -> Dale:
    return dale._replace(column=mask if dale.column is None else dale.column * mask)


def global_norm(g: Arrays) -> np.floating:
    """One Euclidean norm over all parameters, in their number type."""
    dtype = next(iter(g.values())).dtype.type
    return dtype(np.sqrt(sum(np.sum(np.square(one), dtype=np.float64) for one in g.values())))
