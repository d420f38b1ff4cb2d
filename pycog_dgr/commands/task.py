"""The command of a task: `python TASK.py [ACTION]`, and `do.py TASK ACTION`.

A task file ends with

    if __name__ == "__main__":
        from pycog_dgr.commands.task import main

        main(__file__)

and so trains, simulates test trials and draws its figure when it is run. Everything goes into one
folder (taskrun.py); the same command goes on where it was stopped, and what is finished is only
drawn again. This module prints; what it calls logs and raises.
"""

import argparse
import ast
import difflib
import functools
import math
import shlex
import sys
from pathlib import Path
from types import MappingProxyType

from pycog_dgr.commands import pycog_words, taskrun
from pycog_dgr.commands.progress import Progress, log_lines, one_thread, summary
from pycog_dgr.errors import PycogDgrError, TaskError

FAILED, INTERRUPTED = 2, 130  # exit statuses
LARGEST = 2**32 - 1  # of a seed


# -- the two commands ---------------------------------------------------------------------------


def main(modelfile, words=None):
    """Run the command line of one task file, and exit with its status.

    words  instead of the words after the file's name
    """
    parser = _parser(Path(modelfile).name)
    parser.add_argument(
        "action", nargs="?", choices=ACTIONS, metavar="ACTION", default="all", help=_actions()
    )
    _add_options(parser)
    options = parser.parse_args(words)
    sys.exit(_answer(options, lambda: modelfile))


def do(tasks, words=None):
    """Run the command line of do.py, and exit with its status.

    tasks  folder of the tasks that can be called by name
    """
    parser = _parser("do.py")
    parser.add_argument("task", metavar="TASK", help="a task's name, or the path of a model file")
    actions = {**ACTIONS, "check": pycog_words.check, "submit": pycog_words.submit}
    parser.add_argument(
        "action", nargs="?", choices=actions, metavar="ACTION", default="check", help=_actions()
    )
    parser.add_argument(
        "words", nargs="*", metavar="WORDS",
        help="after run: an analysis script, its action and its words; after structure or "
        "restingstate: init",
    )  # fmt: skip
    _add_options(parser)
    pycog_words.add_options(parser)
    options = parser.parse_intermixed_args(words)
    sys.exit(_answer(options, lambda: find_task(options.task, tasks), actions))


def find_task(task, folder):
    """The model file that `task` means: a path, or a name in `folder`. TaskError if there is none.

    As with the original, '.py' may be left out.
    """
    candidates = [Path(task), Path(f"{task}.py"), Path(folder) / f"{task}.py"]
    for path in candidates:
        if path.is_file():
            return path
    known = sorted(path.stem for path in Path(folder).glob("*.py"))
    near = difflib.get_close_matches(Path(task).stem, known, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise TaskError(f"no task {task!r}: {hint}give a model file, or one of {', '.join(known)}")


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message):
        self.exit(FAILED, f"{self.prog}: {message}; see --help\n")


def _parser(name):
    return _Parser(
        prog=name,
        description="Train a network on a task, test it, and draw it. Everything goes into one "
        "folder. The same command goes on where it was stopped.",
        formatter_class=argparse.RawTextHelpFormatter,
    )


def _actions():
    return "\n".join(f"{name:13}{action.__doc__}" for name, action in ACTIONS.items())


def _add_options(parser):
    def add(names, kind, metavar, meaning, default=None):
        options = {"type": kind, "metavar": metavar, "help": meaning, "default": default}
        parser.add_argument(*names.split(), **options)

    add("-s --seed", _whole(0), "N", "of the initial weights (%(default)s)", taskrun.SEED)
    add("--out", Path, "FOLDER", f"({taskrun.RUNS}/TASK/seed-SEED)")
    add("--trials", _whole(1), "N", "test trials to simulate (as many as the figure wants)")
    add("--trial-seed", _whole(0), "N", "of the test trials (%(default)s)", taskrun.TRIAL_SEED)
    add("--dt", _positive, "MS", "time step of the test trials (the training's)")
    add("--dt-save --dt_save", _positive, "MS", "time between the samples in trials.npz (--dt)")
    add("--duration", _positive, "MS", "of restingstate (%(default)s)", taskrun.RESTING)
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="NAME=VALUE", dest="changes",
        help="other settings than the model file's, such as max_iter=20",
    )  # fmt: skip
    parser.add_argument("--yes", action="store_true", help="clean: do not ask")


def _whole(least):
    """The type of an option: a whole number from `least` to what a seed can be."""

    def parsed(text):
        if not text.isdecimal() or not least <= int(text) <= LARGEST:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least}")
        return int(text)

    return parsed


def _positive(text):
    """The type of an option: a time in ms."""
    try:
        value = int(text) if text.isdecimal() else float(text)  # a whole dt stays a whole number
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time in ms, above 0")
    return value


def _answer(options, modelfile, actions=None):
    """Do what was asked; returns the exit status. One line for each mistake."""
    with log_lines():
        try:
            action = (actions or ACTIONS)[options.action]
            if actions is not None:
                pycog_words.refuse_options(options)
                if options.words:
                    action = functools.partial(pycog_words.with_words, options.action)
            run = taskrun.open_run(modelfile(), options.seed, options.out, _changes(options))
            with one_thread():
                return action(run, options) or 0
        except KeyboardInterrupt:
            print(f"stopped; to go on: {_this_command()}", file=sys.stderr)
            return INTERRUPTED
        except MemoryError:
            return _failed("not enough memory: ask for fewer --trials, or a larger --dt-save")
        except (PycogDgrError, OSError) as error:
            return _failed(error)


def _failed(error):
    print(f"{Path(sys.argv[0]).name}: {' '.join(str(error).split())}", file=sys.stderr)
    return FAILED


# -- actions: (run, options) -> exit status or None ---------------------------------------------


def everything(run, options):
    """train, simulate trials, draw the figure (when nothing else is asked for)"""
    status = train(run, options)
    if status:
        return status
    asked = (options.trials, options.dt, options.dt_save, options.trial_seed)
    if asked != (None, None, None, taskrun.TRIAL_SEED) or not taskrun.has_trials(run):
        trials(run, options)
    return figure(run, options)


def train(run, options):
    """train the network; again: go on where it was stopped"""
    save = taskrun.saved(run)
    done = save is not None and taskrun.is_finished(save, run.model.training)
    if not done:
        with Progress(run, save) as progress:
            save = taskrun.train(run, on_update=progress.updated, on_validation=progress.validated)
    print(f"{run.name}, seed {run.seed}: {summary(save)}")
    if save.stopped == "interrupted":
        print(f"saved in {run.savefile}; to go on: {_this_command()}")
        return INTERRUPTED
    print(f"{'there already' if done else 'written'}: {run.savefile}")
    return None


def run_some(run, options):
    """run a few trials and draw them"""
    taskrun.require(run)
    n_trials = options.trials or taskrun.N_SHOWN
    _written(taskrun.draw_run(run, n_trials, options.trial_seed, options.dt))


def trials(run, options):
    """simulate many test trials at once and save them"""
    taskrun.require(run)
    made = taskrun.make_trials(
        run, options.trials, options.trial_seed, options.dt, options.dt_save
    )  # fmt: skip
    print(f"written: {run.trialsfile} ({len(made):,} trials)")


def figure(run, options):
    """draw the task's figure from the saved trials"""
    taskrun.require(run)
    _written(taskrun.draw_figure(run))


def costs(run, options):
    """draw the objective and the error during training"""
    taskrun.require(run)
    _written(taskrun.draw_costs(run))


def structure(run, options):
    """draw the connection matrices and the distributions of the weights"""
    taskrun.require(run)
    _written(taskrun.draw_structure(run))


def restingstate(run, options):
    """run without input and draw the activity"""
    taskrun.require(run)
    path = taskrun.draw_resting_state(run, options.duration, options.trial_seed, options.dt)
    _written(path)


def clean(run, options):
    """remove the run's files, after saying which"""
    there = taskrun.files(run)
    if not there:
        print(f"{run.folder}: nothing to remove")
        return None
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
            return None
    others = taskrun.remove(run)
    left = f"; left there: {', '.join(path.name for path in others)}" if others else ""
    print(f"removed: {len(there)} files of {run.folder}{left}")
    return None


ACTIONS = MappingProxyType({
    "all": everything, "train": train, "run": run_some, "trials": trials, "figure": figure,
    "costs": costs, "structure": structure, "restingstate": restingstate, "clean": clean,
})  # fmt: skip


# -- words --------------------------------------------------------------------------------------


def _written(path):
    print(f"written: {path}")


def _this_command():
    return shlex.join(["python", *sys.argv])


def _changes(options):
    """{setting: value} from NAME=VALUE; what is not a Python literal is text."""
    changes = {}
    for word in options.changes:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise PycogDgrError(f"--set {word}: expected NAME=VALUE, such as max_iter=20")
        try:
            changes[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            changes[name] = value
    return changes
