"""One training step: batch -> loss, gradients, Omega, clipping, update. Compiled once.

    g     = d (loss + penalties) / d theta,   Wrec's plus lambda_Omega d Omega / d Wrec
    gnorm = one norm of g over all trained parameters, before clipping
    theta <- theta - learning_rate clipped(g)

Source: Song, Yang and Wang (2016), "Training"; Pascanu, Mikolov and Bengio (2013).

Three backends compute the same numbers:

    scan    PyTensor's loop over time, the reference that reads like the paper
    numpy   the Op of recurrence_op.py with its hand-written backward pass, through numpy
    fast    the same Op, and Omega, as loops that Numba compiles once and keeps on disk

'auto' is 'fast', or 'numpy' where Numba cannot run; the log then says why. None needs a C compiler.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pytensor
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.gradient import grad
from pytensor.tensor.variable import TensorVariable

from pycog_dgr.config import NetworkConfig, TrainingConfig
from pycog_dgr.data import Batch
from pycog_dgr.errors import BackendError, BatchError, SettingError
from pycog_dgr.network import Parameters, Weights, effective_weights, simulate
from pycog_dgr.symbolic import objective, optimisers
from pycog_dgr.symbolic import recurrence_op as leaky_rnn
from pycog_dgr.symbolic import scan as equations
from pycog_dgr.symbolic.numpy_mode import numpy_mode
from pycog_dgr.symbolic.objective import Omega
from pycog_dgr.symbolic.recurrence_op import Regulariser
from pycog_dgr.symbolic.scan import States
from pycog_dgr.training.dropout import RecurrentDropout

logger = logging.getLogger(__name__)

BACKENDS = ("fast", "numpy", "scan")
KERNELS = {"fast": "numba", "numpy": "numpy"}  # of the backends that use recurrence_op.py
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


class Graph(NamedTuple):
    """The symbolic step: inputs, and everything that a function may return."""

    batch: list[TensorVariable]  # inputs, targets, mask, noise
    states: States
    z: TensorVariable
    loss: TensorVariable
    penalty: TensorVariable
    error: TensorVariable
    D: TensorVariable
    Omega: Omega
    omega_gradient: TensorVariable | None  # by the raw Wrec; None: lambda_Omega times it is in...
    gradients: dict[str, TensorVariable]  # ... these, of loss + penalties by the raw parameters


def build(
    network: NetworkConfig,
    training: TrainingConfig,
    raw: Parameters,
    backend: str,
    penalties: list[objective.Penalty],
    audible: TensorVariable | None = None,
    merge_Omega: bool = False,
) -> Graph:
    """The graph of one step on symbolic raw parameters; `audible` (N,) is dropout's mask.

    `merge_Omega`: let the backward pass add Omega's derivative, which costs one product less. It
    can where the cost is the loss alone and all units share one alpha.
    """
    dtype = raw.Wrec.dtype
    inputs, targets, mask, noise = (
        pt.tensor(name, dtype=dtype, shape=(None, None, width))
        for name, width in zip(Batch._fields, batch_widths(network), strict=True)
    )
    weights = equations.effective_weights(raw, network)
    if audible is not None:
        weights = weights._replace(Wrec=weights.Wrec * audible)
    kernels = KERNELS.get(backend)
    if kernels:
        regulariser = Regulariser(training.lambda_Omega, training.bound) if merge_Omega else None
        states = leaky_rnn.integrate(weights, inputs, noise, network, kernels, regulariser)
    else:
        states = equations.integrate_by_scan(weights, inputs, noise, network)
    a = equations.output_current(states.r, weights)
    z = equations.outputs(a, network)

    loss = objective.loss(z, targets, mask, network)
    penalty = sum((term(raw, states) for term in penalties), pt.zeros((), dtype))
    cost = loss + penalty if penalties else loss  # so that D's backward pass is the same one
    trained = {name: getattr(raw, name) for name in network.trained}
    gradients = grad(cost, list(trained.values()), disconnected_inputs="ignore")

    if kernels:
        D, S, *_ = back = leaky_rnn.backpropagated(states, grad(loss, states.r))
    else:
        D, S = grad(loss, noise) / equations.alpha_of(network, dtype), None
    if merge_Omega:
        omega = Omega(value=back[-3], gradient=None, nelems=back[-2])
    elif backend == "fast":
        omega = leaky_rnn.vanishing_gradient(D, S, states, training.bound)
    else:
        omega = objective.vanishing_gradient(D, states.x, weights.Wrec, network, training.bound, S)
    omega_gradient = None
    if not merge_Omega:
        omega_gradient = grad(None, raw.Wrec, known_grads={weights.Wrec: omega.gradient})
    return Graph(
        batch=[inputs, targets, mask, noise],
        states=states,
        z=z,
        loss=objective.reported_loss(a, z, targets, mask, network),
        penalty=penalty,
        error=objective.error(z, targets, mask),
        D=D,
        Omega=omega,
        omega_gradient=omega_gradient,
        gradients=dict(zip(trained, gradients, strict=True)),
    )


def batch_widths(network: NetworkConfig) -> tuple[int, int, int, int]:
    """Last dimension of inputs, targets, mask and noise."""
    n_outputs = network.Nout or network.N
    return network.Nin, n_outputs, n_outputs, network.N


class TrainingStep:
    """A network's parameters and the compiled functions that train and evaluate it.

    TrainingStep(network, training, parameters, floatX="float64", backend="auto", optimiser=None)

    parameters   raw initial values (Parameters); `initial_parameters` draws them
    floatX       'float64' or 'float32': the type of every number
    backend      'auto', 'fast', 'numpy' or 'scan'
    optimiser    a transform of optimisers.py, the last of the chain after clipping and the guard;
                 default: sgd(training.learning_rate)
    penalties    further terms of the objective, (raw, states) -> scalar
    self_check   compare the compiled network with plain numpy once, before the first update
    dropout      dropout.RecurrentDropout, at work in `update` alone

    Raises SettingError for parameters or options that do not fit, BatchError for a batch that
    does not, BackendError where the self-check fails.
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
        self.backend = available(backend)
        self._shared = {
            name: pytensor.shared(checked_parameter(name, value, shape, floatX), name=name)
            for name, shape, value in (
                (name, shape, getattr(parameters, name)) for name, shape in network.shapes.items()
            )
        }
        self._optimiser = optimiser or optimisers.sgd(training.learning_rate)
        self._penalties = [*objective.penalties(training, network), *penalties]
        self._wants_check = self_check
        self._dropout = dropout if dropout is not None and dropout.p > 0 else None
        self._audible: SharedVariable | None = None
        self._masks_drawn: dict[str, SharedVariable] = {}
        if self._dropout is not None:
            self._audible = pytensor.shared(np.ones(network.N, floatX), name="audible")
            count = pytensor.shared(np.zeros((), floatX), name="dropout_count")
            self._masks_drawn = {"dropout_count": count}
        self._moments: dict[str, SharedVariable] = {}

    # --- symbolic, each built on first use ------------------------------------------------------

    @cached_property
    def graph(self) -> Graph:
        return self._build()

    def _build(self, merge_Omega: bool = False) -> Graph:
        raw = Parameters(**{name: self._shared.get(name) for name in Parameters._fields})
        with pytensor.config.change_flags(floatX=self.floatX):
            return build(
                self.network, self.training, raw, self.backend, self._penalties, self._audible,
                merge_Omega,
            )  # fmt: skip

    @cached_property
    def _update(self) -> Callable:
        merge_Omega = (
            self.backend == "fast" and not self._penalties and not np.ndim(self.network.tau)
        )
        graph = self._build(merge_Omega) if merge_Omega else self.graph
        with pytensor.config.change_flags(floatX=self.floatX):
            gradients = dict(graph.gradients)
            if not merge_Omega:
                gradients["Wrec"] += self.training.lambda_Omega * graph.omega_gradient
            trained = {name: self._shared[name] for name in self.network.trained}
            context = optimisers.Context(trained, optimisers.global_norm(gradients))
            transform = optimisers.chain(
                optimisers.clip_by_global_norm(self.training.max_gradient_norm),
                optimisers.finite_guard(),
                self._optimiser,
            )
            steps, updates = transform(gradients, context)
            self._moments = {shared.name: shared for shared, _ in updates}
            updates += [(theta, theta - steps[name]) for name, theta in trained.items()]
        if self._wants_check:
            self._self_check()
        report = [graph.loss + graph.penalty, context.norm, graph.Omega.value, graph.Omega.nelems]
        return self._compile(graph, report, updates)

    @cached_property
    def _evaluate(self) -> Callable:
        graph = self.graph
        return self._compile(graph, [graph.loss + graph.penalty, graph.error, graph.z])

    @cached_property
    def _gradients(self) -> Callable:
        graph = self.graph
        wanted = {
            "loss": graph.loss, "penalty": graph.penalty, "error": graph.error,
            "x": graph.states.x, "z": graph.z, "D": graph.D,
            "Omega": graph.Omega.value, "nelems": graph.Omega.nelems,
            "omega_gradient": graph.omega_gradient,
        }  # fmt: skip
        wanted |= {f"grad_{name}": gradient for name, gradient in graph.gradients.items()}
        compiled = self._compile(graph, list(wanted.values()))
        return lambda *batch: dict(zip(wanted, compiled(*batch), strict=True))

    def _compile(
        self, graph: Graph, results: list[TensorVariable], updates: list | None = None
    ) -> Callable:
        with pytensor.config.change_flags(floatX=self.floatX):
            return pytensor.function(
                graph.batch,
                results,
                updates=updates,
                givens=self._all_audible() if updates is None else None,
                mode=numpy_mode(loops=self.backend == "scan"),
                on_unused_input="ignore",
            )

    def _all_audible(self) -> dict[SharedVariable, TensorVariable] | None:
        """Dropout's mask for everything but updates: no unit silent."""
        if self._audible is None:
            return None
        return {self._audible: pt.ones((self.network.N,), self.floatX)}

    def _silence(self) -> None:
        """Draw dropout's mask for the coming update."""
        count = self._masks_drawn["dropout_count"]
        drawn = int(count.get_value())
        mask = self._dropout.mask(self.network.N, drawn)
        self._audible.set_value(mask.astype(self.floatX))
        count.set_value(np.asarray(drawn + 1, self.floatX))

    def _self_check(self) -> None:
        """Compare the compiled network with the plain numpy one on a small random batch."""
        rng = np.random.default_rng(0)
        inputs, targets, mask, noise = (
            rng.uniform(size=(SELF_CHECK_STEPS, SELF_CHECK_TRIALS, width)).astype(self.floatX)
            for width in batch_widths(self.network)
        )
        expected = simulate(
            self.weights,
            inputs,
            noise,
            self.network.alpha,
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
        logger.info("backend %s agrees with numpy within %.1g", self.backend, difference)

    # --- numbers --------------------------------------------------------------------------------

    def update(self, batch: Batch) -> StepReport:
        """Train on one batch; report what was seen before the parameters changed."""
        arrays = self._checked(batch)
        if self._dropout is not None:
            self._silence()
        with np.errstate(all="ignore"):  # the guard deals with what overflows; gnorm tells
            return StepReport(*(float(value) for value in self._update(*arrays)))

    def evaluate(self, batch: Batch) -> Evaluation:
        """Loss + penalties, RMSE and outputs, without training."""
        arrays = self._checked(batch)
        with np.errstate(all="ignore"):
            loss, error, z = self._evaluate(*arrays)
        return Evaluation(float(loss), float(error), np.array(z))

    def gradients(self, batch: Batch) -> dict[str, NDArray]:
        """Everything inside one step, for tests: see the keys in `_gradients`."""
        arrays = self._checked(batch)
        with np.errstate(all="ignore"):
            return {name: np.array(value) for name, value in self._gradients(*arrays).items()}

    def _checked(self, batch: Batch) -> list[NDArray]:
        arrays = [np.asarray(array, dtype=self.floatX) for array in batch]
        shape = np.shape(batch.noise)[:2]
        for name, array, width in zip(
            Batch._fields, arrays, batch_widths(self.network), strict=True
        ):
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
        return Parameters(**{name: values.get(name) for name in Parameters._fields})

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
        many masks dropout has drawn."""
        return {name: variable.get_value() for name, variable in self._kept().items()}

    def _kept(self) -> dict[str, SharedVariable]:
        self._update  # noqa: B018 - the moments exist once the update is built
        return self._shared | self._moments | self._masks_drawn

    def load_state(self, state: Mapping[str, NDArray]) -> None:
        """Go on from what `state` returned; SettingError where names or shapes differ."""
        own = self.state()
        if missing := sorted(own.keys() ^ state.keys()):
            raise SettingError(f"state does not fit this network and optimiser: {missing} differ")
        checked = {
            name: checked_parameter(name, state[name], value.shape, self.floatX)
            for name, value in own.items()
        }
        for name, variable in self._kept().items():
            variable.set_value(checked[name])


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
    if backend not in ("auto", "fast"):
        return backend
    try:
        importlib.import_module("pycog_dgr.kernels.recurrence_numba")
    except (ImportError, RuntimeError, OSError) as error:  # no Numba, or nowhere to keep its code
        reason = f"{type(error).__name__}: {error}"
        if backend == "fast":
            raise BackendError(
                f"backend 'fast' cannot run here ({reason}); use backend='numpy', or install numba "
                "and make NUMBA_CACHE_DIR a folder that can be written"
            ) from error
        logger.warning("Numba cannot run here (%s): backend 'numpy' instead, slower", reason)
        return "numpy"
    return "fast"
