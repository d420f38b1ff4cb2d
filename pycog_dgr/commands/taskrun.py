"""One training of one task, and everything made from it, in one folder.

    runs/examples/rdm_fixed/seed-100/
        rdm_fixed.npz         the network while and after it is trained (files/checkpoint.py)
        rdm_fixed_init.npz    the untrained network
        machine.json          where it was trained, in how much CPU time (files/provenance.py)
        train.log             lines of a training beside others (seeds.py)
        trials.npz            test trials of the best network (running/trials.py)
        rdm_fixed.png         the task's own figure, drawn from the trials (pictures.py)
        costs.png, structure.png, run.png, restingstate.png    where they were asked for

    run = open_run("examples/tasks/rdm_fixed.py", seed=100)
    train(run)
    make_trials(run)

Each step goes on from the files of the one before, so it can be done again alone; what they hold is
compared with what is asked for now. The file that draws the task's own figure has the same name, in
the folder `analysis` beside the task's folder, and may say in `n_trials` how many trials its figure
wants.
"""

import contextlib
import dataclasses
import importlib.util
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from pycog_dgr.config import TrainingConfig, setting_names, suggestion
from pycog_dgr.errors import PycogDgrError, SettingError, TaskError
from pycog_dgr.files import (
    Checkpoint,
    DamagedError,
    load_or_previous,
    open_save,
    previous,
    provenance,
    remove_partial_files,
)
from pycog_dgr.files.npz import shortened
from pycog_dgr.running import RNN, Trials, simulate_trials
from pycog_dgr.tasks.model import Model
from pycog_dgr.training import stopping
from pycog_dgr.training.resume import differences, origin_of, require_same_network

logger = logging.getLogger(__name__)

RUNS = Path("runs/examples")
SEED = 100  # of the initial weights; the original's do.py has the same
TRIAL_SEED = 1  # of the test trials
N_TRIALS = 1000  # test trials, where neither the caller nor the task's figure says how many
N_SHOWN = 3  # trials in the general figure
RESTING = 3000  # ms without input
CRITERIA = stopping.CRITERIA
FIGURES = (  # besides the task's own
    "costs", "structure", "run", "restingstate", "structure_init", "restingstate_init",
)  # fmt: skip


class TaskRun(NamedTuple):
    """A task's model file, the model in it, the seed of the initial weights, and the folder."""

    modelfile: Path
    model: Model
    seed: int
    folder: Path

    @property
    def name(self) -> str:
        """The task's name, its file's without the ending."""
        return self.modelfile.stem

    @property
    def savefile(self) -> Path:
        """Where the network is kept."""
        return self.folder / f"{self.name}.npz"

    @property
    def machinefile(self) -> Path:
        """Where is kept which machine trained it."""
        return self.folder / "machine.json"

    @property
    def logfile(self) -> Path:
        """What a training wrote that was one of several seeds at a time."""
        return self.folder / "train.log"

    @property
    def trialsfile(self) -> Path:
        """Where the test trials are kept."""
        return self.folder / "trials.npz"

    @property
    def training(self) -> TrainingConfig:
        """How the network is trained, with this run's seed."""
        return dataclasses.replace(self.model.training, seed=self.seed)

    def picture(self, name: str) -> Path:
        """Where the figure called `name` is kept."""
        return self.folder / f"{name}.png"


def open_run(
    modelfile: str | Path,
    seed: int = SEED,
    folder: str | Path | None = None,
    changes: dict[str, Any] | None = None,
) -> TaskRun:
    """The TaskRun of a model file; nothing is written.

    Parameters
    ----------
    modelfile
        The task's file.
    seed
        Of the initial weights; a model file's own `seed` goes first.
    folder
        Default: runs/examples/TASK/seed-SEED under the current folder.
    changes
        Setting -> value instead of the model file's.

    Raises
    ------
    TaskError, SettingError
        Where the file cannot be used.
    """
    modelfile = Path(modelfile)
    model = Model(modelfile)
    if changes:
        known = setting_names()
        for name in changes:
            if name not in known:  # Model takes `task` and `generate_trial` as well
                raise SettingError(f"unknown setting {shortened(name)!r}{suggestion(name, known)}")
        given = {name: value for name, value in vars(model.m).items() if name in known}
        model = Model(task=model.task, **{**given, **changes})
    seed = model.training.seed if model.has_own_seed else seed
    folder = RUNS / modelfile.stem / f"seed-{seed}" if folder is None else Path(folder)
    return TaskRun(modelfile, model, seed, folder)


# -- training -----------------------------------------------------------------------------------


def saved(run: TaskRun) -> Checkpoint | None:
    """The Checkpoint of the run so far, None before the first; see load_or_previous."""
    if not run.savefile.exists() and not previous(run.savefile).exists():
        return None
    return load_or_previous(run.savefile, open_save, DamagedError)


def is_done(run: TaskRun, save: Checkpoint) -> bool:
    """Whether going on would change nothing: it stopped for a reason that still holds.

    CheckpointError where the file is of another network than the one asked for; a training under
    other settings than those asked for is finished all the same, and the log names them.
    """
    if not stopping.is_finished(save, run.training):
        return False
    _compare(run, save)
    return True


def train(run: TaskRun, **options: Any) -> Checkpoint:
    """Train, or go on where it was stopped; a finished training is left as it is.

    Parameters
    ----------
    run
        The task's run.
    options
        Of training.train: on_update, on_validation, optimiser, ...

    Returns
    -------
    Checkpoint
        Its `stopped` says why training ended.

    Raises
    ------
    PycogDgrError
        As training.train does.
    TrainingInterrupted
        A signal stopped it; it is saved.
    """
    save = saved(run)
    if save is None or not is_done(run, save):
        run.folder.mkdir(parents=True, exist_ok=True)
        with provenance.recorded(run.machinefile):
            run.model.train(run.savefile, seed=run.seed, progress=False, **options)
        save = saved(run)
    assert save is not None
    return save


def trials_done(save: Checkpoint) -> int:
    """Trials trained on, over all resumptions; validations are not counted."""
    return (save.iteration - 1) * save.settings["n_gradient"]


def require(run: TaskRun) -> Checkpoint:
    """The run's save file; PycogDgrError where nothing was trained yet, or another network."""
    save = saved(run)
    if save is None:
        raise PycogDgrError(f"{run.savefile}: not there yet; train first")
    _compare(run, save)
    return save


def _compare(run: TaskRun, save: Checkpoint) -> None:
    """CheckpointError where the network is another one; the log names another training."""
    origin = origin_of(run.model.task, run.training)
    found = differences(save, run.model.network, run.training, origin)
    require_same_network(run.savefile, found.network)
    for one in found.training:
        logger.warning(
            "%s: %s is now %s, but it was trained with %s; `clean` and train again to change that",
            run.savefile, one.name, one.here, one.there,
        )  # fmt: skip


# -- test trials --------------------------------------------------------------------------------


def network(run: TaskRun, dt: float | None = None) -> RNN:
    """The best network of the run; dt in ms, the one of the training where it is None."""
    return RNN(run.savefile, None if dt is None else {"dt": dt}, verbose=False)


def make_trials(
    run: TaskRun,
    n_trials: int | None = None,
    seed: int = TRIAL_SEED,
    dt: float | None = None,
    dt_save: float | None = None,
) -> Trials:
    """Simulate test trials and save them in trials.npz.

    Parameters
    ----------
    run
        The task's run.
    n_trials
        Default: what the task's figure wants, or N_TRIALS.
    seed
        Of the trials.
    dt, dt_save
        Time step and time between samples, ms; see simulate_trials.

    Returns
    -------
    Trials
        The trials.
    """
    if n_trials is None:
        drawing = figure_file(run)
        n_trials = N_TRIALS
        if drawing is not None:
            with loaded(drawing) as module:
                n_trials = getattr(module, "n_trials", N_TRIALS)
    trials = simulate_trials(network(run, dt), run.model.task, n_trials, seed, dt_save)
    trials.save(run.trialsfile)
    return trials


def has_trials(run: TaskRun) -> bool:
    """Whether trials.npz holds trials of the network as it is now, on the task as it is now."""
    if not run.trialsfile.exists():
        return False
    try:
        trials = Trials.load(run.trialsfile)
    except DamagedError as error:
        logger.warning("%s", error)
        return False
    if not trials.origin:  # of an older version, which judged by the files' times
        return run.trialsfile.stat().st_mtime >= run.savefile.stat().st_mtime
    return not trials.differences(network(run), run.model.task)


# -- figures ------------------------------------------------------------------------------------


def figure_file(run: TaskRun) -> Path | None:
    """The file that draws the task's own figure, or None."""
    path = run.modelfile.resolve().parent.parent / "analysis" / f"{run.name}.py"
    return path if path.is_file() else None


@contextlib.contextmanager
def loaded(path: Path) -> Iterator[ModuleType]:
    """The module in a file, for as long as the block lasts; its folder can be imported from."""
    spec = importlib.util.spec_from_file_location(f"figure_of_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise TaskError(f"{path}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(path.parent))


# -- removing -----------------------------------------------------------------------------------


def files(run: TaskRun) -> list[Path]:
    """The files in the run's folder that these steps write, save files first."""
    networks = [run.folder / f"{run.name}{end}.npz" for end in ("", "_init", "_diverged")]
    candidates = [
        *networks, *map(previous, networks), run.machinefile, run.logfile, run.trialsfile,
        *(run.picture(name) for name in (run.name, *FIGURES)),
    ]  # fmt: skip
    return [path for path in candidates if path.exists()]


def remove(run: TaskRun) -> list[Path]:
    """Remove the run's files, and its folder if that held nothing else; returns what stays."""
    for path in files(run):
        path.unlink()
        remove_partial_files(path)
    others = sorted(run.folder.iterdir())
    if not others:
        run.folder.rmdir()
    return others
