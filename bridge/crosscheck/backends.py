"""The biological network in numpy, PyTensor and torch behind one face, for the cross-check.

Each backend is started from the same raw parameters and tells of a batch what it can, by name:

| quantity             | shape                  | numpy | PyTensor | torch |
|----------------------|------------------------|-------|----------|-------|
| Win, Wrec, Wout, tau | effective values       | yes   | yes      | yes   |
| x, r                 | (time, trial, N)       | yes   | yes      | yes   |
| z                    | (time, trial, Nout)    | yes   | yes      | yes   |
| loss, error          | ()                     | yes   | yes      | yes   |
| D                    | (time, trial, N)       |       | yes      | yes   |
| grad NAME            | as the parameter       |       | yes      | yes   |
| Omega, nelems        | ()                     |       | yes      | yes   |
| dOmega/dWrec         | (N, N)                 |       | yes      | yes   |
| gradient norm        | ()                     |       | yes      | yes   |

The loss holds the penalties and not Omega; grad NAME holds the penalties and not Omega; the
gradient norm is that of the update, Omega's term included, before clipping. The three are written
independently of each other: nothing here computes for more than one of them.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np

from bridge.crosscheck.weights import objective_of, parameters_of, twin, weights_of
from pycog_dgr.config import NetworkConfig, TrainingConfig
from pycog_dgr.data import Batch
from pycog_dgr.network import Parameters, Weights, alpha_of, effective_weights, simulate

Quantities = dict[str, Any]
"""Arrays, and numbers where a quantity is one."""


class Start(NamedTuple):
    """What every backend starts from."""

    network: NetworkConfig
    training: TrainingConfig
    parameters: Parameters


class Backend(Protocol):
    """One of the implementations, holding parameters of its own."""

    trains: bool

    def quantities(self, batch: Batch) -> Quantities:
        """All it can tell of a batch at its present parameters, which stay as they are."""

    def outputs(self, batch: Batch) -> np.ndarray:
        """z (time, trial, Nout)."""

    def update(self, batch: Batch) -> None:
        """One training step."""

    def parameters(self) -> Parameters:
        """Raw parameters, copied."""


class NumpyBackend:
    """The oracle for states, rates, outputs, loss and error; it does not train."""

    trains = False

    def __init__(self, start: Start, dtype: str):
        self.network, self.training, raw = start
        self._raw = _copied(raw, dtype)
        self._dtype = dtype

    def quantities(self, batch: Batch) -> Quantities:
        weights = effective_weights(self._raw, self.network)
        batch = Batch(*(np.asarray(one, self._dtype) for one in batch))
        x, r, z = self._run(weights, batch)
        share = batch.mask / batch.mask.sum()
        assert weights.Wout is not None  # checked when the case was made
        a = r @ weights.Wout.T + weights.bout
        loss = (self._pointwise(z, a, batch.targets) * share).sum() + self._penalty(r)
        error = np.sqrt(((z - batch.targets) ** 2 * share).sum())
        return {**_matrices(weights), "x": x, "r": r, "z": z, "loss": loss, "error": error}

    def outputs(self, batch: Batch) -> np.ndarray:
        return self._run(effective_weights(self._raw, self.network), batch).z

    def update(self, batch: Batch) -> None:
        raise NotImplementedError("numpy holds no gradients")

    def parameters(self) -> Parameters:
        return _copied(self._raw, self._dtype)

    def _run(self, weights: Weights, batch: Batch) -> Any:
        return simulate(
            weights,
            np.asarray(batch.inputs, self._dtype),
            np.asarray(batch.noise, self._dtype),
            alpha_of(weights, self.network),
            hidden_activation=self.network.hidden_activation,
            output_activation=self.network.output_activation,
        )

    def _pointwise(self, z: np.ndarray, a: np.ndarray, target: np.ndarray) -> np.ndarray:
        tiny = np.asarray(1e-10, z.dtype)
        if self.network.output_activation == "softmax":
            return -target * np.log(z + tiny)
        if self.network.output_activation == "sigmoid":
            # As the original reported it: log(1 - z), without tiny, in the second term.
            return -target * np.log(z + tiny) + (1 - target) * np.logaddexp(0, a)
        return (z - target) ** 2

    def _penalty(self, r: np.ndarray) -> float:
        total = self.training.lambda2_r * np.mean(r**2)
        for name, suffix in (("Win", "in"), ("Wrec", "rec"), ("Wout", "out")):
            W = getattr(self._raw, name)
            if W is not None:
                total += getattr(self.training, f"lambda1_{suffix}") * np.mean(np.abs(W))
                total += getattr(self.training, f"lambda2_{suffix}") * np.mean(W**2)
        return total


class PyTensorBackend:
    """pycog_dgr's training step, on either of its two ways through time."""

    trains = True

    def __init__(self, start: Start, dtype: str, way: str):
        from pycog_dgr.training import TrainingStep

        self.step = TrainingStep(start.network, start.training, start.parameters, dtype, way)

    @cached_property
    def _rates(self) -> Callable[..., np.ndarray]:
        import pytensor

        from pycog_dgr.symbolic.numpy_mode import numpy_mode

        graph, mode = self.step.graph, numpy_mode(loops=self.step.backend == "scan")
        return pytensor.function(graph.batch, graph.states.r, mode=mode, on_unused_input="ignore")

    def quantities(self, batch: Batch) -> Quantities:
        found = self.step.gradients(batch)
        gradients = {name: found[f"grad_{name}"] for name in self.step.network.trained}
        dOmega = found["omega_gradient"]
        return {
            **_matrices(self.step.weights),
            "x": found["x"],
            "r": self._rates(*(np.asarray(one, self.step.floatX) for one in batch)),
            "z": found["z"],
            "loss": found["loss"] + found["penalty"],
            "error": found["error"],
            "D": found["D"],
            **{f"grad {name}": gradient for name, gradient in gradients.items()},
            "Omega": found["Omega"],
            "nelems": found["nelems"],
            "dOmega/dWrec": dOmega,
            "gradient norm": self._norm_of_an_update(batch),
        }

    def outputs(self, batch: Batch) -> np.ndarray:
        return self.step.evaluate(batch).z

    def update(self, batch: Batch) -> None:
        self.step.update(batch)

    def parameters(self) -> Parameters:
        return self.step.parameters

    def _norm_of_an_update(self, batch: Batch) -> float:
        """What `update` reports, undone afterwards."""
        state = self.step.state()
        try:
            return self.step.update(batch).gnorm
        finally:
            self.step.load_state(state)


class TorchBackend:
    """torch_dgr's twin with its clipped gradient descent."""

    trains = True

    def __init__(self, start: Start, dtype: str):
        from torch_dgr.rate_rnn.step import clipped_sgd

        training = start.training
        self.net = twin(start.network, start.parameters, dtype)
        self.objective = objective_of(training)
        self.optimiser = clipped_sgd(self.net, training.learning_rate, training.max_gradient_norm)

    def quantities(self, batch: Any) -> Quantities:
        from torch_dgr.rate_rnn.objective import gradients
        from torch_dgr.rate_rnn.step import whole_gradient

        found = gradients(self.net, batch, self.objective)
        _, norm = whole_gradient(found, self.objective)
        x, r, z = (one.numpy() for one in found.trajectory)
        return {
            **_matrices(weights_of(self.net)),
            "x": x, "r": r, "z": z,
            "loss": found.loss + found.penalty,
            "error": found.error,
            "D": found.D.numpy(),
            **{f"grad {name}": one.numpy() for name, one in found.parameters.items()},
            "Omega": found.Omega,
            "nelems": found.nelems,
            "dOmega/dWrec": found.dOmega_dWrec.numpy(),
            "gradient norm": norm,
        }  # fmt: skip

    def outputs(self, batch: Any) -> np.ndarray:
        from torch_dgr.rate_rnn.objective import evaluate

        return evaluate(self.net, batch, self.objective).trajectory.z.numpy()

    def update(self, batch: Any) -> None:
        from torch_dgr.rate_rnn.step import train_step

        train_step(self.net, self.optimiser, batch, self.objective)

    def parameters(self) -> Parameters:
        return parameters_of(self.net)


BACKENDS: dict[str, Callable[[Start, str], Backend]] = {
    "numpy": NumpyBackend,
    "PyTensor scan": lambda start, dtype: PyTensorBackend(start, dtype, "scan"),
    "PyTensor fast": lambda start, dtype: PyTensorBackend(start, dtype, "fast"),
    "torch": TorchBackend,
}


def _copied(raw: Parameters, dtype: str) -> Parameters:
    arrays: list[Any] = [None if array is None else np.array(array, dtype) for array in raw]
    return Parameters(*arrays)


def _matrices(weights: Weights) -> Quantities:
    return {
        name: getattr(weights, name)
        for name in ("Win", "Wrec", "Wout", "tau")
        if getattr(weights, name) is not None
    }
