"""What can be done with a task's run: (run, options) -> exit status, or None where all went well.

The first line of each docstring is what --help says of it.
"""

import argparse
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

from pycog_dgr.commands import pictures, taskrun
from pycog_dgr.commands.arguments import INTERRUPTED
from pycog_dgr.commands.progress import Progress, summary
from pycog_dgr.commands.taskrun import TaskRun
from pycog_dgr.errors import PycogDgrError, TrainingInterrupted

Action = Callable[[TaskRun, argparse.Namespace], int | None]


def everything(run: TaskRun, options: argparse.Namespace) -> int | None:
    """train, simulate trials, draw the figure (when nothing else is asked for)."""
    status = train(run, options)
    if status:
        return status
    asked = (options.trials, options.dt, options.dt_save, options.trial_seed)
    if asked != (None, None, None, taskrun.TRIAL_SEED) or not taskrun.has_trials(run):
        trials(run, options)
    figure(run, options)
    return None


def train(run: TaskRun, options: argparse.Namespace) -> int | None:
    """Train the network; again: go on where it was stopped."""
    save = taskrun.saved(run)
    done = save is not None and taskrun.is_done(run, save)
    if save is None or not done:
        with Progress(run, save) as progress:
            try:
                told = {"on_update": progress.updated, "on_validation": progress.validated}
                save = taskrun.train(run, **told)
            except TrainingInterrupted as interrupted:
                save = interrupted.result.checkpoint
    print(f"{run.name}, seed {run.seed}: {summary(save)}")
    if save.stopped == "interrupted":
        print(f"saved in {run.savefile}; to go on: {this_command()}")
        return INTERRUPTED
    print(f"{'there already' if done else 'written'}: {run.savefile}")
    return None


def run_some(run: TaskRun, options: argparse.Namespace) -> None:
    """Run a few trials and draw them."""
    taskrun.require(run)
    n_trials = options.trials or taskrun.N_SHOWN
    _written(pictures.draw_run(run, n_trials, options.trial_seed, options.dt))


def trials(run: TaskRun, options: argparse.Namespace) -> None:
    """Simulate many test trials at once and save them."""
    taskrun.require(run)
    simulated = taskrun.make_trials(
        run, options.trials, options.trial_seed, options.dt, options.dt_save
    )  # fmt: skip
    print(f"written: {run.trialsfile} ({len(simulated):,} trials)")


def figure(run: TaskRun, options: argparse.Namespace) -> None:
    """Draw the task's figure from the saved trials."""
    taskrun.require(run)
    _written(pictures.draw_figure(run))


def costs(run: TaskRun, options: argparse.Namespace) -> None:
    """Draw the objective and the error during training."""
    taskrun.require(run)
    _written(pictures.draw_costs(run))


def structure(run: TaskRun, options: argparse.Namespace) -> None:
    """Draw the connection matrices and the distributions of the weights."""
    taskrun.require(run)
    _written(pictures.draw_structure(run))


def restingstate(run: TaskRun, options: argparse.Namespace) -> None:
    """Run without input and draw the activity."""
    taskrun.require(run)
    path = pictures.draw_resting_state(run, options.duration, options.trial_seed, options.dt)
    _written(path)


def clean(run: TaskRun, options: argparse.Namespace) -> None:
    """Remove the run's files, after saying which."""
    there = taskrun.files(run)
    if not there:
        print(f"{run.folder}: nothing to remove")
        return
    for path in there:
        print(f"  {path}  ({path.stat().st_size / 1e6:.1f} MB)")
    save = taskrun.saved(run)
    if save is not None:
        print(f"{run.name}, seed {run.seed}: {summary(save)}")
    if not options.yes:
        if not sys.stdin.isatty():
            raise PycogDgrError("nothing removed: pass --yes where nobody can be asked")
        if input("Remove these files? [y/N] ").strip().lower() not in ("y", "yes"):
            print("nothing removed")
            return
    others = taskrun.remove(run)
    left = f"; left there: {', '.join(path.name for path in others)}" if others else ""
    print(f"removed: {len(there)} files of {run.folder}{left}")


ACTIONS: MappingProxyType[str, Action] = MappingProxyType({
    "all": everything, "train": train, "run": run_some, "trials": trials, "figure": figure,
    "costs": costs, "structure": structure, "restingstate": restingstate, "clean": clean,
})  # fmt: skip


def this_command() -> str:
    """The command line that is being run."""
    script = Path(sys.argv[0])
    python = ["python", str(script)] if script.suffix == ".py" else [script.name]
    return shlex.join([*python, *sys.argv[1:]])


def _written(path: Path) -> None:
    print(f"written: {path}")
