"""The figures of a task's run, each written into the run's folder.

A task's own figure is what `draw(trials, rnn)` returns in its drawing file (taskrun.figure_file); a
task without one gets the general figure of a few of its trials.
"""

import io
from pathlib import Path
from typing import Any

from pycog_dgr.commands.figure import draw_run as draw_run_folder
from pycog_dgr.commands.taskrun import (
    N_SHOWN,
    RESTING,
    TRIAL_SEED,
    TaskRun,
    figure_file,
    loaded,
    network,
)
from pycog_dgr.data import readable
from pycog_dgr.errors import TaskError
from pycog_dgr.files import write_atomically
from pycog_dgr.running import Trials, simulate_trials

RESOLUTION = 150  # dots per inch


def draw_figure(run: TaskRun) -> Path:
    """Draw the task's own figure from its saved trials; returns the picture's path."""
    drawing = figure_file(run)
    if drawing is None:
        trials = Trials.load(run.trialsfile)
        trials.require_of(network(run), run.model.task, run.trialsfile)
        return write_picture(run, run.name, few_trials(run, trials.select(slice(N_SHOWN))))
    with loaded(drawing) as module:
        if not callable(getattr(module, "draw", None)):
            raise TaskError(f"{drawing}: no function draw(trials, rnn) that returns a figure")
        return draw_run_folder(module.draw, run.name, run.folder, run.model.task)


def draw_costs(run: TaskRun) -> Path:
    """Draw what the objective and the error were during training."""
    return write_picture(run, "costs", network(run).plot_costs())


def draw_structure(run: TaskRun) -> Path:
    """Draw the weights as matrices, and their distributions."""
    return write_picture(run, "structure", network(run).plot_structure())


def draw_run(
    run: TaskRun, n_trials: int = N_SHOWN, seed: int = TRIAL_SEED, dt: float | None = None
) -> Path:
    """Run a few test trials and draw them: inputs, rates, outputs."""
    trials = simulate_trials(network(run, dt), run.model.task, n_trials, seed)
    return write_picture(run, "run", few_trials(run, trials))


def draw_resting_state(
    run: TaskRun, duration: float = RESTING, seed: int = TRIAL_SEED, dt: float | None = None
) -> Path:
    """Run the network for `duration` ms without input, noise and baseline only, and draw it."""
    from pycog_dgr.analysis.figures import trials as trial_figures  # matplotlib, only here

    rnn = network(run, dt)
    rnn.run(T=duration, seed=seed)
    return write_picture(run, "restingstate", trial_figures.plot_resting_state(rnn))


def few_trials(run: TaskRun, trials: Trials) -> Any:
    """The general figure of up to six trials."""
    from pycog_dgr.analysis.figures import trials as trial_figures  # matplotlib, only here

    labels = run.model.training.structure
    return trial_figures.plot_trials(trials, labels, f"{readable(run.name)}, test trials")


def write_picture(run: TaskRun, name: str, figure: Any) -> Path:
    """Write a figure into the run's folder, whole or not at all; returns its path."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=RESOLUTION)
    path = run.picture(name)
    write_atomically(path, buffer.getvalue())
    return path
