"""dgr convert: an original pycog save file (a Python 2 pickle) into ours."""

import argparse
from pathlib import Path

from bridge.commands import check_output

EXAMPLES = """
  dgr convert old.pkl new.npz          a save file of pycog, Python 2 or 3
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("old", type=Path, help="the original's save file; nothing in it is run")
    parser.add_argument("new", type=Path, help="the file to write")
    parser.add_argument("--force", action="store_true", help="replace the new file if it is there")


def run(arguments: argparse.Namespace) -> int:
    """Convert, and print what the file holds. Errors: CheckpointError, SettingError."""
    from pycog_dgr.errors import CheckpointError
    from pycog_dgr.files import checkpoint, legacy

    check_output(arguments.new)
    if arguments.new.exists() and not arguments.force:
        raise CheckpointError(f"{arguments.new}: is already there; pass --force to replace it")
    save = legacy.load(arguments.old)
    checkpoint.save(arguments.new, save)
    N = save.selected.weights.Wrec.shape[0]
    print(
        f"{arguments.new}: {N} units, {save.iteration - 1} updates, best loss "
        f"{save.selected.cost:.6g} after {save.selected.iteration - 1}"
    )
    return 0
