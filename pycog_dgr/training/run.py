"""The state of one training, and its loop: validate, keep the best, save, stop, or one update.

Before iterations 1, 1 + checkfreq, 1 + 2 checkfreq, ... the network is validated on a fresh batch:

    cost = loss + regularisers, RMSE, performance(trials, z) if the task has one

The lowest cost so far is the best network. Reasons to stop are those of stopping.py. Where training
stops elsewhere than at a check, the network that it stops at is validated too, on a batch that the
next check would have had, and kept beside the best one (Checkpoint.ending).

Source: Song, Yang & Wang, PLoS Comput. Biol. 12, e1004792 (2016), as in the original's code: two
datasets with random streams of their own, both kept in the save file; `callback(trials, z)` and the
best costs are handed on to the task with every trial. The validation at the ending is ours.
"""

import contextlib
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pycog_dgr.config import NetworkConfig, TrainingConfig, setting_values
from pycog_dgr.data import Dataset, Task, user_call
from pycog_dgr.errors import CheckpointError, TaskError
from pycog_dgr.files import Best, Checkpoint, checkpoint, is_legacy, keep_previous
from pycog_dgr.network import Parameters, initial_parameters
from pycog_dgr.training.divergence import DivergenceMonitor, divergence_file
from pycog_dgr.training.draws import Draws, state_of
from pycog_dgr.training.resume import (
    changes_at,
    differences,
    require_same_network,
    with_stream_of,
)
from pycog_dgr.training.step import StepReport, TrainingStep
from pycog_dgr.training.stopping import reason_to_stop

logger = logging.getLogger(__name__)


class TrainingRun:
    """The state of one training; `iteration` is the one to be done next, 1-based.

    Parameters
    ----------
    task, network, training
        What is trained on what, and how; `network` as given, its fixed weights not rescaled.
    savefile
        Where it is saved.
    floatX
        Number type, 'float32' or 'float64'.
    options
        Further arguments of TrainingStep.
    start
        Raw values to start from in place of drawn ones.
    origin
        See Checkpoint.
    on_update, on_validation
        See `train`.
    """

    def __init__(
        self,
        task: Task,
        network: NetworkConfig,
        training: TrainingConfig,
        savefile: Path,
        floatX: str,
        options: dict[str, Any],
        start: Parameters | None = None,
        origin: dict[str, Any] | None = None,
        on_update: Callable[[int, StepReport], Any] | None = None,
        on_validation: Callable[[int, list[float]], Any] | None = None,
    ) -> None:
        self.network, self.training = network, training
        self.savefile = savefile
        self.origin = origin or {}
        self.on_update, self.on_validation = on_update, on_validation
        # A trial on a throw-away stream, as in the original: a faulty task shows before compiling.
        masked = Dataset(1, task, floatX, network, training, name="gradient").has_output_mask()
        logger.info("the task has %s", "a mask" if masked else "no mask: every time step counts")
        self.gradient_data, self.validation_data = (
            Dataset(
                getattr(training, f"n_{name}"),
                task,
                floatX,
                network,
                training,
                batch_size=getattr(training, f"{name}_batch_size"),
                seed=getattr(training, f"{name}_seed"),
                name=name,
            )
            for name in ("gradient", "validation")
        )
        parameters, rescaled = initial_parameters(network, training.seed)
        self.step = TrainingStep(rescaled, training, start or parameters, floatX, **options)
        self.monitor = DivergenceMonitor(divergence_file(savefile))
        self.iteration = 1
        self.best = Best(1, np.inf, [], self.step.weights, self.step.parameters)
        self.ending: Best | None = None
        self.costs_history: list = []
        self.Omega_history: list = []
        self.callback_results: Any = None
        self.draws = Draws()
        self.changes: list[dict[str, Any]] = []
        self.report: StepReport | None = None
        self.started = time.monotonic()
        self.seconds_before = 0.0  # of the runs that this one goes on from

    # -- save files -----------------------------------------------------------------------------

    @property
    def seconds(self) -> float:
        """Time spent on this training so far, by the clock, compiling and validations included."""
        return self.seconds_before + time.monotonic() - self.started

    def checkpoint(self, stopped: str | None = None) -> Checkpoint:
        """The present state."""
        own = self.step.network.shapes
        return Checkpoint(
            settings=setting_values(self.network, self.training),
            trained=self.step.network.trained,
            iteration=self.iteration,
            parameters=self.step.parameters,
            best=self.best,
            costs_history=list(self.costs_history),
            Omega_history=list(self.Omega_history),
            rng_gradient=state_of(self.gradient_data),
            rng_validation=state_of(self.validation_data),
            optimiser={k: v for k, v in self.step.state().items() if k not in own},
            callback_results=self.callback_results,
            stored={name: dict(where) for name, where in self.draws.stored.items()},
            report=None if self.report is None else list(self.report),
            skipped=self.monitor.skipped,
            seconds=self.seconds,
            stopped=stopped,
            ending=self.ending,
            origin=dict(self.origin),
            changes=list(self.changes),
        )

    def save(self, stopped: str | None = None) -> None:
        """Save the present state; the file that was there stays as PATH.previous."""
        if is_legacy(self.savefile):  # never lose the original's file to ours
            keep_previous(self.savefile, f"{self.savefile}.original")
        checkpoint.save(self.savefile, self.checkpoint(stopped))

    def recover(self, saved: Checkpoint) -> None:
        """Go on from a save file; CheckpointError where it belongs to another network."""
        found = differences(saved, self.network, self.training, self.origin)
        require_same_network(self.savefile, found.network)
        self.changes = [*saved.changes, *changes_at(saved.iteration, found.training)]
        self.training = with_stream_of(saved, self.training, self.savefile)
        raw = {k: v for k, v in saved.parameters._asdict().items() if k in self.step.network.shapes}
        self.step.load_state({**raw, **saved.optimiser})
        self.iteration = saved.iteration
        self.best = saved.best
        self.costs_history = list(saved.costs_history)
        self.Omega_history = list(saved.Omega_history)
        self.callback_results = saved.callback_results
        self.report = None if saved.report is None else StepReport(*saved.report)
        self.monitor.updates, self.monitor.skipped = self.iteration - 1, saved.skipped
        self.seconds_before = saved.seconds
        for data in (self.gradient_data, self.validation_data):
            data.training = self.training
            if data.name in saved.stored:
                self.draws.redraw(data, saved.stored[data.name])
        self.gradient_data.rng.set_state(saved.rng_gradient)
        self.gradient_data.ntrials = (self.iteration - 1) * self.training.n_gradient
        self.validation_data.rng.set_state(saved.rng_validation)
        logger.info("%s: going on after %d updates", self.savefile, self.iteration - 1)

    @contextlib.contextmanager
    def saved_where_the_task_fails(self) -> Iterator[None]:
        """Save the last whole state where a function of the user's fails, and say so."""
        try:
            yield
        except TaskError as error:
            try:
                self.save()
                where = f"saved in {self.savefile} after {self.iteration - 1} updates"
            except CheckpointError as other:
                where = f"and not saved: {other}"
            raise TaskError(f"{error} (iteration {self.iteration}; {where})") from error

    # -- the loop -------------------------------------------------------------------------------

    def loop(self, interrupted: threading.Event) -> str:
        """Train until something says stop; returns what did, which the save file then says too."""
        while True:
            with self.saved_where_the_task_fails():
                due = self.is_validation_due()
                if due:
                    self.validate()
                reason = reason_to_stop(
                    self.training,
                    self.iteration,
                    self.best.iteration,
                    self.costs_history,
                    interrupted.is_set(),
                )
                if reason == "interrupted":
                    self.save()  # at once: who asked may not wait for a validation
                if reason:
                    self.validate_ending()
            if due or reason:
                self.save(stopped=reason)
            if reason:
                return reason
            with self.saved_where_the_task_fails():
                self.update()

    def update(self) -> None:
        """One gradient step."""
        batch = self.draws.draw(self.gradient_data, self.best.other_costs, self.callback_results)
        self.report = self.monitor.update(self.step, batch)
        self.iteration += 1
        if self.on_update is not None:
            user_call("on_update", self.on_update, self.iteration - 1, self.report)

    def is_at_check(self) -> bool:
        """Whether the present iteration is one of those with a check."""
        return (self.iteration - 1) % self.training.checkfreq == 0

    def is_validated(self) -> bool:
        """Whether a check has validated the present network."""
        history = self.costs_history
        return bool(history) and history[-1][0] == self.gradient_data.ntrials

    def is_validation_due(self) -> bool:
        """At a check; but a save file taken up may hold this check's validation already."""
        within = self.iteration <= self.training.max_iter
        return self.is_at_check() and within and not self.is_validated()

    def validate(self) -> None:
        """Judge the present network on a fresh validation batch, and keep it if it is the best."""
        with self.draws.undone_on_failure(self.validation_data):
            trials, z, costs = self.evaluated()
            if self.training.callback is not None:
                self.callback_results = user_call("callback", self.training.callback, trials, z)
        self.costs_history.append([self.gradient_data.ntrials, costs])
        if self.report is not None:
            Omega = self.training.lambda_Omega * self.report.Omega
            self.Omega_history.append([self.gradient_data.ntrials, Omega])
        is_best = costs[0] < self.best.cost
        if is_best:
            self.best = self.as_best(costs)
        self.log(costs, is_best)
        if self.on_validation is not None:
            user_call("on_validation", self.on_validation, self.gradient_data.ntrials, costs)

    def validate_ending(self) -> None:
        """Judge the network at an ending that is no check; the checks' state stays as it is."""
        if self.is_validated():
            return
        with self.draws.undone(self.validation_data):
            _, _, costs = self.evaluated()
        if math.isfinite(costs[0]):
            self.ending = self.as_best(costs)
        self.log(costs, costs[0] < self.best.cost)

    def evaluated(self) -> tuple[list, np.ndarray, list[float]]:
        """The next validation trials, the outputs for them, and [loss, RMSE, performance]."""
        batch = self.draws.draw(self.validation_data, self.best.other_costs)
        loss, error, z = self.step.evaluate(batch)
        trials, costs = self.validation_data.get_trials(), [loss, error]
        if self.training.performance is not None:
            costs.append(performance_of(self.training.performance, trials, z))
        return trials, z, costs

    def as_best(self, costs: list[float]) -> Best:
        """The present network with what its validation found."""
        return Best(self.iteration, costs[0], costs[1:], self.step.weights, self.step.parameters)

    def log(self, costs: list[float], is_best: bool) -> None:
        """What a validation found."""
        logger.info(
            "%d updates, %.0f s: loss %.6f, RMSE %.6f%s%s%s",
            self.iteration - 1,
            self.seconds,
            *costs[:2],
            "".join(f", performance {value:.2f}" for value in costs[2:]),
            "" if self.report is None else ", Omega {2:.6f}, gradient {1:.6f}".format(*self.report),
            " - new best" if is_best else "",
        )
        if not np.isfinite(costs[0]):
            logger.warning("the validation loss is %s; a lower learning_rate may help", costs[0])


def performance_of(performance: Callable, trials: list, z: np.ndarray) -> float:
    """What the task's `performance` says; TaskError where that is not one finite number."""
    value = user_call("performance", performance, trials, z)
    number = np.asarray(value)
    if number.ndim or number.dtype.kind not in "biuf" or not np.isfinite(number):
        raise TaskError(
            f"performance returned {str(value)[:60]}, expected one finite number for all trials"
        )
    return float(number)
