"""`train`: a network, a task, a save file. The loop itself is run.py's."""

import logging
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from pycog_dgr.config import NetworkConfig, TrainingConfig
from pycog_dgr.data import Task
from pycog_dgr.errors import CheckpointError, SettingError
from pycog_dgr.files import (
    Checkpoint,
    DamagedError,
    checkpoint,
    load_or_previous,
    lock,
    open_save,
    previous,
    remove_partial_files,
    require_folder,
)
from pycog_dgr.symbolic.objective import Penalty
from pycog_dgr.symbolic.optimisers import Transform
from pycog_dgr.training.divergence import divergence_file
from pycog_dgr.training.dropout import RecurrentDropout
from pycog_dgr.training.interrupt import interruptible
from pycog_dgr.training.resume import origin_of, start_values
from pycog_dgr.training.run import TrainingRun
from pycog_dgr.training.step import StepReport
from pycog_dgr.training.stopping import ENDS

logger = logging.getLogger(__name__)


class Result(NamedTuple):
    """How a training ended.

    reason      one of ENDS: 'min_error', 'terminate', 'patience', 'max_iter', 'interrupted'
    iterations  updates done, over all resumptions
    checkpoint  what the save file holds
    """

    reason: str
    iterations: int
    checkpoint: Checkpoint

    def __repr__(self) -> str:
        return f"Result({self.reason}: {ENDS[self.reason]}; {self.iterations:,} updates)"


def train(
    task: Task,
    network: NetworkConfig,
    training: TrainingConfig,
    savefile: str | Path,
    *,
    recover: bool = True,
    start: str | Path | None = None,
    floatX: str = "float32",
    backend: str = "auto",
    optimiser: Transform | None = None,
    penalties: tuple[Penalty, ...] = (),
    dropout: RecurrentDropout | None = None,
    on_update: Callable[[int, StepReport], Any] | None = None,
    on_validation: Callable[[int, list[float]], Any] | None = None,
) -> Result:
    """Train a network on a task, saving to `savefile` at every validation and at the end.

    The initial network is saved as NAME_init.EXT, the first update that went wrong, if one did, as
    NAME_diverged.npz (divergence.py). A damaged `savefile` is set aside and the one before it is
    used. SIGINT (Ctrl-C), SIGTERM and SIGHUP save and stop after the present iteration; where a
    function of the task's fails, the last whole state is saved.

    Parameters
    ----------
    task
        Anything with generate_trial.
    network, training
        The settings.
    savefile
        Where it is saved; its folder must exist.
    recover
        Go on from `savefile` where it exists, ours or the original's; otherwise start anew (the
        file is replaced at the first save).
    start
        Another save file, whose best network is where a new training starts: its weights are taken
        over, history, best network and patience begin anew. Where `savefile` is gone on from, it
        must have been started from the same weights.
    floatX, backend, optimiser, penalties, dropout
        See TrainingStep.
    on_update
        Called as on_update(updates done, StepReport) after every update.
    on_validation
        Called as on_validation(trials, [loss, RMSE, performance]) after every check.

    Returns
    -------
    Result
        Why it stopped, after how many updates, and what the save file holds.

    Raises
    ------
    SettingError
        Nothing can be trained under these settings.
    TaskError
        A function of the task's fails, or returns what it should not; names trial and iteration.
    CheckpointError
        `savefile` cannot be written, is of another network, or is in use by another process.
    BackendError
        The compiled backend cannot be built.
    """
    _require_trainable(network)
    savefile = Path(savefile)
    require_folder(savefile)
    origin = origin_of(task, training, floatX=floatX, version=_version())
    started_from = None
    if start is not None:
        started_from, origin["start"] = start_values(start, network, training)
    options: dict[str, Any] = {"backend": backend, "optimiser": optimiser}
    options |= {"penalties": penalties, "dropout": dropout}
    run = TrainingRun(
        task, network, training, savefile, floatX, options,
        start=started_from, origin=origin, on_update=on_update, on_validation=on_validation,
    )  # fmt: skip
    initial = savefile.with_name(f"{savefile.stem}_init{savefile.suffix}")
    with lock(savefile):
        for path in (savefile, initial, divergence_file(savefile)):
            remove_partial_files(path)
        if recover and (savefile.exists() or previous(savefile).exists()):
            saved = load_or_previous(savefile, open_save, DamagedError)
            _require_same_start(savefile, saved, start, origin)
            run.recover(saved)
        else:
            checkpoint.save(initial, run.checkpoint())
        with interruptible() as interrupted:
            reason = run.loop(interrupted)
    logger.info(
        "stopped after %d updates: %s; the guard against explosions stepped in at %d of them",
        run.iteration - 1,
        ENDS[reason],
        run.monitor.skipped,
    )
    return Result(reason, run.iteration - 1, run.checkpoint(stopped=reason))


def _require_trainable(network: NetworkConfig) -> None:
    if not network.Nout:
        raise SettingError("setting Nout: a network without outputs has no loss to train on")
    if not network.n_trained:
        raise SettingError(
            "nothing to train: no connection of Cin, Crec and Cout is plastic, and neither biases "
            "nor initial state are trained; give plastic connections, or train_x0=True"
        )


def _require_same_start(
    savefile: Path, saved: Checkpoint, start: str | Path | None, origin: dict[str, Any]
) -> None:
    if start is not None and saved.origin.get("start") != origin["start"]:
        raise CheckpointError(
            f"{savefile}: was not started from the network that {start} holds now; save under "
            "another name, start anew with recover=False, or leave start out to go on"
        )


def _version() -> str:
    try:
        return version("dgr")
    except PackageNotFoundError:
        return "unknown"
