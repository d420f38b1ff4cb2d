"""All ten digits at once: how well does a solver learn them without any replay?

    python examples/thesis/mnist_joint.py --solver lstm
    python examples/thesis/mnist_joint.py --solver biornn --epochs 20
    python examples/thesis/mnist_joint.py --solver lstm --data mnist --data-root ../shared/data

A solver reads an image as 28 rows, one a step, and names the digit at the end. Prints accuracy on
test images after every epoch and draws it beside the thesis' curve (A. Prasad 2020, Fig. 3.2).
`dgr reproduce` does this for both solvers, over seeds, resumable; here it is by hand.
"""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small networks: more threads cost time

import numpy as np
from tqdm import tqdm

from bridge import thesis
from bridge.cli import expected
from bridge.data import N_CLASSES, NAMES, load, one_hot
from bridge.errors import SettingError
from bridge.figures import style
from bridge.networks import SOLVERS, make_solver
from bridge.replay import accuracy, protocol_named


def learn(name, digits, epochs, n_images, seed):
    """Test accuracies (%), before training and after every epoch."""
    plan = protocol_named("text").solvers[name]
    solver = make_solver(name, seed, **plan.options)
    train = digits.train.first(n_images or len(digits.train.labels))
    targets = one_hot(train.labels, N_CLASSES)
    iterations = -(-len(targets) // 64)
    rng = np.random.default_rng(seed)
    reached = [accuracy(solver, *digits.test)]
    for _ in tqdm(range(epochs), desc=f"{name}, epochs", disable=None):
        solver.fit(train.images, targets, iterations=iterations, rng=rng)
        reached.append(accuracy(solver, *digits.test))
    return reached


@style.styled
def draw(path, name, reached, data):
    """Accuracy against epochs, ours and, on the thesis' digits, the thesis'."""
    figure = style.new_figure(style.SINGLE, 2.4)
    axes = figure.subplots()
    label, colour, marker = style.solver_look(name)
    ours = {"color": colour, "marker": marker, "label": f"{label}, here", "clip_on": False}
    axes.plot(range(len(reached)), reached, **ours)
    published = thesis.curve(name, "joint").values if data in thesis.DATA else {}
    style.draw_thesis(axes, published, colour, f"{label}, thesis", marker)
    style.percent_axis(axes)
    axes.set(xlabel="epochs", xlim=(0, max(len(reached) - 1, *published, 1)))
    axes.legend(loc="lower right")
    figure.savefig(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--solver", default="lstm", choices=SOLVERS)
    parser.add_argument("--data", default="mnist5k", choices=NAMES)
    parser.add_argument("--data-root", type=Path, help="folder of --data mnist or fashion")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--images", type=int, help="train on the first so many images only")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("mnist-joint.png"), help="figure")
    given = parser.parse_args()
    try:
        if given.epochs < 1 or (given.images is not None and given.images < 1):
            raise SettingError("--epochs and --images must be at least 1")
        digits = load(given.data, given.data_root)
        reached = learn(given.solver, digits, given.epochs, given.images, given.seed)
        print("| epochs | test accuracy (%) |\n|---:|---:|")
        for epoch, value in enumerate(reached):
            print(f"| {epoch} | {value:.1f} |")
        draw(given.out, given.solver, reached, given.data)
    except (ValueError, OSError) as error:
        if not expected(error):
            raise
        sys.exit(f"mnist_joint: {error}")
    print(f"figure: {given.out}")


if __name__ == "__main__":
    main()
