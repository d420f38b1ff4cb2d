"""The command line: `dgr COMMAND`. Each command is one module of `bridge.commands`.

A command's module, and what it imports, is loaded when that command is called: `dgr --help`
loads none.
"""

import argparse
import errno
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module, metadata
from typing import NoReturn

COMMANDS = {
    "convert": "convert an original pycog save file (.pkl) into one of ours (.npz)",
    "crosscheck": "compare the biological RNN in numpy, PyTensor and torch, tensor by tensor",
    "data": "fetch or check a data set and say what is in it",
    "export": "write trials or weights for xarray, pandas, MATLAB, safetensors or torch",
    "fit": "train a solver on labelled images from a file",
    "new-task": "write a commented task file that trains as it is",
    "pycog": "run a script written for pycog, Python 2 included; alone: what became of its names",
    "report": "draw a run's figures and write its report.html again",
    "reproduce": "train what the thesis' figures need, draw them, and write report.html",
    "rerun": "run a finished results folder once more: are its numbers the same, bit for bit?",
    "sample": "draw images from a generator and let a solver label them, into a file",
    "sweep": "run an experiment with many settings and seeds, on one machine or many",
    "task": "train, test and draw a task of the package, or any model file",
    "tasks": "list the tasks that come with the package",
    "translate": "print a Python 2 model file or script as Python 3; the file stays as it is",
}
PACKAGES = ("bridge", "pycog_dgr", "torch_dgr")
REMEDIES = {  # of the operating system's errors
    errno.ENOENT: "check the path",
    errno.EACCES: "give another place, or the permission",
    errno.EPERM: "give another place, or the permission",
    errno.EROFS: "give another place",
    errno.EEXIST: "give another place: this is a file",
    errno.ENOTDIR: "give another place: a part of this path is a file",
    errno.EISDIR: "give a file: this is a folder",
    errno.ENOSPC: "free some space, then repeat the command",
    errno.EDQUOT: "free some space, then repeat the command",
    errno.EFBIG: "raise the limit on file sizes (ulimit -f), then repeat the command",
    errno.ENAMETOOLONG: "give a shorter path",
}


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def parser(words: Sequence[str] = tuple(COMMANDS)) -> argparse.ArgumentParser:
    """The parser of `dgr`; commands that are not among `words` lack their arguments."""
    whole = Parser(
        prog="dgr",
        description="Deep generative replay in LSTMs and biologically "
        "constrained recurrent networks.",
    )
    whole.add_argument("--version", action="version", version=f"dgr {version()}")
    whole.add_argument("-v", "--verbose", action="store_true", help="say more of what is done")
    whole.add_argument(
        "--traceback", action="store_true", help="show where in the code an error arose"
    )
    choices = whole.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, description in COMMANDS.items():
        command = choices.add_parser(name, help=description, description=description)
        if name in words:
            module = import_module(f"bridge.commands.{name.replace('-', '_')}")
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return whole


def version() -> str:
    """The installed version, or "unknown" where the package is not installed."""
    try:
        return metadata.version("dgr")
    except metadata.PackageNotFoundError:
        return "unknown"


def main(words: Sequence[str] | None = None) -> int:
    """Run `dgr WORDS`; return its exit status. 2 is an error that the user can mend."""
    # These networks are small: a second BLAS thread costs more than it brings, and the second
    # core has a process of its own. Set before numpy is first imported, by the commands.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    words = sys.argv[1:] if words is None else words
    arguments = parser(words).parse_args(words)
    # Where there is no terminal there is no progress bar: what is finished is said instead.
    talk = arguments.verbose or not sys.stderr.isatty()
    handler = logging.StreamHandler()
    handler.setLevel(logging.INFO if talk else logging.WARNING)
    logging.basicConfig(format="%(message)s", handlers=[handler])
    for package in PACKAGES:
        logging.getLogger(package).setLevel(logging.INFO)
    try:
        return arguments.run(arguments) or 0
    except KeyboardInterrupt:
        print("dgr: stopped; the same command goes on from here", file=sys.stderr)
        return 130
    except (ValueError, OSError, MemoryError) as error:
        if arguments.traceback or not expected(error):
            raise
        print(f"dgr: {in_one_line(error)}", file=sys.stderr)
        return 2


def expected(error: Exception) -> bool:
    """Whether `error` speaks to the user: our own packages' errors, or the operating system's."""
    home = type(error).__module__.split(".")[0]
    return isinstance(error, (OSError, MemoryError)) or home in PACKAGES


def in_one_line(error: Exception) -> str:
    """What an error says and, for the operating system's, what can be done."""
    words = " ".join(str(error).split())
    if isinstance(error, MemoryError):
        return f"not enough memory ({words or 'refused by the system'}): ask for less at once"
    if isinstance(error, OSError) and error.errno in REMEDIES:
        return f"{words}: {REMEDIES[error.errno]}"
    return words
