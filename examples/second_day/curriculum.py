"""Two tasks in turn, at the same time, and in turn with most connections held: the matrices.

    python examples/second_day/curriculum.py

`pro`: look to where the light was; `anti`: look to the other side. A cue says which. Learnt one
after the other, the second erases the first; interleaved, both are learnt; with only the second
cue's input connections plastic in its stage, the first is kept exactly, because its trials never
send anything through them (baseline_in = 0); fifty positive weights cannot teach the second (47 %).
"""

import argparse
from pathlib import Path

import numpy as np

from pycog_dgr import Model, tasktools
from pycog_dgr.analysis.figures import style
from pycog_dgr.symbolic import adam, chain, only
from pycog_dgr.tasks import interleaved
from pycog_dgr.training import Stage, performance_on, train_in_turn

N = 50
EPOCHS = {"cue": (0, 300), "light": (300, 600), "decision": (700, 1000), "T": 1000}  # ms


class Saccade:
    """Inputs: light left and right, cue pro and anti. Outputs: look left, look right."""

    def __init__(self, anti):
        self.anti = anti

    def generate_trial(self, rng, dt, params):
        light = params.get("light", rng.randint(2))
        choice = 1 - light if self.anti else light
        t, e = tasktools.get_epochs_idx(dt, EPOCHS)
        trial = {"t": t, "epochs": EPOCHS, "info": {"light": light, "choice": choice}}
        trial["inputs"] = np.zeros((len(t), 4))
        trial["inputs"][e["cue"] + e["light"], 2 + self.anti] = 1
        trial["inputs"][e["light"], light] = 1
        if params.get("target_output", False):
            e = {"fixation": e["cue"], "decision": e["decision"]}
            trial["outputs"], trial["mask"] = tasktools.choice_targets(t, e, choice)
        return trial


def terminate(performance_history):
    return np.mean(performance_history[-3:]) > 97


def model(anti, max_iter):
    """The Model of one of the two tasks."""
    ei, _, _ = tasktools.generate_ei(N)
    return Model(
        task=Saccade(anti), Nin=4, N=N, Nout=2, ei=ei, Cout=np.tile(ei > 0, (2, 1)),
        train_brec=True, var_rec=0.05**2, baseline_in=0,
        optimiser=adam(0.003), max_iter=max_iter,
        checkfreq=50, n_validation=200, performance=tasktools.performance_2afc,
        terminate=terminate,
    )  # fmt: skip


@style.styled
def draw(matrices):
    """A panel for each way of learning: percent correct of each task after each stage."""
    fig, axes = style.figure([" ".join("ABC"[: len(matrices)])], [2.4])
    for ax, (title, (rows, matrix)) in zip(axes.values(), matrices.items(), strict=True):
        ax.imshow(matrix, vmin=0, vmax=100, cmap="Greys", aspect="auto")
        for (i, j), value in np.ndenumerate(matrix):
            ax.text(j, i, f"{value:.0f}", ha="center", va="center",
                    color="white" if value > 60 else "black")  # fmt: skip
        ax.set_xticks(range(2), ["pro", "anti"])
        ax.set_yticks(range(len(rows)), rows)
        ax.set(title=title, xlabel="Correct on (%)", ylabel="After learning")
    return fig


def main(words=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/second_day"), metavar="FOLDER")
    parser.add_argument("--max-iter", type=int, default=2000, help="updates a stage, at most")
    options = parser.parse_args(words)
    pro, anti = (model(is_anti, options.max_iter) for is_anti in (0, 1))
    stages = [Stage("pro", pro), Stage("anti", anti)]

    in_turn = train_in_turn(stages, options.out / "in_turn")
    only_cue = np.zeros((N, 4))
    only_cue[:, 3] = 1
    held = chain(adam(0.01), only(Win=only_cue))
    stages[1] = Stage("anti", anti, {"optimiser": held})
    some = train_in_turn(stages, options.out / "held")
    both = interleaved({"pro": pro, "anti": anti})
    both.train(options.out / "both.npz", seed=1)
    together = np.array([[performance_on(m, options.out / "both.npz") for m in (pro, anti)]])

    matrices = {
        "In turn": (in_turn.names, in_turn.performance),
        "In turn, only one cue plastic": (some.names, some.performance),
        "Interleaved": (["both"], together),
    }
    for title, (rows, matrix) in matrices.items():
        for row, values in zip(rows, matrix, strict=True):
            print(f"{title}, after {row}: pro {values[0]:.1f} %, anti {values[1]:.1f} %")
    path = options.out / "curriculum.png"
    draw(matrices).savefig(path, dpi=150)
    print(f"written: {path}")


if __name__ == "__main__":
    main()
