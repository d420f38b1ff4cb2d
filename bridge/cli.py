"""The command line: `dgr COMMAND`. Each command is one module of `bridge.commands`.

A command's module, and what it imports, is loaded when that command is called: `dgr --help`
loads none.
"""

import argparse
import errno
import io
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module, metadata
from typing import Any, NoReturn

from bridge.installation import check_namesake

COMMANDS = {
    "certify": "check Dale's signs, masks and bounds of tau in every network of a run",
    "convert": "convert an original pycog save file (.pkl) into one of ours (.npz)",
    "crosscheck": "compare the biological RNN in numpy, PyTensor and torch, tensor by tensor",
    "data": "fetch or check a data set and say what is in it",
    "doctor": "what a task's first updates come to under other settings, one change at a time",
    "export": "write trials or weights for xarray, pandas, MATLAB, safetensors or torch",
    "fit": "train a solver on labelled images from a file",
    "neurogym": "print which environments of the NeuroGym that is installed can be trained on",
    "new-task": "write a commented task file that trains as it is",
    "pycog": "run a script written for pycog, Python 2 included; alone: what became of its names",
    "report": "draw a run's figures and write its report.html again",
    "reproduce": "train what the thesis' figures need, draw them, and write report.html",
    "rerun": "run a finished results folder once more: are its numbers the same, bit for bit?",
    "sample": "draw images from a generator and let a solver label them, into a file",
    "settings": "what the settings of a network and its training are: unit, default, meaning",
    "sweep": "run an experiment with many settings and seeds, on one machine or many",
    "task": "train, test and draw a task of the package, or any model file",
    "tasks": "list the tasks that come with the package",
    "translate": "print a Python 2 model file or script as Python 3; the file stays as it is",
}
SHELLS = ("bash", "zsh", "fish", "tcsh", "powershell")  # that shtab writes for
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


EXIT_STATUSES = """
exit status:
  0    done
  1    a comparison found a difference, or cells of a sweep failed
  2    an error; the message says what is wrong and what can be done
  130  stopped by Ctrl-C; the same command goes on from there

examples:
  dgr reproduce                        the thesis' experiment on 5,000 embedded digits
  dgr crosscheck                       numpy, PyTensor and torch side by side
  dgr new-task go_later                a task file that trains as it is
  dgr settings learning_rate           what a setting means
  dgr --print-completion bash          completion for the shell: bash, zsh, fish, tcsh, powershell
"""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, and whose options are written out.

    As pycog_dgr.commands.Parser, whose package loads numpy: `dgr --help` does without.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"allow_abbrev": False, **options})

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Help that shows defaults, where there are any, and examples as they are written."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        nothing = not action.default and action.default != 0
        if nothing or action.default is False or "default:" in (action.help or ""):
            return action.help
        return super()._get_help_string(action)


def parser(words: Sequence[str] = tuple(COMMANDS)) -> argparse.ArgumentParser:
    """The parser of `dgr`; commands that are not among `words` lack their arguments."""
    dgr = Parser(
        prog="dgr",
        description="Deep generative replay in LSTMs and biologically "
        "constrained recurrent networks.",
        epilog=EXIT_STATUSES,
        formatter_class=HelpFormatter,
    )
    dgr.add_argument("--version", action="version", version=f"dgr {version()}")
    dgr.add_argument("--print-completion", choices=SHELLS, metavar="SHELL", help=argparse.SUPPRESS)
    _add_common(dgr, default=False)
    choices = dgr.add_subparsers(dest="command", metavar="COMMAND")
    for name, description in COMMANDS.items():
        command = choices.add_parser(
            name, help=description, description=description, formatter_class=HelpFormatter
        )
        _add_common(command, default=argparse.SUPPRESS)  # what stands before COMMAND counts
        if name in words:
            module = import_module(f"bridge.commands.{name.replace('-', '_')}")
            module.add_arguments(command)
            command.epilog = f"examples:\n{module.EXAMPLES.strip(chr(10))}"
            command.set_defaults(run=module.run)
    return dgr


def _add_common(one: argparse.ArgumentParser, default: Any) -> None:
    """The options that stand before or after COMMAND."""
    options = one.add_argument_group("options of every command")
    for names, meaning in (
        (("-v", "--verbose"), "say more of what is done"),
        (("-q", "--quiet"), "no progress and no log: results and errors only"),
        (("--traceback",), "show where in the code an error arose"),
    ):
        options.add_argument(*names, action="store_true", default=default, help=meaning)


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
    printable()
    words = sys.argv[1:] if words is None else words
    if "--print-completion" in words:
        return print_completion(words)
    top = parser(words)
    arguments = top.parse_args(words)
    if arguments.command is None:
        top.error("give a COMMAND")
    set_up_logging(arguments.verbose, arguments.quiet)
    try:
        check_namesake()
    except ImportError as error:
        print(f"dgr: {error}", file=sys.stderr)
        return 2
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


def printable() -> None:
    r"""Have output and error streams write what their encoding lacks as \\uXXXX (ASCII locales).

    As pycog_dgr.commands.progress.printable, whose package loads numpy.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def print_completion(words: Sequence[str]) -> int:
    """Print what a shell needs to complete the words of `dgr`; shtab writes it."""
    import shtab

    top = parser()
    arguments = top.parse_args(words)
    print(shtab.complete(top, shell=arguments.print_completion))
    return 0


def set_up_logging(verbose: bool, quiet: bool) -> None:
    """What the packages log goes to standard error; where there is no terminal, all of it."""
    # Where there is no terminal there is no progress bar: what is finished is logged instead.
    level = logging.INFO if verbose or not sys.stderr.isatty() else logging.WARNING
    if quiet:
        level = logging.ERROR
    handler = logging.StreamHandler()
    handler.setLevel(level)
    logging.basicConfig(format="%(message)s", handlers=[handler])
    for package in PACKAGES:
        logging.getLogger(package).setLevel(logging.INFO)


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
