"""The training loop: validate, keep the best network, save, stop; otherwise one gradient step.

Before iterations 1, 1 + checkfreq, 1 + 2 checkfreq, ... the network is validated on a fresh batch:

    cost = loss + regularisers, RMSE, performance(trials, z) if the task has one

The lowest cost so far is the best network. Then, in this order, training stops when RMSE <=
min_error, when terminate(history of the last of these numbers) is true, or, at any iteration, when
the best is more than `patience` iterations old; at last after max_iter iterations.

Source: Song, Yang & Wang, PLoS Comput. Biol. 12, e1004792 (2016), as in the original's code: two
datasets with random streams of their own, both kept in the save file; `callback(trials, z)` and the
best costs are handed on to the task with every trial.
"""

import contextlib
import dataclasses
import logging
import signal
import threading
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pycog_dgr.config import Connectivity, setting_values
from pycog_dgr.data import Dataset
from pycog_dgr.errors import CheckpointError, SettingError
from pycog_dgr.files import (
    Best,
    Checkpoint,
    DamagedError,
    checkpoint,
    is_legacy,
    keep_previous,
    load_or_previous,
    lock,
    open_save,
    previous,
    remove_partial_files,
    require_folder,
)
from pycog_dgr.network import initial_parameters
from pycog_dgr.training.divergence import Watch
from pycog_dgr.training.step import StepReport, TrainingStep

logger = logging.getLogger(__name__)

NETWORK_IDENTITY = (
    "Nin", "N", "Nout", "ei", "ei_positive_func", "Cin", "Crec", "Cout",
    "hidden_activation", "output_activation",
)  # fmt: skip
ENDS = {
    "min_error": "the error is at most min_error",
    "terminate": "the task's terminate says so",
    "patience": "no better network within patience",
    "max_iter": "max_iter is reached",
    "interrupted": "interrupted",
}


class Result(NamedTuple):
    """Why training stopped ('min_error', 'terminate', 'patience', 'max_iter' or 'interrupted'),
    after how many iterations, and what the save file holds."""

    reason: str
    iterations: int
    checkpoint: Checkpoint


def train(
    task,
    network,
    training,
    savefile,
    *,
    recover=True,
    floatX="float32",
    backend="auto",
    optimiser=None,
    penalties=(),
    dropout=None,
    on_update=None,
    on_validation=None,
):
    """Train a network on a task, saving to `savefile` at every validation.

    task, network, training   see dataset.Task, config.NetworkConfig and config.TrainingConfig
    recover     go on from `savefile` where it exists, ours or the original's; otherwise start
                anew (the file is replaced at the first save)
    floatX, backend, optimiser, penalties, dropout   see step.TrainingStep
    on_update      called as on_update(updates done, StepReport) after every update
    on_validation  called as on_validation(trials, [loss, RMSE, performance]) after every validation

    The initial network is saved as NAME_init.EXT, the first update that went wrong, if one did, as
    NAME_diverged.npz (divergence.py). A damaged `savefile` is set aside and the one before it is
    used. Ctrl-C saves and stops after the present iteration. Returns a Result. Raises
    SettingError, TaskError, CheckpointError, BackendError.
    """
    if not network.Nout:
        raise SettingError("setting Nout: a network without outputs has no loss to train on")
    if not network.n_trained:
        raise SettingError(
            "nothing to train: no connection of Cin, Crec and Cout is plastic, and neither biases "
            "nor initial state are trained; give plastic connections, or train_x0=True"
        )
    savefile = Path(savefile)
    require_folder(savefile)
    options = {"backend": backend, "optimiser": optimiser}
    options |= {"penalties": penalties, "dropout": dropout}
    run = Run(task, network, training, savefile, floatX, options)
    run.on_update, run.on_validation = on_update, on_validation
    with lock(savefile):
        remove_partial_files(savefile)
        if recover and (savefile.exists() or previous(savefile).exists()):
            run.recover(load_or_previous(savefile, open_save, DamagedError))
        else:
            initial = savefile.with_name(f"{savefile.stem}_init{savefile.suffix}")
            checkpoint.save(initial, run.checkpoint())
        with interruptible() as interrupted:
            reason = run.loop(interrupted)
    logger.info(
        "stopped after %d updates: %s; the guard against explosions stepped in at %d of them",
        run.iteration - 1,
        ENDS[reason],
        run.watch.guarded,
    )
    return Result(reason, run.iteration - 1, run.checkpoint(stopped=reason))


class Run:
    """The state of one training; `iteration` is the one to be done next, 1-based."""

    def __init__(self, task, network, training, savefile, floatX, options):
        self.training = training
        self.savefile = savefile
        self.network = network  # as given: its fixed weights are not rescaled yet
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
        parameters, network = initial_parameters(network, training.seed)
        self.step = TrainingStep(network, training, parameters, floatX, **options)
        self.watch = Watch(savefile.with_name(f"{savefile.stem}_diverged.npz"))
        self.iteration = 1
        self.best = Best(1, np.inf, [], self.step.weights, self.step.parameters)
        self.costs_history = []
        self.Omega_history = []
        self.callback_results = None
        self.stored = {}
        self.report = None
        self.on_update = self.on_validation = None
        self.started = time.monotonic()
        self.seconds_before = 0.0  # of the runs that this one goes on from

    # -- save files -----------------------------------------------------------------------------

    @property
    def seconds(self):
        """Time spent on this training so far, by the clock, compiling and validations included."""
        return self.seconds_before + time.monotonic() - self.started

    def checkpoint(self, stopped=None):
        own = self.step.network.shapes
        return Checkpoint(
            settings=setting_values(self.network, self.training),
            trained=self.step.network.trained,
            iteration=self.iteration,
            parameters=self.step.parameters,
            best=self.best,
            costs_history=list(self.costs_history),
            Omega_history=list(self.Omega_history),
            rng_gradient=self.gradient_data.rng.get_state(),
            rng_validation=self.validation_data.rng.get_state(),
            optimiser={k: v for k, v in self.step.state().items() if k not in own},
            callback_results=self.callback_results,
            stored={name: dict(where) for name, where in self.stored.items()},
            report=None if self.report is None else list(self.report),
            skipped=self.watch.guarded,
            seconds=self.seconds,
            stopped=stopped,
        )

    def save(self, stopped=None):
        if is_legacy(self.savefile):  # never lose the original's file to ours
            keep_previous(self.savefile, f"{self.savefile}.original")
        checkpoint.save(self.savefile, self.checkpoint(stopped))

    def recover(self, saved):
        """Go on from a save file; CheckpointError where it belongs to another network."""
        own = setting_values(self.network, self.training)
        differing = [
            name
            for name in self.identity()
            if name in saved.settings and not _same(saved.settings[name], own[name])
        ]
        if set(saved.trained) != set(self.step.network.trained):
            differing.append("the trained parameters")
        if differing:
            raise CheckpointError(
                f"{self.savefile}: saved by a network with different {', '.join(differing)}; "
                "train with recover=False to start anew, or save under another name"
            )
        raw = {k: v for k, v in saved.parameters._asdict().items() if k in self.step.network.shapes}
        self.step.load_state({**raw, **saved.optimiser})
        self.iteration = saved.iteration
        self.best = saved.best
        self.costs_history = list(saved.costs_history)
        self.Omega_history = list(saved.Omega_history)
        self.callback_results = saved.callback_results
        self.report = None if saved.report is None else StepReport(*saved.report)
        self.watch.updates, self.watch.guarded = self.iteration - 1, saved.skipped
        self.seconds_before = saved.seconds
        stream = saved.settings.get("noise_stream", "original")  # older files do not name it
        if stream != self.training.noise_stream:
            logger.info("%s: going on with its noise_stream, %s", self.savefile, stream)
        self.training = dataclasses.replace(self.training, noise_stream=stream)
        for data in (self.gradient_data, self.validation_data):
            data.training = self.training
            if data.name in saved.stored:
                self.redraw(data, saved.stored[data.name])
        self.gradient_data.rng.set_state(saved.rng_gradient)
        self.gradient_data.ntrials = (self.iteration - 1) * self.training.n_gradient
        self.validation_data.rng.set_state(saved.rng_validation)
        logger.info("%s: going on after %d updates", self.savefile, self.iteration - 1)

    def identity(self):
        """Settings that a save file must share; the seed scales fixed recurrent weights."""
        fixed = ("seed", "rho0") if self.step.network.Crec.nfixed else ()
        return (*NETWORK_IDENTITY, *fixed)

    # -- the loop -------------------------------------------------------------------------------

    def loop(self, interrupted):
        """Train until something says stop; returns what did, which the save file then says too."""
        while True:
            due = self.is_validation_due()
            if due:
                self.validate()
            reason = self.reason_to_stop(interrupted)
            if due or reason:
                self.save(stopped=reason)
            if reason:
                return reason
            batch = self.draw(self.gradient_data, self.best.other_costs, self.callback_results)
            self.report = self.watch.update(self.step, batch)
            self.iteration += 1
            if self.on_update is not None:
                self.on_update(self.iteration - 1, self.report)

    def draw(self, data, *given):
        """A dataset's next minibatch; of a stored batch, note what that was drawn from."""
        if data.batch_size == data.minibatch_size:
            return data(*given)
        before = data.rng.get_state()
        batch = data(*given)
        if data.trial_idx == 0:
            self.stored[data.name] = {"rng": before, "given": given}
        self.stored[data.name]["trial_idx"] = data.trial_idx
        return batch

    def redraw(self, data, stored):
        """Have a dataset stand in its batch where it stood."""
        data.rng.set_state(tuple(stored["rng"]))
        self.draw(data, *stored["given"])
        data.trial_idx = self.stored[data.name]["trial_idx"] = stored["trial_idx"]

    def is_at_check(self):
        return (self.iteration - 1) % self.training.checkfreq == 0

    def is_validation_due(self):
        """At a check; but a save file taken up may hold this check's validation already."""
        history = self.costs_history
        validated = history and history[-1][0] == self.gradient_data.ntrials
        return self.is_at_check() and self.iteration <= self.training.max_iter and not validated

    def reason_to_stop(self, interrupted):
        """One of ENDS, or None."""
        if self.iteration > self.training.max_iter:
            return "max_iter"
        if self.is_at_check():
            last = np.array([costs[-1] for _, costs in self.costs_history])
            if self.costs_history[-1][1][1] <= self.training.min_error:
                return "min_error"
            if self.training.terminate is not None and self.training.terminate(last):
                return "terminate"
        if self.iteration - self.best.iteration > self.training.patience:
            return "patience"
        return "interrupted" if interrupted.is_set() else None

    def validate(self):
        """Judge the present network on a fresh validation batch, and keep it if it is the best."""
        batch = self.draw(self.validation_data, self.best.other_costs)
        loss, error, z = self.step.evaluate(batch)
        costs = [loss, error]
        trials = self.validation_data.get_trials()
        if self.training.performance is not None:
            costs.append(float(self.training.performance(trials, z)))
        if self.training.callback is not None:
            self.callback_results = self.training.callback(trials, z)
        self.costs_history.append([self.gradient_data.ntrials, costs])
        if self.report is not None:
            Omega = self.training.lambda_Omega * self.report.Omega
            self.Omega_history.append([self.gradient_data.ntrials, Omega])
        is_best = loss < self.best.cost
        if is_best:
            self.best = Best(
                self.iteration, loss, costs[1:], self.step.weights, self.step.parameters
            )
        self.log(costs, is_best)
        if self.on_validation is not None:
            self.on_validation(self.gradient_data.ntrials, costs)

    def log(self, costs, is_best):
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


def _same(saved, own):
    """Whether two settings agree: masks by what they allow and fix, numbers to rounding."""
    if saved is None or own is None:
        return saved is own
    if isinstance(own, Connectivity):
        if not isinstance(saved, Connectivity) or saved.shape != own.shape:
            return False
        return np.array_equal(saved.mask_plastic, own.mask_plastic) and np.allclose(
            saved.mask_fixed, own.mask_fixed
        )
    return np.array_equal(saved, own)


@contextlib.contextmanager
def interruptible():
    """An event that Ctrl-C sets instead of raising; a second Ctrl-C raises as usual.

    In other threads than the main one, where signals cannot be caught, it is never set.
    """
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted
        return

    def handle(signum, frame):
        if interrupted.is_set():
            raise KeyboardInterrupt
        logger.warning("interrupted: saving after this iteration (Ctrl-C again to stop at once)")
        interrupted.set()

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)
