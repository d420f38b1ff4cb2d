"""Look inside a network that decides: states, a pulse, a kick in mid-trial, another start.

    python examples/second_day/inside.py

Trains rdm_fixed if runs/second_day has no network yet. The same trial of 4 % coherence is run as it
is, with a pulse of input against the decision, with a kick of the state towards the other choice,
and from the state in which a trial of the other direction ended.
"""

import argparse
from pathlib import Path

import numpy as np

from pycog_dgr import RNN
from pycog_dgr.analysis.figures import panels, style
from pycog_dgr.commands import taskrun
from pycog_dgr.running import InputPulse, Kick
from pycog_dgr.tasks import bundled_tasks

TRIAL = {"name": "test", "catch": False, "coh": 4, "in_out": 1}
OPPOSITE = {**TRIAL, "in_out": -1}
PULSE = InputPulse(700, 800, [0, 0.5])  # ms; against the stronger input
KICK_AT = 800  # ms
SHOWN = 5  # units


def kick(rnn):
    """A push of the state along the difference of the two outputs, away from the first."""
    direction = rnn.Wout[1] - rnn.Wout[0]
    return Kick(KICK_AT, 2 * direction / np.linalg.norm(direction))


def runs(rnn, task):
    """Name -> (t, outputs, currents of some active units) of one trial, treated differently."""
    rnn.run(inputs=(task.generate_trial, OPPOSITE), seed=2)
    ended = rnn.x[:, -1]
    treatments = {
        "as it is": {},
        "input pulse": {"perturbations": [PULSE]},
        "kick": {"perturbations": [kick(rnn)]},
        "another start": {"start": ended},
    }
    found = {}
    for name, treatment in treatments.items():
        rnn.run(inputs=(task.generate_trial, TRIAL), seed=2, **treatment)
        if not found:
            strongest = np.argsort(-rnn.r.max(axis=1))[:SHOWN]
        found[name] = rnn.t, rnn.z, rnn.x[strongest]
    return found


@style.styled
def draw(found):
    """Outputs of each run above, currents of the same units below."""
    fig, axes = style.figure(["A B C D", "E F G H"], [1.9, 1.9])
    for letter, below, (name, (t, z, x)) in zip("ABCD", "EFGH", found.items(), strict=True):
        for k, line in enumerate(z):
            axes[letter].plot(t, line, color=style.CHOICES[k], label=f"output {k}")
        axes[letter].set_title(name)
        axes[below].plot(t, x.T, linewidth=0.8)
        axes[below].set_xlabel("Time (ms)")
    for letter in "BF":
        axes[letter].axvspan(PULSE.start, PULSE.end, color=style.GREY, alpha=0.3, linewidth=0)
    for letter in "CG":
        axes[letter].axvline(KICK_AT, color=style.GREY, linestyle="--", linewidth=0.8)
    axes["A"].set_ylabel("Outputs")
    axes["A"].legend(loc="upper left")
    axes["E"].set_ylabel(f"Currents x of {SHOWN} units")
    for row in ("ABCD", "EFGH"):
        panels.same_limits([axes[letter] for letter in row], "y")
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
    for name, (_, z, _) in found.items():
        print(f"{name}: outputs {z[0, -1]:.2f} and {z[1, -1]:.2f} at the end")
    path = options.out / "inside.png"
    draw(found).savefig(path, dpi=150)
    print(f"written: {path}")


if __name__ == "__main__":
    main()
