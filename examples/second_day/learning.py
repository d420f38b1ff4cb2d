"""One task learnt in several ways: optimisers, a schedule, a loss of one's own; logs as CSV.

    python examples/second_day/learning.py

Trains rdm_fixed for the same number of updates with gradient descent and with Adam at a constant
and at a scheduled rate, and with Adam and another loss. Each training writes a line a validation to
its own CSV file, and the same to TensorBoard where the extra [tensorboard] is installed:
tensorboard --logdir FOLDER. The figure is drawn from the CSV files.
"""

import argparse
import csv
import dataclasses
from pathlib import Path

from pycog_dgr import Model
from pycog_dgr.analysis.figures import panels, style
from pycog_dgr.errors import MissingExtraError
from pycog_dgr.symbolic import adam, cosine, sgd, warm_up
from pycog_dgr.tasks import bundled_tasks
from pycog_dgr.training.callbacks import Callback, CsvLog, TensorBoard

WARM_UP = 50  # updates


def absolute(z, target):
    """A loss of one's own: of every output, time step and trial (a PyTensor expression)."""
    return abs(z - target)


def ways(n_updates):
    """Name -> settings of the training."""
    scheduled = warm_up(cosine(0.003, updates=n_updates), updates=WARM_UP)
    return {
        "SGD, 0.01": {"optimiser": sgd(0.01)},
        "Adam, 0.001": {"optimiser": adam(0.001)},
        "Adam, 0.003, warmed up, cosine": {"optimiser": adam(scheduled)},
        "Adam, 0.001, absolute error": {"optimiser": adam(0.001), "loss": absolute},
    }


class Best(Callback):
    """A callback of one's own: remembers the best performance and when it was reached."""

    def __init__(self):
        self.performance, self.n_trials = float("-inf"), 0

    def validated(self, n_trials, costs):
        if costs[2] > self.performance:
            self.performance, self.n_trials = costs[2], n_trials


def train(name, changes, folder, n_updates):
    """Train rdm_fixed under changed settings; returns the path of its CSV file."""
    model = Model(bundled_tasks()["rdm_fixed"])
    model.training = dataclasses.replace(
        model.training, max_iter=n_updates, checkfreq=max(1, n_updates // 25), n_validation=500,
        terminate=None, **changes,
    )  # fmt: skip
    stem = "".join(c if c.isalnum() else "_" for c in name)
    best, log = Best(), folder / f"{stem}.csv"
    callbacks = [best, CsvLog(log)]
    try:
        callbacks.append(TensorBoard(folder / "tensorboard" / stem))
    except MissingExtraError as error:
        print(error)
    model.train(folder / f"{stem}.npz", seed=1, recover=False, callbacks=callbacks)
    print(f"{name}: {best.performance:.1f} % correct after {best.n_trials:,} trials at best")
    return log


def columns(path):
    """Column -> numbers of a CSV file."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in rows[0]}


@style.styled
def draw(logs):
    """Performance and length of the gradient by trials, a line for each way."""
    fig, axes = style.figure(["A B"], [2.4])
    for (name, path), colour in zip(logs.items(), style.CYCLE, strict=False):
        log = columns(path)
        thousands = [trials / 1000 for trials in log["trials"]]
        axes["A"].plot(thousands, log["performance"], color=colour, label=name)
        axes["B"].plot(thousands, log["gradient_norm"], color=colour)
    panels.percent(axes["A"], "Correct (%)")
    axes["A"].axhline(50, color=style.GREY, linestyle=":", linewidth=0.8)
    axes["A"].legend(loc="lower right")
    axes["B"].set(yscale="log", ylabel="Norm of the gradient")
    for ax in axes.values():
        ax.set_xlabel("Trials (thousands)")
    return fig


def main(words=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/second_day/learning"))
    parser.add_argument("--max-iter", type=int, default=1500, help="updates of each training")
    options = parser.parse_args(words)
    options.out.mkdir(parents=True, exist_ok=True)
    logs = {
        name: train(name, changes, options.out, options.max_iter)
        for name, changes in ways(options.max_iter).items()
    }
    path = options.out / "learning.png"
    draw(logs).savefig(path, dpi=150)
    print(f"written: {path}")


if __name__ == "__main__":
    main()
