"""Train a network under Dale's law on an environment of NeuroGym, given by its name.

    python examples/neurogym/train.py GoNogo-v0 --seeds 1 2 3
    python examples/neurogym/train.py AntiReach-v0 --seeds 1 2 3

Prints trials, minutes and the percentage of right choices in fresh trials, beside what the best
fixed answer would get, and draws the learning curves and one trial. The same command goes on where
it was stopped. Needs NeuroGym: pip install 'dgr[neurogym]'.

    runs/neurogym/AntiReach-v0/seed-1/AntiReach-v0.npz      the network, as in examples/tasks
    runs/neurogym/AntiReach-v0.csv, AntiReach-v0.png        the table and the figure

Environments: M. Molano-Mazon et al., NeuroGym, PsyArXiv (2022). Network: H. F. Song, G. R. Yang &
X.-J. Wang, PLoS Comput. Biol. 12, e1004792 (2016), trained with Adam and with biases.
"""

import argparse
import csv
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pycog_dgr import RNN, Model, tasktools
from pycog_dgr.commands import progress as reporting
from pycog_dgr.commands import taskrun
from pycog_dgr.errors import PycogDgrError, TaskError
from pycog_dgr.figtools import Figure, colors, gradient
from pycog_dgr.running.trials import simulate_trials
from pycog_dgr.symbolic import optimisers
from pycog_dgr.tasks import TaskFromEnv

N = 100  # units, 80 of them excitatory
DT = 20  # ms
LEARNING_RATE = 0.002
GOAL = 90  # percent correct, mean of the last three validations
N_VALIDATION = 500  # trials, at every 100th update
N_FRESH = 1000  # trials to judge the best network by
FRESH_SEED = 2026
COLUMNS = ("environment", "seed", "trials", "minutes", "right (%)", "best fixed answer (%)")


class Trained(NamedTuple):
    """One seed: its row of the table, its learning curve (validation, 2), fresh trials."""

    row: tuple
    curve: np.ndarray
    fresh: object


def main(words=None):
    parser = argparse.ArgumentParser(description="train a network on an environment of NeuroGym")
    parser.add_argument("name", help="of the environment, such as AntiReach-v0")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], help="of initial weights")
    parser.add_argument("--out", type=Path, default=Path("runs/neurogym"), help="%(default)s")
    parser.add_argument("--max-iter", type=int, default=5000, help="updates, at most")
    options = parser.parse_args(words)
    try:
        with reporting.one_thread():
            task = TaskFromEnv(options.name, dt=DT)
            if not task.discrete:
                raise TaskError(f"{options.name}: its actions are no choices to be right or wrong")
            trained = [train(task, seed, options) for seed in options.seeds]
        options.out.mkdir(parents=True, exist_ok=True)
        table, figure = (options.out / f"{options.name}.{kind}" for kind in ("csv", "png"))
        with table.open("w", newline="") as file:
            csv.writer(file).writerows([COLUMNS, *(one.row for one in trained)])
        draw(task, trained).savefig(figure, dpi=150)
    except (PycogDgrError, OSError) as error:
        parser.error(str(error))
    print(f"written: {table}, {figure}")


def terminate(performance_history):
    return np.mean(performance_history[-3:]) > GOAL


def train(task, seed, options):
    """Train with one seed of the initial weights, and judge the best network."""
    ei, _, _ = tasktools.generate_ei(N)
    model = Model(
        N=N, ei=ei, train_brec=True, train_bout=True, n_validation=N_VALIDATION, checkfreq=100,
        max_iter=options.max_iter, terminate=terminate, **task.settings,
    )  # fmt: skip
    folder = options.out / options.name / f"seed-{seed}"
    run = taskrun.TaskRun(Path(options.name), model, seed, folder)
    with reporting.Progress(run, taskrun.saved(run)) as progress:
        save = taskrun.train(
            run,
            optimiser=optimisers.adam(LEARNING_RATE),
            on_update=progress.updated,
            on_validation=progress.validated,
        )
    print(f"{options.name}, seed {seed}: {reporting.summary(save)}")

    fresh = simulate_trials(RNN(run.savefile, verbose=False), task, N_FRESH, FRESH_SEED)
    right = 100 * np.mean(choices(task, fresh) == fresh.column("choice"))
    _, counts = np.unique(fresh.column("choice"), return_counts=True)
    chance = 100 * counts.max() / N_FRESH
    print(f"    {right:.1f} % right in {N_FRESH} fresh trials; best fixed answer {chance:.1f} %")
    row = (
        options.name, seed, taskrun.trials_done(save), f"{save.seconds / 60:.1f}", f"{right:.1f}",
        f"{chance:.1f}",
    )  # fmt: skip
    curve = np.array([(trials, costs[-1]) for trials, costs in save.costs_history])
    return Trained(row, curve, fresh)


def choices(task, trials):
    """The largest output of each trial at the end of its decision period (trial,)."""
    ends = np.rint(trials.epoch(task.decision)[:, 1] / task.dt).astype(int)
    return trials.outputs[np.arange(len(trials)), ends].argmax(axis=1)


# -- figure ---------------------------------------------------------------------------------------


def draw(task, trained):
    """Learning curves of all seeds, and the first seed's first fresh trial."""
    fig = Figure(w=7.5, h=2.6, axislabelsize=7.5, ticklabelsize=6.5)
    curves = fig.add([0.07, 0.18, 0.2, 0.68])
    for one in trained:
        curves.plot(one.curve[:, 0] / 1000, one.curve[:, 1], lw=1, label=f"seed {one.row[1]}")
    curves.ylim(0, 103)
    curves.hline(float(trained[0].row[-1]), ls=":", lw=0.8, label="best fixed answer")
    curves.xlabel("Trials (thousands)")
    curves.ylabel("Right choices (%)")
    curves.legend(fontsize=5.5, loc="lower right")

    trial = trained[0].fresh.select(slice(1))
    end = trial.t[trial.lengths[0] - 1]
    wanted = {name: column[0] for name, column in trial.info.items() if name != "choice"}
    fig.suptitle(
        f"{task.__name__}: {', '.join(f'{k} {v}' for k, v in wanted.items())}", x=0.66, fontsize=7.5
    )
    panels = (("inputs", "Inputs"), ("rates", "Units"), ("outputs", "Outputs"))
    for column, (name, label) in enumerate(panels):
        plot = fig.add([0.35 + 0.22 * column, 0.18, 0.17, 0.68])
        image = getattr(trial, name)[0].T
        plot.imshow(
            image, aspect="auto", origin="lower", interpolation="nearest",
            extent=(0, end, -0.5, len(image) - 0.5), cmap=gradient("w", colors["darkblue"]),
        )  # fmt: skip
        for start, _ in (span[0] for span in trial.epochs.values()):
            plot.axvline(start, color="0.6", lw=0.5)
        plot.set_title(label, fontsize=7.5)
        plot.xlabel("Time (ms)")
        if len(image) < 10:
            plot.yticks(range(len(image)))
    return fig


if __name__ == "__main__":
    sys.exit(main())
