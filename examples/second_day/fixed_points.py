"""Fixed and slow points of a network that decides (rdm_fixed), without and with a stimulus.

    python examples/second_day/fixed_points.py

Trains rdm_fixed if runs/second_day has no network yet, runs a few trials without noise, looks for
fixed points from states along them, and draws both in the plane of the trajectories. Without input
a decided network has one stable point for each choice, and between them an unstable one.
"""

import argparse
from pathlib import Path

import numpy as np

from pycog_dgr import RNN
from pycog_dgr.analysis.figures import style
from pycog_dgr.analysis.figures.fixed_points import draw_fixed_points
from pycog_dgr.analysis.fixed_points import find_fixed_points
from pycog_dgr.commands import taskrun

TASK = Path(__file__).parents[1] / "tasks" / "rdm_fixed.py"
QUIET = {"var_rec": 0, "var_in": 0, "dt": 5}  # dt in ms
COHERENCES = (-16, -4, -1, 1, 4, 16)  # signed, percent; the first input is for positive ones


TITLES = {"rest": "Fixed points without input", "stimulus": "Fixed points under both inputs"}


def trajectories(rnn, task):
    """States (time, N) of one noiseless trial per signed coherence."""
    found = []
    for coherence in COHERENCES:
        shown = {"coh": abs(coherence), "in_out": 1 if coherence > 0 else -1}
        params = {"name": "test", "catch": False, **shown}
        rnn.run(inputs=(task.generate_trial, params), seed=1)
        found.append(rnn.x.T)
    return found


def main(words=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/second_day"), metavar="FOLDER")
    parser.add_argument("--max-iter", type=int, help="train so many updates at most")
    options = parser.parse_args(words)
    changes = {"max_iter": options.max_iter} if options.max_iter else None
    run = taskrun.open_run(TASK, seed=1, folder=options.out, changes=changes)
    taskrun.train(run)

    rnn = RNN(run.savefile, QUIET, verbose=False)
    paths = trajectories(rnn, run.model.task)
    colours = style.signed(COHERENCES)
    starts = np.concatenate([path[::20] for path in paths])
    for name, inputs in (("rest", None), ("stimulus", [0.5, 0.5])):
        points = find_fixed_points(rnn, starts, inputs)
        for i in range(len(points)):
            kind = "fixed" if points.fixed[i] else "slow"
            z = rnn.Wout @ points.r[i] + rnn.bout
            print(
                f"{name}: {kind}, {points.stability[i]}, q = {points.q[i]:.1e}, largest real part "
                f"{1000 * points.eigenvalues[i, 0].real:+.2f}/s, outputs {np.round(z, 2)}"
            )
        labels = [f"{coherence:+d} %" for coherence in COHERENCES]
        figure = draw_fixed_points(paths, points, colours, TITLES[name], labels)
        path = options.out / f"fixed_points_{name}.png"
        figure.savefig(path, dpi=150)
        print(f"written: {path}")


if __name__ == "__main__":
    main()
