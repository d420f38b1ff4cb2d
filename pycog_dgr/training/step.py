"""One training step: a network's parameters, and what trains and evaluates it.

The mathematics stands in symbolic/step_graph.py. Three backends compute the same numbers:

    scan    PyTensor's loop over time, the reference that reads like the paper
    numpy   the backward pass written by hand, in numpy
    fast    the same, as loops that Numba compiles once and keeps on disk

The latter two do whole updates and evaluations by kernels (fused.py) where the objective is a
standard one; otherwise, and for `gradients`, they run the graph with the Op of
symbolic/recurrence_op.py.

'auto' is 'fast', or 'numpy' where Numba cannot run; the log then says why. None needs a C compiler.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pytensor
from numpy.typing import NDArray
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.tensor.variable import TensorVariable

from pycog_dgr.config import NetworkConfig, TrainingConfig
from pycog_dgr.data import Batch, NoiseOnDemand
from pycog_dgr.errors import BackendError, BatchError, SettingError
from pycog_dgr.kernels import fastest_kernels, get_kernels
from pycog_dgr.network import Parameters, Weights, alpha_of, effective_weights, simulate
from pycog_dgr.symbolic import objective, optimisers
from pycog_dgr.symbolic.step_graph import (
    KERNELS,
    Graph,
    Update,
    batch_widths,
    build_graph,
    compile_graph,
    compile_update,
)
from pycog_dgr.training.descent import arrays_of, make_descent
from pycog_dgr.training.dropout import RecurrentDropout
from pycog_dgr.training.fused import FusedStep, can_fuse

logger = logging.getLogger(__name__)

BACKENDS = ("fast", "numpy", "scan")
SELF_CHECK_STEPS, SELF_CHECK_TRIALS = 3, 2
SELF_CHECK_TOLERANCE = {"float64": 1e-10, "float32": 1e-4}  # relative to the largest output


class StepReport(NamedTuple):
    """What one update saw, before it changed the parameters."""

    loss: float  # loss + penalties, without Omega
    gnorm: float  # of the whole gradient, Omega's included, before clipping
    Omega: float
    nelems: float


class Evaluation(NamedTuple):
    """Loss + penalties, masked RMSE, and outputs z (time, trial, Nout)."""

    loss: float
    error: float
    z: NDArray


class TrainingStep:
    """A network's parameters and the compiled functions that train and evaluate it.

    Parameters
    ----------
    network, training
        The settings.
    parameters
        Raw initial values; `pycog_dgr.network.initial_parameters` draws them.
    floatX
        'float64' or 'float32': the type of every number.
    backend
        'auto', 'fast', 'numpy' or 'scan'.
    optimiser
        A transform of pycog_dgr.symbolic, the last of the chain after clipping and the guard
        against gradients that are not finite; None: training.optimiser, or
        sgd(training.learning_rate).
    penalties
        Further terms of the objective, (raw, states) -> scalar.
    self_check
        Whether to compare the compiled network with plain numpy once, before the first update.
    dropout
        RecurrentDropout, applied in `update` alone; None: no dropout.

    Raises
    ------
    SettingError
        For parameters or options that do not fit.
    BatchError
        For a batch that does not.
    BackendError
        Where the self-check fails.
    """

    def __init__(
        self,
        network: NetworkConfig,
        training: TrainingConfig,
        parameters: Parameters,
        floatX: str = "float64",
        backend: str = "auto",
        optimiser: optimisers.Transform | None = None,
        penalties: tuple[objective.Penalty, ...] = (),
        self_check: bool = True,
        dropout: RecurrentDropout | None = None,
    ) -> None:
        if floatX not in ("float64", "float32"):
            raise SettingError(f"floatX must be 'float64' or 'float32', not {floatX!r}")
        if backend not in ("auto", *BACKENDS):
            known = "', '".join(BACKENDS)
            raise SettingError(f"backend must be 'auto', '{known}', not {backend!r}")
        self.network = network
        self.training = training
        self.floatX = floatX
        self._dtype, self._widths = np.dtype(floatX), batch_widths(network)
        self.backend = available(backend)
        self._shared: dict[str, Any] = {
            name: pytensor.shared(checked_parameter(name, value, shape, floatX), name=name)
            for name, shape, value in (
                (name, shape, getattr(parameters, name)) for name, shape in network.shapes.items()
            )
        }
        self._optimiser = optimiser or training.optimiser or optimisers.sgd(training.learning_rate)
        self._penalties = [*objective.penalties(training, network), *penalties]
        self._is_checked = not self_check
        self._dropout = dropout if dropout is not None and dropout.p > 0 else None
        self._dropout_mask: SharedVariable | None = None
        self._dropout_state: dict[str, SharedVariable] = {}
        if self._dropout is not None:
            self._dropout_mask = pytensor.shared(np.ones(network.N, floatX), name="dropout_mask")
            count = pytensor.shared(np.zeros((), floatX), name="dropout_count")
            self._dropout_state = {"dropout_count": count}

    # --- compiled functions, each built on first use ---------------------------------------------

    @cached_property
    def graph(self) -> Graph:
        """The symbolic step, without dropout."""
        return self._build_graph()

    def _build_graph(self, dropout_mask: Any = None) -> Graph:
        raw = parameters_of(self._shared)
        with pytensor.config.change_flags(floatX=self.floatX):
            return build_graph(
                self.network, self.training, raw, self.backend, self._penalties, dropout_mask
            )

    @cached_property
    def _fused(self) -> FusedStep | None:
        """The step by kernels alone, where they can do it."""
        if self.backend not in KERNELS:
            return None
        if not can_fuse(self.network, self.training, self._penalties):
            return None
        kernels = get_kernels(KERNELS[self.backend])
        return FusedStep(self.network, self.training, kernels, self.floatX)

    @cached_property
    def _compiled_update(self) -> Update:
        trained = {name: self._shared[name] for name in self.network.trained}
        if (fused := self._fused) is not None:
            with pytensor.config.change_flags(floatX=self.floatX):
                descent = make_descent(trained, self.training, self._optimiser, fused.kernels)

            def update(*batch: NDArray) -> tuple[float, float, float, float]:
                mask = self._dropout_mask
                return fused.update(
                    arrays_of(self._shared),
                    Batch(*batch),
                    descent.update,
                    None if mask is None else mask.get_value(borrow=True),
                )

            return Update(update, descent.moments)
        graph = self.graph if self._dropout_mask is None else self._build_graph(self._dropout_mask)
        with pytensor.config.change_flags(floatX=self.floatX):
            return compile_update(graph, trained, self.training, self._optimiser, self.backend)

    @cached_property
    def _evaluate(self) -> Callable[..., Any]:
        if (fused := self._fused) is not None:
            return lambda *batch: fused.evaluate(arrays_of(self._shared), Batch(*batch))
        graph = self.graph
        return self._compile([graph.loss + graph.penalty, graph.error, graph.z])

    @cached_property
    def _gradients(self) -> Callable[..., dict[str, NDArray]]:
        graph = self.graph
        wanted: dict[str, Any] = {
            "loss": graph.loss, "penalty": graph.penalty, "error": graph.error,
            "x": graph.states.x, "z": graph.z, "D": graph.D,
            "Omega": graph.Omega.value, "nelems": graph.Omega.nelems,
            "omega_gradient": graph.omega_gradient,
        }  # fmt: skip
        wanted |= {f"grad_{name}": gradient for name, gradient in graph.gradients.items()}
        compiled = self._compile(list(wanted.values()))
        return lambda *batch: dict(zip(wanted, compiled(*batch), strict=True))

    def _compile(self, results: list[TensorVariable]) -> Callable[..., list[NDArray]]:
        with pytensor.config.change_flags(floatX=self.floatX):
            return compile_graph(self.graph, results, self.backend)

    def _self_check(self) -> None:
        """Compare the compiled network with the plain numpy one on a small random batch."""
        rng = np.random.default_rng(0)
        inputs, targets, mask, noise = (
            rng.uniform(size=(SELF_CHECK_STEPS, SELF_CHECK_TRIALS, width)).astype(self.floatX)
            for width in self._widths
        )
        expected = simulate(
            self.weights,
            inputs,
            noise,
            alpha_of(self.weights, self.network),
            hidden_activation=self.network.hidden_activation,
            output_activation=self.network.output_activation,
        ).z
        z = self._evaluate(inputs, targets, mask, noise)[-1]
        largest = np.max(np.abs(expected))
        difference = np.max(np.abs(z - expected)) / (largest if largest > 0 else 1)
        if not difference <= SELF_CHECK_TOLERANCE[self.floatX]:  # NaN disagrees
            raise BackendError(
                f"backend {self.backend!r} in {self.floatX} disagrees with the plain numpy "
                f"equations by {difference:.1e} of the largest output; use another backend, and "
                "report this with your PyTensor version"
            )
        self._is_checked = True
        logger.info("backend %s agrees with numpy within %.1g", self.backend, difference)

    def _draw_dropout_mask(self) -> None:
        """The mask of the coming update, where there is dropout."""
        if self._dropout is None or self._dropout_mask is None:
            return
        count = self._dropout_state["dropout_count"]
        drawn = int(count.get_value())
        self._dropout_mask.set_value(self._dropout.mask(self.network.N, drawn).astype(self.floatX))
        count.set_value(np.asarray(drawn + 1, self.floatX))

    # --- numbers --------------------------------------------------------------------------------

    def update(self, batch: Batch) -> StepReport:
        """Train on one batch; report what was seen before the parameters changed."""
        arrays = self._checked(batch)
        if not self._is_checked:
            self._self_check()
        self._draw_dropout_mask()
        with np.errstate(all="ignore"):  # the guard deals with what overflows; gnorm tells
            return StepReport(*(float(value) for value in self._compiled_update.function(*arrays)))

    def evaluate(self, batch: Batch) -> Evaluation:
        """Loss + penalties, RMSE and outputs, without training."""
        arrays = self._checked(batch, on_demand=self._fused is not None)
        with np.errstate(all="ignore"):
            loss, error, z = self._evaluate(*arrays)
        return Evaluation(float(loss), float(error), np.array(z))

    def gradients(self, batch: Batch) -> dict[str, NDArray]:
        """Everything inside one step, for tests: see the keys in `_gradients`."""
        arrays = self._checked(batch)
        with np.errstate(all="ignore"):
            return {name: np.array(value) for name, value in self._gradients(*arrays).items()}

    def _checked(self, batch: Batch, on_demand: bool = False) -> list:
        """A batch's arrays, its noise drawn except where it may stay `on_demand`."""
        dtype = self._dtype
        arrays = [
            array.astype(dtype)
            if on_demand and isinstance(array, NoiseOnDemand)
            else np.asarray(array, dtype)
            for array in batch
        ]
        shape = arrays[-1].shape[:2]
        for name, array, width in zip(Batch._fields, arrays, self._widths, strict=True):
            if array.shape != (*shape, width) or 0 in shape:
                raise BatchError(
                    f"batch.{name} has shape {array.shape}; expected (time, trial, {width}) "
                    f"with at least one time step and trial, the same for all four arrays"
                )
        return arrays

    # --- parameters -----------------------------------------------------------------------------

    @property
    def parameters(self) -> Parameters:
        """Raw values, copied."""
        values = {name: shared.get_value() for name, shared in self._shared.items()}
        return parameters_of(values)

    @parameters.setter
    def parameters(self, raw: Parameters) -> None:
        checked = {
            name: checked_parameter(name, getattr(raw, name), shape, self.floatX)
            for name, shape in self.network.shapes.items()
        }
        for name, value in checked.items():
            self._shared[name].set_value(value)

    @property
    def weights(self) -> Weights:
        """Effective values, copied."""
        return effective_weights(self.parameters, self.network)

    def state(self) -> dict[str, NDArray]:
        """All that training goes on from, copied: raw parameters, the optimiser's moments, and how
        many masks dropout has drawn.
        """
        return {name: variable.get_value() for name, variable in self._state_variables().items()}

    def _state_variables(self) -> dict[str, SharedVariable]:
        """The moments are those of the update, which is compiled for them if it has not been."""
        return self._shared | self._compiled_update.moments | self._dropout_state

    def load_state(self, state: Mapping[str, NDArray]) -> None:
        """Go on from what `state` returned; SettingError where names or shapes differ."""
        own = self.state()
        if missing := sorted(own.keys() ^ state.keys()):
            raise SettingError(f"state does not fit this network and optimiser: {missing} differ")
        checked = {
            name: checked_parameter(name, state[name], value.shape, self.floatX)
            for name, value in own.items()
        }
        for name, variable in self._state_variables().items():
            variable.set_value(checked[name])


def parameters_of(values: Mapping[str, Any]) -> Parameters:
    """Parameters by name, None where the network has none of a name."""
    named: dict[str, Any] = {name: values.get(name) for name in Parameters._fields}
    return Parameters(**named)


def checked_parameter(name: str, value: NDArray, shape: tuple[int, ...], floatX: str) -> NDArray:
    """A copy of `value` in `floatX`; SettingError where its shape is not `shape`."""
    if value is None or np.shape(value) != shape:
        given = "nothing" if value is None else f"shape {np.shape(value)}"
        raise SettingError(f"parameter {name}: expected shape {shape}, got {given}")
    return np.array(value, dtype=floatX)


def available(backend: str) -> str:
    """The backend itself; for 'auto' the fastest that runs here.

    Raises BackendError where 'fast' was asked for by name and cannot run.
    """
    if backend == "auto":
        return {kernels: name for name, kernels in KERNELS.items()}[fastest_kernels()]
    if backend in KERNELS:
        get_kernels(KERNELS[backend])
    return backend
