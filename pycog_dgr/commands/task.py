"""The command of a task: `python TASK.py [ACTION]`, and `do.py TASK ACTION`.

A task file ends with

    if __name__ == "__main__":
        from pycog_dgr.commands import main

        main(__file__)

and so trains, simulates test trials and draws its figure when it is run. Everything goes into one
folder (taskrun.py); the same command goes on where it was stopped, and what is finished is only
drawn again. What can be done is in actions.py. These modules print; what they call logs and raises.
"""

import argparse
import difflib
import functools
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from pycog_dgr.commands import pycog_words, seeds, taskrun
from pycog_dgr.commands.actions import ACTIONS, Action, this_command
from pycog_dgr.commands.arguments import (
    FAILED,
    INTERRUPTED,
    Parser,
    changes,
    milliseconds,
    seed_list,
    whole,
)
from pycog_dgr.commands.progress import log_lines, one_thread, printable
from pycog_dgr.errors import PycogDgrError, TaskError


def main(modelfile: str | Path, words: Sequence[str] | None = None) -> NoReturn:
    """Run the command line of one task file, and exit with its status.

    Parameters
    ----------
    modelfile
        The task's file.
    words
        Instead of the words after the file's name.
    """
    parser = _parser(Path(modelfile).name)
    parser.add_argument(
        "action", nargs="?", choices=ACTIONS, metavar="ACTION", default="all", help=_actions()
    )
    _add_options(parser)
    options = parser.parse_args(words)
    sys.exit(_answer(options, lambda: modelfile, ACTIONS))


def do(tasks: str | Path, words: Sequence[str] | None = None, name: str = "do.py") -> NoReturn:
    """Run the command line of do.py, and exit with its status.

    Parameters
    ----------
    tasks
        Folder of the tasks that can be called by name.
    words
        Instead of the words after the file's name.
    name
        Of the command, for its help.
    """
    parser = _parser(name)
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
    sys.exit(_answer(options, lambda: find_task(options.task, tasks), actions, of_pycog=True))


def find_task(task: str, folder: str | Path) -> Path:
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
    raise TaskError(
        f"no task {task[:80]!r}: {hint}give a model file, or one of {', '.join(known)[:200]}"
    )


def _parser(name: str) -> Parser:
    return Parser(
        prog=name,
        description="Train a network on a task, test it, and draw it. Everything goes into one "
        "folder. The same command goes on where it was stopped.",
        formatter_class=argparse.RawTextHelpFormatter,
    )


def _actions() -> str:
    return "\n".join(f"{name:13}{action.__doc__}" for name, action in ACTIONS.items())


def _add_options(parser: Parser) -> None:
    def add(
        names: str, kind: Callable[[str], Any], metavar: str, meaning: str, default: Any = None
    ) -> None:
        parser.add_argument(
            *names.split(), type=kind, metavar=metavar, help=meaning, default=default
        )

    add("-s --seed", whole(0), "N", "of the initial weights (%(default)s)", taskrun.SEED)
    add("--seeds", seed_list, "N-M", "train: several seeds, as 100-109 or 1,2,5, a folder each")
    add("--workers", whole(1), "N", "--seeds: so many at a time, one thread each (one a core)")
    add("--out", Path, "FOLDER", f"({taskrun.RUNS}/TASK/seed-SEED)")
    add("--trials", whole(1), "N", "test trials to simulate (as many as the figure wants)")
    add("--trial-seed", whole(0), "N", "of the test trials (%(default)s)", taskrun.TRIAL_SEED)
    add("--dt", milliseconds, "MS", "time step of the test trials (the training's)")
    add("--dt-save --dt_save", milliseconds, "MS", "time between the samples in trials.npz (--dt)")
    add("--duration", milliseconds, "MS", "of restingstate (%(default)s)", taskrun.RESTING)
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="NAME=VALUE", dest="changes",
        help="other settings than the model file's, such as max_iter=20",
    )  # fmt: skip
    parser.add_argument("--yes", action="store_true", help="clean: do not ask")


def _answer(
    options: argparse.Namespace,
    modelfile: Callable[[], str | Path],
    actions: Mapping[str, Action],
    of_pycog: bool = False,
) -> int:
    """Do what was asked; returns the exit status. One line for each mistake."""
    printable()
    with log_lines():
        try:
            action = actions[options.action]
            if of_pycog:
                pycog_words.refuse_options(options)
                if options.words:
                    action = functools.partial(pycog_words.with_words, options.action)
            if options.seeds is not None or options.workers is not None:
                return _several(options, Path(modelfile()))
            run = taskrun.open_run(modelfile(), options.seed, options.out, changes(options.changes))
            with one_thread():
                return action(run, options) or 0
        except KeyboardInterrupt:
            print(f"stopped; to go on: {this_command()}", file=sys.stderr)
            return INTERRUPTED
        except MemoryError:
            return _failed("not enough memory: ask for fewer --trials, or a larger --dt-save")
        except (PycogDgrError, OSError) as error:
            return _failed(error)


def _several(options: argparse.Namespace, modelfile: Path) -> int:
    """Train many seeds. PycogDgrError where something else is asked for."""
    if options.seeds is None:
        raise PycogDgrError("--workers goes with --seeds, as --seeds 100-109 --workers 2")
    if options.action != "train":
        raise PycogDgrError(f"--seeds goes with train, not with {options.action}")
    if getattr(options, "words", None):
        raise PycogDgrError(f"train takes no further words: {' '.join(options.words)!r}")
    if options.seed != taskrun.SEED:
        raise PycogDgrError("give --seed or --seeds, not both")
    return seeds.train_seeds(
        modelfile, options.seeds, options.workers, options.out, options.changes, this_command()
    )


def _failed(error: object) -> int:
    print(f"{Path(sys.argv[0]).name}: {' '.join(str(error).split())}", file=sys.stderr)
    return FAILED
