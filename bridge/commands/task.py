"""`dgr task NAME ACTION`: what do.py does, for the tasks that come with the package."""

import argparse
import logging

EXAMPLES = """
  dgr task rdm_fixed                   trains, tests and draws it; again: only draws
  dgr task rdm_fixed train --seed 7
  dgr task my_task.py costs            any model file
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "words", nargs=argparse.REMAINDER, metavar="NAME ACTION ...",
        help="a task's name or the path of a model file, what to do with it, and options; without "
        "more, all that there is of them",
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Do it; ends with the exit status of pycog_dgr.commands.task."""
    from pycog_dgr.commands.task import do
    from pycog_dgr.tasks import BUNDLED

    root = logging.getLogger()
    for handler in root.handlers[:]:
        if type(handler) is logging.StreamHandler:  # dgr's; `do` logs by one of its own
            root.removeHandler(handler)
    do(BUNDLED, arguments.words or ["--help"], "dgr task")
    return 0
