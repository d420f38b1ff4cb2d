"""Look inside a network that decides: states, a kick in mid-trial, and a lesion.

    python examples/second_day/inside.py

Trains rdm_fixed if runs/second_day has no network yet. One trial of 4 % coherence is run as it is,
with a pulse of input against the decision, with a kick of the state towards the other choice, and
without the excitatory unit that is read out most strongly. Then every tenth of the excitatory units
is cut in turn, and 200 trials are tested each time: how much does it take?
"""

import argparse
from pathlib import Path

import numpy as np

from pycog_dgr import RNN, simulate_trials
from pycog_dgr.analysis import choices
from pycog_dgr.analysis.figures import panels, style
from pycog_dgr.commands import taskrun
from pycog_dgr.running import InputPulse, Kick
from pycog_dgr.tasks import bundled_tasks

TRIAL = {"name": "test", "catch": False, "coh": 4, "in_out": 1}
PULSE = InputPulse(700, 800, [0, 0.5])  # ms; against the stronger input
KICK_AT = 800  # ms
SHARES = np.arange(0, 0.6, 0.1)  # of the excitatory units


def kick(rnn):
    """A push of the state along the difference of the two outputs, away from the first."""
    direction = rnn.Wout[1] - rnn.Wout[0]
    return Kick(KICK_AT, 2 * direction / np.linalg.norm(direction))


def runs(rnn, task):
    """name -> (t, z, states of five active units) of the same trial, treated differently."""
    treated = {"as it is": [], "input pulse": [PULSE], "kick": [kick(rnn)]}
    found = {}
    for name, perturbations in treated.items():
        rnn.run(inputs=(task.generate_trial, TRIAL), seed=2, perturbations=perturbations)
        strongest = np.argsort(-rnn.r.max(axis=1))[:5]
        found[name] = rnn.t, rnn.z, rnn.x[strongest]
    rnn.lesion(units=[int(np.argmax(rnn.Wout[0]))])
    rnn.run(inputs=(task.generate_trial, TRIAL), seed=2)
    found["without one unit"] = rnn.t, rnn.z, rnn.x[strongest]
    rnn.restore()
    return found


def lesioned_performance(rnn, task, n_trials=200, seed=1):
    """Percent correct with growing shares of the excitatory units cut, chosen at random."""
    order = np.random.RandomState(seed).permutation(np.flatnonzero(rnn.p["ei"] > 0))
    percent = []
    for share in SHARES:
        rnn.lesion(units=order[: int(share * len(order))])
        trials = simulate_trials(rnn, task, n_trials, seed=seed, dt_save=rnn.p["dt"])
        right = choices.correct(trials, choices.final_choices(trials))
        percent.append(100 * np.mean(right))
        rnn.restore()
    return percent


@style.styled
def draw(found, percent):
    """Outputs and states of each run, and performance against the lesion."""
    names = list(found)
    fig, axes = style.figure(["A B C D", "E F G H", "I"], [1.7, 1.7, 1.9])
    for letter, below, name in zip("ABCD", "EFGH", names, strict=True):
        t, z, x = found[name]
        for k, line in enumerate(z):
            axes[letter].plot(t, line, color=style.CHOICES[k], label=f"output {k}")
        axes[letter].set(title=name, xticklabels=[])
        axes[below].plot(t, x.T, color=style.GREY, linewidth=0.7)
        axes[below].set_xlabel("Time (ms)")
    axes["A"].set_ylabel("Outputs")
    axes["A"].legend(loc="upper left")
    axes["E"].set_ylabel("States x")
    panels.same_limits([axes[letter] for letter in "ABCD"], "y")
    axes["I"].plot(100 * SHARES, percent, "o-", color=style.BLACK)
    axes["I"].axhline(50, color=style.GREY, linestyle=":", linewidth=0.8)
    panels.percent(axes["I"], "Percent correct")
    axes["I"].set_xlabel("Excitatory units cut (%)")
    return fig


def main(words=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/second_day"), metavar="FOLDER")
    parser.add_argument("--max-iter", type=int, help="train so many updates at most")
    options = parser.parse_args(words)
    changes = {"max_iter": options.max_iter} if options.max_iter else None
    task = bundled_tasks()["rdm_fixed"]
    run = taskrun.open_run(task, seed=1, folder=options.out, changes=changes)
    taskrun.train(run)

    rnn = RNN(run.savefile, {"dt": 10}, verbose=False)  # ms
    found = runs(rnn, run.model.task)
    percent = lesioned_performance(rnn, run.model.task)
    for share, value in zip(SHARES, percent, strict=True):
        print(f"{100 * share:3.0f} % of the excitatory units cut: {value:.1f} % correct")
    path = options.out / "inside.png"
    draw(found, percent).savefig(path, dpi=150)
    print(f"written: {path}")


if __name__ == "__main__":
    main()
