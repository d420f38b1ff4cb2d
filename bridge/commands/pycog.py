"""`dgr pycog SCRIPT [ARGS]`: run a script that was written for the original pycog."""

import argparse
from pathlib import Path

EXAMPLES = """
  dgr pycog analysis.py                a script of yours that says `from pycog import ...`
  dgr pycog do.py models/rdm run       with its own words
  dgr pycog                            what became of every name of pycog
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("script", nargs="?", type=Path, help="a Python file, of Python 2 or 3")
    parser.add_argument(
        "arguments", nargs=argparse.REMAINDER, metavar="ARGS", help="words that go to the script"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the script; without one, print the table of names. Errors: TaskError, the script's."""
    from pycog_dgr import compat
    from pycog_dgr.compat import names

    if arguments.script is None:
        print(names.markdown())
    else:
        compat.run_script(arguments.script, arguments.arguments)
    return 0
