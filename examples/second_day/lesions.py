"""Lesions: how much of a network that decides can be cut, and which connections does it need?

    python examples/second_day/lesions.py

Trains rdm_fixed if runs/second_day has no network yet. Growing shares of the excitatory units are
cut, in several random orders, then a quarter of the connections of each kind; each time 500 trials
are tested. The network's file stays as it is.
"""

import argparse
from pathlib import Path

import numpy as np

from pycog_dgr import RNN, simulate_trials
from pycog_dgr.analysis import choices
from pycog_dgr.analysis.figures import panels, style
from pycog_dgr.commands import taskrun
from pycog_dgr.tasks import bundled_tasks

SHARES = np.arange(0, 0.6, 0.1)  # of the excitatory units
ORDERS = 5
CUT = 0.25  # of the connections of a kind
EXCITATORY, INHIBITORY = "E", "I"


def percent_correct(rnn, task, n_trials):
    """Percent correct of the network as it is now."""
    trials = simulate_trials(rnn, task, n_trials, seed=1, dt_save=rnn.p["dt"])
    return 100 * np.mean(choices.correct(trials, choices.final_choices(trials)))


def without_units(rnn, task, n_trials):
    """Percent correct (order, share) with growing shares of the excitatory units cut."""
    found = np.zeros((ORDERS, len(SHARES)))
    excitatory = np.flatnonzero(rnn.p["ei"] > 0)
    for i in range(ORDERS):
        order = np.random.RandomState(i).permutation(excitatory)
        for j, share in enumerate(SHARES):
            rnn.lesion(units=order[: round(share * len(order))])
            found[i, j] = percent_correct(rnn, task, n_trials)
            rnn.restore()
    return found


def without_connections(rnn, task, n_trials):
    """{'E to E': percent correct of every order, ...}: a part of one kind of connections cut."""
    kinds = {EXCITATORY: rnn.p["ei"] > 0, INHIBITORY: rnn.p["ei"] < 0}
    found = {}
    for sender, sending in kinds.items():
        for receiver, receiving in kinds.items():
            of_kind = np.outer(receiving, sending)  # Wrec[receiver, sender]
            found[f"{sender} to {receiver}"] = percents = []
            for i in range(ORDERS):
                chosen = np.random.RandomState(i).rand(*of_kind.shape) < CUT
                rnn.lesion(connections=of_kind & chosen)
                percents.append(percent_correct(rnn, task, n_trials))
                rnn.restore()
    return found


@style.styled
def draw(units, connections):
    """Percent correct without units (mean and range), and without connections of each kind."""
    fig, axes = style.figure(["A B"], [2.3])
    ax = axes["A"]
    middle = units.mean(axis=0)
    ax.errorbar(
        100 * SHARES, middle, [middle - units.min(axis=0), units.max(axis=0) - middle],
        fmt="o-", color=style.BLACK, capsize=2, clip_on=False,
    )  # fmt: skip
    ax.set_xlabel(f"Excitatory units cut (%); range of {ORDERS} orders")
    for i, percents in enumerate(connections.values()):
        axes["B"].plot([i] * ORDERS, percents, "o", color=style.GREY, clip_on=False)
        axes["B"].plot([i - 0.2, i + 0.2], [np.mean(percents)] * 2, color=style.BLACK)
    axes["B"].axhline(middle[0], color=style.BLUE, linewidth=0.8, label="whole")
    axes["B"].set_xticks(range(len(connections)), connections)
    axes["B"].set_xlabel(f"{100 * CUT:.0f} % of connections cut")
    axes["B"].legend(loc="lower right")
    for ax in axes.values():
        panels.percent(ax, "Correct (%)")
        ax.axhline(50, color=style.GREY, linestyle=":", linewidth=0.8)
    return fig


def main(words=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/second_day"), metavar="FOLDER")
    parser.add_argument("--max-iter", type=int, help="train so many updates at most")
    parser.add_argument("--trials", type=int, default=500, help="of each test")
    options = parser.parse_args(words)
    changes = {"max_iter": options.max_iter} if options.max_iter else None
    task = bundled_tasks()["rdm_fixed"]
    run = taskrun.open_run(task, seed=1, folder=options.out, changes=changes)
    taskrun.train(run)

    rnn = RNN(run.savefile, {"dt": 10}, verbose=False)  # ms
    units = without_units(rnn, run.model.task, options.trials)
    for share, percents in zip(SHARES, units.T, strict=True):
        print(f"{100 * share:3.0f} % of the excitatory units cut: {percents.mean():.1f} % correct")
    connections = without_connections(rnn, run.model.task, options.trials)
    for kind, percents in connections.items():
        print(f"{100 * CUT:.0f} % of {kind} cut: {np.mean(percents):.1f} % correct")
    path = options.out / "lesions.png"
    draw(units, connections).savefig(path, dpi=150)
    print(f"written: {path}")


if __name__ == "__main__":
    main()
