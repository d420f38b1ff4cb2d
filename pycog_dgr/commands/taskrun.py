"""One training of one task, and everything made from it, in one folder.

    runs/examples/rdm_fixed/seed-100/
        rdm_fixed.npz         the network while and after it is trained (checkpoint.py)
        rdm_fixed_init.npz    the untrained network
        trials.npz            test trials of the best network (trials.py)
        rdm_fixed.png         the task's own figure, drawn from the trials
        costs.png, structure.png, run.png, restingstate.png    where they were asked for

    run = open_run("examples/tasks/rdm_fixed.py", seed=100)
    train(run)
    make_trials(run)
    draw_figure(run)

Each step goes on from the files of the one before, so it can be done again alone. A task's own
figure is what `draw(trials, rnn)` returns in the file of the same name in the folder `analysis`
beside the task's folder; a task without one gets the general figure of a few of its trials. The
drawing file may say in `n_trials` how many trials its figure wants.
"""

import contextlib
import importlib.util
import io
import logging
import sys
from pathlib import Path
from typing import NamedTuple

from pycog_dgr.commands.figure import draw_run as draw_run_folder
from pycog_dgr.config import setting_names
from pycog_dgr.errors import PycogDgrError, TaskError
from pycog_dgr.files import (
    DamagedError,
    load_or_previous,
    open_save,
    previous,
    write_atomically,
)
from pycog_dgr.running.rnn import RNN
from pycog_dgr.running.trials import Trials, simulate_trials
from pycog_dgr.tasks.model import Model

logger = logging.getLogger(__name__)

RUNS = Path("runs/examples")
SEED = 100  # of the initial weights; the original's do.py has the same
TRIAL_SEED = 1  # of the test trials
N_TRIALS = 1000  # test trials, where neither the caller nor the task's figure says how many
N_SHOWN = 3  # trials in the general figure
RESTING = 3000  # ms without input
RESOLUTION = 150  # dots per inch
CRITERIA = ("min_error", "terminate")  # reasons to stop that a task states as its goal
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
    def name(self):
        return self.modelfile.stem

    @property
    def savefile(self):
        return self.folder / f"{self.name}.npz"

    @property
    def trialsfile(self):
        return self.folder / "trials.npz"

    def picture(self, name):
        """Where the figure called `name` is kept."""
        return self.folder / f"{name}.png"


def open_run(modelfile, seed=SEED, folder=None, changes=None):
    """The TaskRun of a model file; nothing is written.

    seed     of the initial weights; a model file's own `seed` goes first
    folder   default: runs/examples/TASK/seed-SEED under the current folder
    changes  setting -> value instead of the model file's

    TaskError or SettingError where the file cannot be used.
    """
    modelfile = Path(modelfile)
    model = Model(modelfile)
    if changes:
        known = setting_names()
        given = {name: value for name, value in vars(model.m).items() if name in known}
        model = Model(task=model.task, **{**given, **changes})
    seed = model.training.seed if model.has_own_seed else seed
    folder = RUNS / modelfile.stem / f"seed-{seed}" if folder is None else Path(folder)
    return TaskRun(modelfile, model, seed, folder)


# -- training -----------------------------------------------------------------------------------


def saved(run):
    """The Checkpoint of the run so far, None before the first; see load_or_previous."""
    if not run.savefile.exists() and not previous(run.savefile).exists():
        return None
    return load_or_previous(run.savefile, open_save, DamagedError)


def is_finished(save, training):
    """Whether going on would change nothing: it stopped, and not for want of time."""
    if save.stopped == "max_iter":
        return save.iteration > training.max_iter
    return save.stopped in (*CRITERIA, "patience")


def train(run, **options):
    """Train, or go on where it was stopped; a finished training is left as it is.

    options   of training.train: on_update, on_validation, optimiser, ...

    Returns the Checkpoint; its `stopped` says why training ended. Errors as of training.train.
    """
    save = saved(run)
    if save is not None and is_finished(save, run.model.training):
        return save
    run.folder.mkdir(parents=True, exist_ok=True)
    run.model.train(run.savefile, seed=run.seed, progress=False, **options)
    return saved(run)


def trials_done(save):
    """Trials trained on, over all resumptions; validations are not counted."""
    return (save.iteration - 1) * save.settings["n_gradient"]


# -- test trials --------------------------------------------------------------------------------


def network(run, dt=None):
    """The best network of the run; dt in ms, the one of the training where it is None."""
    return RNN(run.savefile, None if dt is None else {"dt": dt}, verbose=False)


def make_trials(run, n_trials=None, seed=TRIAL_SEED, dt=None, dt_save=None):
    """Simulate test trials and save them in trials.npz; returns them.

    n_trials     default: what the task's figure wants, or N_TRIALS
    dt, dt_save  time step and time between samples, ms; see trials.simulate_trials
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


def has_trials(run):
    """Whether trials.npz holds trials of the network as it is now."""
    trials, save = run.trialsfile, run.savefile
    return trials.exists() and trials.stat().st_mtime >= save.stat().st_mtime


# -- figures ------------------------------------------------------------------------------------


def figure_file(run):
    """The file that draws the task's own figure, or None."""
    path = run.modelfile.resolve().parent.parent / "analysis" / f"{run.name}.py"
    return path if path.is_file() else None


def draw_figure(run):
    """Draw the task's own figure from its saved trials; returns the picture's path."""
    drawing = figure_file(run)
    if drawing is None:
        trials = Trials.load(run.trialsfile).select(slice(N_SHOWN))
        return write_picture(run, run.name, few_trials(run, trials))
    with loaded(drawing) as module:
        if not callable(getattr(module, "draw", None)):
            raise TaskError(f"{drawing}: no function draw(trials, rnn) that returns a figure")
        return draw_run_folder(module.draw, run.name, run.folder)


def draw_costs(run):
    """Draw what the objective and the error were during training."""
    return write_picture(run, "costs", network(run).plot_costs())


def draw_structure(run):
    """Draw the weights as matrices, and their distributions."""
    return write_picture(run, "structure", network(run).plot_structure())


def draw_run(run, n_trials=N_SHOWN, seed=TRIAL_SEED, dt=None):
    """Run a few test trials and draw them: inputs, rates, outputs."""
    trials = simulate_trials(network(run, dt), run.model.task, n_trials, seed)
    return write_picture(run, "run", few_trials(run, trials))


def draw_resting_state(run, duration=RESTING, seed=TRIAL_SEED, dt=None):
    """Run the network for `duration` ms without input, noise and baseline only, and draw it."""
    from pycog_dgr.analysis.figures import trials as trial_figures

    rnn = network(run, dt)
    rnn.run(T=duration, seed=seed)
    return write_picture(run, "restingstate", trial_figures.plot_resting_state(rnn))


def few_trials(run, trials):
    from pycog_dgr.analysis.figures import (
        trials as trial_figures,  # matplotlib only where a figure is asked for
    )

    return trial_figures.plot_trials(
        trials, run.model.training.structure, f"{run.name}, test trials"
    )


def write_picture(run, name, figure):
    """Write a figure into the run's folder, whole or not at all; returns its path."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=RESOLUTION)
    path = run.picture(name)
    write_atomically(path, buffer.getvalue())
    return path


@contextlib.contextmanager
def loaded(path):
    """The module in a file, for as long as the block lasts; its folder can be imported from."""
    spec = importlib.util.spec_from_file_location(f"figure_of_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(path.parent))


# -- removing -----------------------------------------------------------------------------------


def files(run):
    """The files in the run's folder that these steps write, save files first."""
    networks = [run.folder / f"{run.name}{end}.npz" for end in ("", "_init", "_diverged")]
    candidates = [
        *networks, *map(previous, networks), run.trialsfile,
        *(run.picture(name) for name in (run.name, *FIGURES)),
    ]  # fmt: skip
    return [path for path in candidates if path.exists()]


def remove(run):
    """Remove the run's files, and its folder if that held nothing else; returns what stays."""
    for path in files(run):
        path.unlink()
    others = sorted(run.folder.iterdir())
    if not others:
        run.folder.rmdir()
    return others


def require(run):
    """PycogDgrError where nothing was trained yet."""
    if not run.savefile.exists():
        raise PycogDgrError(f"{run.savefile}: not there yet; train first")
