"""The command line: `dgr COMMAND`. Each command is one module of `bridge.commands`."""

import argparse
import errno
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules
from typing import NoReturn

from bridge import commands

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


def parser() -> argparse.ArgumentParser:
    """The parser of `dgr` with all its commands."""
    made = Parser(
        prog="dgr",
        description="Deep generative replay in LSTMs and biologically "
        "constrained recurrent networks.",
    )
    made.add_argument("-v", "--verbose", action="store_true", help="say more of what is done")
    made.add_argument(
        "--traceback", action="store_true", help="show where in the code an error arose"
    )
    choices = made.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module_info in sorted(iter_modules(commands.__path__), key=lambda info: info.name):
        module = import_module(f"bridge.commands.{module_info.name}")
        name = module_info.name.replace("_", "-")
        one = choices.add_parser(name, help=module.HELP, description=module.HELP)
        module.add_arguments(one)
        one.set_defaults(run=module.run)
    return made


def main(words: Sequence[str] | None = None) -> int:
    """Run `dgr WORDS`; return its exit status. 2 is an error that the user can mend."""
    # These networks are small: a second BLAS thread costs more than it brings, and the second
    # core has a process of its own. Set before numpy is first imported, by the commands.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    arguments = parser().parse_args(words)
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
    said = " ".join(str(error).split())
    if isinstance(error, MemoryError):
        return f"not enough memory ({said or 'refused by the system'}): ask for less at once"
    if isinstance(error, OSError) and error.errno in REMEDIES:
        return f"{said}: {REMEDIES[error.errno]}"
    return said
