"""What `python examples/analysis/TASK.py RUNFOLDER` does: one figure from saved trials.

RUNFOLDER holds TASK.npz, the trained network, and trials.npz, its simulated trials; the figure is
put beside them as TASK.png.
"""

import argparse
from pathlib import Path

from pycog_dgr.errors import PycogDgrError
from pycog_dgr.running.rnn import RNN
from pycog_dgr.running.trials import Trials


def draw_run(draw, task, folder):
    """Draw the figure of a run folder with draw(trials, rnn); returns the path it was written to.

    PycogDgrError where the network or the trials are missing or damaged.
    """
    folder = Path(folder)
    rnn = RNN(folder / f"{task}.npz", verbose=False)
    figure = draw(Trials.load(folder / "trials.npz"), rnn)
    path = folder / f"{task}.png"
    figure.savefig(path, dpi="figure")
    return path


def main(draw, script):
    """Command line of an analysis script: its one argument is the run folder."""
    task = Path(script).stem
    parser = argparse.ArgumentParser(description=f"Draw the figure of {task} from saved trials.")
    parser.add_argument(
        "folder",
        metavar="RUNFOLDER",
        help=f"holds {task}.npz and trials.npz, gets {task}.png",
    )
    try:
        print(draw_run(draw, task, parser.parse_args().folder))
    except PycogDgrError as error:
        parser.exit(1, f"{error}\n")
