"""What pycog's do.py was told beside TASK ACTION: words after the action, and options of a cluster.

    do.py TASK                               how far the training is (check)
    do.py TASK run analysis/x ACTION WORDS   do(ACTION, WORDS, params) of a script, Python 2 or 3
    do.py TASK structure init                the network before training; likewise restingstate init
    do.py TASK structure ORDER.txt           units in the order of a file

What has no place here is answered with what to do instead.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pycog_dgr.commands import pictures, taskrun
from pycog_dgr.commands.progress import summary
from pycog_dgr.commands.taskrun import TaskRun
from pycog_dgr.errors import PycogDgrError
from pycog_dgr.running import RNN

DT, DT_SAVE = 0.5, 0.5  # ms; what the original's do.py handed to analysis scripts
INSTEAD = {
    "suffix": "--suffix: give each variant a folder of its own, as --out runs/my_task_2",
    "ppn": "-p: one core is the fastest here; --seeds 100-109 trains several seeds, one a core",
    "gpus": "-g: training runs on the CPU, where networks of this size are faster; leave it out",
}
SUBMIT = (
    "submit: put `python do.py TASK train` into a job script of your cluster; a job that is cut "
    "off goes on when it is started again"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The original's options that ours do not have."""
    parser.add_argument("--suffix", help=argparse.SUPPRESS)
    parser.add_argument("-p", "--ppn", help=argparse.SUPPRESS)
    parser.add_argument("-g", "--gpus", nargs="?", const="1", help=argparse.SUPPRESS)


def refuse_options(options: argparse.Namespace) -> None:
    """PycogDgrError, with what to do instead, for an option that means nothing here."""
    for name, instead in INSTEAD.items():
        given = getattr(options, name)
        if given not in (None, "", "0", "1" if name == "ppn" else "0"):
            raise PycogDgrError(instead)


def check(run: TaskRun, options: argparse.Namespace) -> None:
    """Say how far the training is."""
    save = taskrun.saved(run)
    if save is None:
        print(f"{run.name}, seed {run.seed}: not trained yet")
    else:
        print(f"{run.name}, seed {run.seed}: {summary(save)}")


def submit(run: TaskRun, options: argparse.Namespace) -> None:
    """(a cluster's job script does that)."""
    raise PycogDgrError(SUBMIT)


# -- words after an action ------------------------------------------------------------------------


def with_words(action: str, run: TaskRun, options: argparse.Namespace) -> None:
    """An action with words after it. PycogDgrError where it takes none."""
    if action not in WITH_WORDS:
        raise PycogDgrError(
            f"{action} takes no further words: {' '.join(options.words)!r}; options begin with --"
        )
    WITH_WORDS[action](run, options)


def _analysis(run: TaskRun, options: argparse.Namespace) -> None:
    """do(action, words, params) of an analysis script."""
    from pycog_dgr.compat import load_script

    script, *words = options.words
    path = Path(script if script.endswith(".py") else f"{script}.py")
    if not path.is_file():
        raise PycogDgrError(f"{path}: no such analysis script")
    params = {
        "seed": run.seed,
        "model": run.model.m,
        "savefile": str(run.savefile),
        "name": run.name,
        "datapath": str(run.folder),
        "figspath": str(run.folder),
        "trialspath": str(run.folder),
        "dt": options.dt or DT,
        "dt_save": options.dt_save or DT_SAVE,
    }
    with load_script(path) as module:
        if not callable(getattr(module, "do", None)):
            raise PycogDgrError(f"{path}: no function do(action, args, params), as pycog's have")
        module.do(words[0] if words else None, words[1:], params)


def _initial(run: TaskRun) -> RNN:
    """The network as it was before training."""
    return RNN(run.folder / f"{run.name}_init.npz", verbose=False)


def _structure(run: TaskRun, options: argparse.Namespace) -> None:
    word, *others = options.words
    _no_more(others)
    if word == "init":
        path = pictures.write_picture(run, "structure_init", _initial(run).plot_structure())
    else:
        order = run.folder / f"{run.name}_selectivity.txt" if word == "selectivity" else Path(word)
        if not order.is_file():
            raise PycogDgrError(f"{order}: no such file; it holds every unit's number once")
        rnn = taskrun.network(run)
        path = pictures.write_picture(run, "structure", rnn.plot_structure(sortby=order))
    print(f"written: {path}")


def _resting_state(run: TaskRun, options: argparse.Namespace) -> None:
    from pycog_dgr.analysis.figures import trials as trial_figures

    word, *others = options.words
    _no_more(others if word == "init" else options.words)
    rnn = _initial(run)
    rnn.run(T=options.duration, seed=options.trial_seed)
    figure = trial_figures.plot_resting_state(rnn)
    print(f"written: {pictures.write_picture(run, 'restingstate_init', figure)}")


def _no_more(words: list[str]) -> None:
    if words:
        raise PycogDgrError(f"not understood: {' '.join(words)!r}; init is, for this action")


WITH_WORDS: dict[str, Callable[[TaskRun, Any], None]] = {
    "run": _analysis,
    "structure": _structure,
    "restingstate": _resting_state,
}
