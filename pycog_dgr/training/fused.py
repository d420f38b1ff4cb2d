"""The training step as a few passes through kernels, without PyTensor's graph.

    W     = pos(plastic * raw + fixed) * column                    effective weights, as in network/
    alpha = dt / tau,  where tau is trained alpha_min + (alpha_max - alpha_min) sigmoid(alpha_logit)
    g     = d loss / d raw,   Wrec's plus lambda_Omega d Omega / d Wrec
    raw   <- raw - step of the optimiser on the clipped and guarded g          descent.py

It serves what most networks are trained on, the losses of the output activations and Omega. The
definition of everything here is the graph of symbolic/step_graph.py, which computes all else, and
to which this is equal by test.

| symbol         | name                                              | shape                | unit |
|----------------|---------------------------------------------------|----------------------|------|
| raw, W         | raw and effective weights                         | (post, pre)          | 1    |
| plastic, fixed | 1 where raw is trained; weights that never move   | (post, pre)          | 1    |
| column         | ei, or 1 without Dale's law, times a dropout mask | (pre,)               | 1    |
| pos            | 0.5 (x + |x|), |x|, or x without Dale's law       |                      |      |
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.config import Connectivity, NetworkConfig, TrainingConfig
from pycog_dgr.data import Batch, NoiseOnDemand
from pycog_dgr.kernels import (
    Dale,
    Kernels,
    Readout,
    Recurrence,
    Regulariser,
    Rows,
    rows,
    sigmoid,
)
from pycog_dgr.network import trained_tau
from pycog_dgr.symbolic.objective import Penalty

Arrays = dict[str, NDArray]
AT_ONCE = 32  # trials whose noise is drawn on demand
FEWEST = 8  # of them that are not left for last


def can_fuse(
    network: NetworkConfig, training: TrainingConfig, penalties: Sequence[Penalty]
) -> bool:
    """Whether kernels can do the whole step, from the batch to the gradients."""
    return training.loss is None and not penalties and network.Nout > 0


class FusedStep:
    """Updates and evaluations of one network, whose raw parameters are given by name."""

    def __init__(
        self,
        network: NetworkConfig,
        training: TrainingConfig,
        kernels: Kernels,
        dtype: str,
    ) -> None:
        self.network = network
        self.training = training
        self.kernels = kernels
        self.regulariser = Regulariser(training.lambda_Omega, training.bound)
        self.dtype = np.dtype(dtype)
        self.trained = network.trained
        self.dale = {
            name: dale_of(network, connectivity, network.shapes[name], name != "Win", dtype)
            for name, connectivity in (
                ("Win", network.Cin),
                ("Wrec", network.Crec),
                ("Wout", network.Cout),
            )
            if name in network.shapes
        }
        Wrec = self.dale["Wrec"]
        self.connections = kernels.connections((Wrec.plastic != 0) | (Wrec.fixed != 0))
        self._no_inputs = np.zeros((network.N, 0), dtype)
        self._kept: dict[str, NDArray] = {}

    def update(
        self,
        raw: Arrays,
        batch: Batch,
        descend: Callable[[Arrays], float],
        dropout_mask: NDArray | None = None,
    ) -> tuple[float, float, float, float]:
        """Loss, gnorm, Omega and nelems of a batch, as seen before the parameters change.

        `descend` changes them, by the gradients that it is given, and returns gnorm.
        """
        dale = self.dale
        if dropout_mask is not None:
            dale = dale | {"Wrec": with_dropout(dale["Wrec"], dropout_mask)}
        recurrence, readout = self._network(raw, dale)
        inputs, targets, mask, noise = plain(*batch)
        found = self.kernels.gradients(
            recurrence, readout, inputs, targets, mask, noise, self.regulariser,
            self.network.train_tau, self._kept,
        )  # fmt: skip
        g = found._asdict()
        for name, one in dale.items():
            self.kernels.raw_gradient(one, raw[name], g[name])
        if found.alpha is not None:
            g["alpha_logit"] = found.alpha * self._alpha_slope(raw["alpha_logit"])
        gnorm = descend({name: g[name] for name in self.trained})
        return found.loss, gnorm, found.Omega, found.nelems

    def evaluate(self, raw: Arrays, batch: Batch) -> tuple[float, float, NDArray]:
        """Loss, root-mean-square error and z (time, trial, Nout)."""
        recurrence, readout = self._network(raw, self.dale)
        targets, mask = plain(batch.targets, batch.mask)
        a = np.empty(targets.shape, self.dtype)
        for some in parts_of(batch.noise):
            inputs, noise = plain(batch.inputs[:, some], batch.noise[:, some])
            n_time, n_trial, _ = noise.shape
            start = np.tile(recurrence.x0, (n_trial, 1))
            places = Rows.of_batch(n_time, n_trial)
            own = self.kernels.run(recurrence, readout, places, rows(inputs), rows(noise), start)
            a[:, some] = own.reshape(n_time, n_trial, -1)
        found = self.kernels.outputs(readout.activation, a, targets, mask)
        total = np.sum(mask, dtype=np.float64)
        return float(found.loss / total), float(np.sqrt(found.squared_error / total)), found.z

    # --- parts ----------------------------------------------------------------------------------

    def _network(self, raw: Arrays, dale: Mapping[str, Dale]) -> tuple[Recurrence, Readout]:
        W = {name: self.kernels.effective(one, raw[name]) for name, one in dale.items()}
        alpha, activation = self._alpha(raw), self.network.hidden_activation
        recurrence = Recurrence(
            W.get("Win", self._no_inputs),
            W["Wrec"],
            raw["brec"],
            raw["x0"],
            alpha,
            activation,
            self.connections,
        )
        return recurrence, Readout(W["Wout"], raw["bout"], self.network.output_activation)

    def _alpha(self, raw: Arrays) -> NDArray:
        """The ratio dt / tau (N,), with the rounding of symbolic/scan.py."""
        if self.network.train_tau:
            return self._dt / trained_tau(raw["alpha_logit"], self.network)
        return self._alpha_given

    @cached_property
    def _alpha_given(self) -> NDArray:
        """The ratio of the settings, where time constants are not trained."""
        network = self.network
        if np.ndim(network.tau):
            return self._dt / np.asarray(network.tau, self.dtype)
        return np.full(network.N, network.alpha, self.dtype)

    @property
    def _dt(self) -> np.floating:
        return self.dtype.type(self.network.dt)

    def _alpha_slope(self, alpha_logit: NDArray) -> NDArray:
        """d alpha / d alpha_logit (N,)."""
        alpha_min, alpha_max = self.network.alpha_bounds
        share = sigmoid(alpha_logit)
        return (alpha_max - alpha_min) * share * (1 - share)


def dale_of(
    network: NetworkConfig,
    connectivity: Connectivity | None,
    shape: tuple[int, ...],
    is_presynaptic: bool,
    dtype: str,
) -> Dale:
    """`is_presynaptic`: whether the columns are units of the network, and so have a sign."""
    ei, fixed = network.ei, np.zeros((1, 1))
    plastic = np.ones(shape, bool)
    if connectivity is not None:
        plastic = connectivity.mask_plastic != 0
        if connectivity.mask_fixed.any():
            fixed = connectivity.mask_fixed
    return Dale(
        plastic=plastic,
        fixed=fixed.astype(dtype),
        column=np.ones(shape[1], dtype) if ei is None or not is_presynaptic else ei.astype(dtype),
        positive=None if ei is None else network.ei_positive_func,
    )


def parts_of(noise: NDArray | NoiseOnDemand) -> list[slice]:
    """The trials that a network runs at once: all, but of noise that is drawn on demand some."""
    n_trial = noise.shape[1]
    if not isinstance(noise, NoiseOnDemand):
        return [slice(n_trial)]
    begins = range(0, max(n_trial - FEWEST, 1), AT_ONCE)
    return [slice(*ends) for ends in itertools.pairwise([*begins, n_trial])]


def plain(*arrays: Any) -> list[NDArray]:
    """Arrays in C order that may be written, the one kind that the kernels are compiled for."""
    return [
        array if (flags := array.flags).c_contiguous and flags.writeable
        else np.require(array, requirements=["C", "W"])
        for array in arrays
    ]  # fmt: skip


def with_dropout(dale: Dale, mask: NDArray) -> Dale:
    return dale._replace(column=dale.column * mask)
