"""What `python examples/analysis/TASK.py RUNFOLDER` does: one figure from saved trials.

RUNFOLDER holds TASK.npz, the trained network, and trials.npz, its simulated trials; the figure is
put beside them as TASK.png.
"""

import argparse
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pycog_dgr.commands.arguments import Parser
from pycog_dgr.data import Task
from pycog_dgr.errors import PycogDgrError
from pycog_dgr.files import write_atomically
from pycog_dgr.running import RNN, Trials


def draw_run(
    draw: Callable[[Trials, RNN], Any], name: str, folder: str | Path, task: Task | None = None
) -> Path:
    """Draw the figure of a run folder.

    Parameters
    ----------
    draw
        draw(trials, rnn) returns a figure.
    name
        The task's name.
    folder
        The run folder.
    task
        The task itself, where it is at hand: the log says if the trials are of an older one.

    Returns
    -------
    Path
        Where the figure was written to.

    Raises
    ------
    PycogDgrError
        Where the network or the trials are missing, damaged, or the trials of another network.
    """
    folder = Path(folder)
    rnn = RNN(folder / f"{name}.npz", verbose=False)
    trials = Trials.load(folder / "trials.npz")
    trials.require_of(rnn, task, folder / "trials.npz")
    buffer = io.BytesIO()
    draw(trials, rnn).savefig(buffer, format="png", dpi="figure")
    path = folder / f"{name}.png"
    write_atomically(path, buffer.getvalue())
    return path


def main(draw: Callable[[Trials, RNN], Any], script: str | Path) -> None:
    """Command line of an analysis script: its one argument is the run folder."""
    name = Path(script).stem
    parser = Parser(description=f"Draw the figure of {name} from saved trials.")
    parser.add_argument(
        "folder",
        metavar="RUNFOLDER",
        help=f"holds {name}.npz and trials.npz, gets {name}.png",
    )
    arguments: argparse.Namespace = parser.parse_args()
    try:
        print(draw_run(draw, name, arguments.folder))
    except PycogDgrError as error:
        parser.exit(1, f"{error}\n")
