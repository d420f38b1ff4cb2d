"""Permuted MNIST with the recipe `improved`, untuned: ten permutations, one after the other.

    python examples/replay/permuted_mnist.py [--data mnist5k] [--contexts 10] [--seed 1]
        [--seeds 1] [--solvers lstm biornn] [--out runs/permuted]

Every context shows all ten digits with their pixels in another order, and every network has ten
outputs (domain-incremental). Generator, solvers, their options, labels, augmentation and the
balance of real and replayed images are those of `improved` (bridge/replay/improved.py); a context
is passed through as often as there, the last one twice as often. The generator is conditioned on
context and digit, a solver is never told the context. `generative` replays its samples of all
earlier permutations; `none` trains on. No real image of an earlier context is used, and no test
image chooses anything: the last network counts.

A table a solver, SOLVER.csv, is written after every context: test accuracy (%) on every context.
The figure shows the means over seeds of the solvers that a folder holds; solvers may be run one
after the other.
"""

import argparse
import csv
import io
import sys
import time
from pathlib import Path

import numpy as np

from bridge.data import PermutedContexts, augment, examples, load, mix, one_hot
from bridge.errors import BridgeError, SettingError
from bridge.figures import style
from bridge.files import write_json, write_whole
from bridge.networks import make_generator, make_solver
from bridge.replay import (
    IMPROVED,
    LABELS,
    SolverState,
    TrainingData,
    accuracy,
    draw_samples,
    learn_context,
    segments,
)
from bridge.runs import manifest

REPLAYS = ("none", "generative")
COLUMNS = ("solver", "replay", "seed", "after", "tested", "accuracy")
COLOURS = {"lstm": style.BLUE, "biornn": style.VERMILION}
NAMES = {"lstm": "LSTM", "biornn": "biological RNN"}


class Learner:
    """A solver of the recipe that goes from context to context."""

    def __init__(self, name, replay, contexts, seed):
        self.name, self.replay, self.contexts, self.seed = name, replay, contexts, seed
        self.plan = IMPROVED.solvers[name]
        self.solver, self.last = (make_solver(name, seed, **self.plan.options) for _ in range(2))

    def updates(self, k):
        """Of context k: as many passes through it as `improved` makes through its contexts."""
        data, plan = self.contexts.data, self.plan
        first = len(data.train.of(IMPROVED.contexts[0]).labels)
        seen = IMPROVED.budget(data.name).solver(plan.iterations_of(1)) * plan.batch_size
        shown = len(data.train.labels) * (k if self.replay == "generative" else 1)
        last = k == len(self.contexts)
        return round(seen / first * shown / plan.batch_size) * (2 if last else 1)

    def learn(self, k, generator):
        """Learn context k beside samples of the last generator, None where there is none."""
        self.last.load_state(self.solver.state())
        lengths = segments(self.updates(k), IMPROVED.evaluations)
        if self.plan.restart_optimiser:
            self.solver.begin_context(iterations=sum(lengths))
        state = SolverState(self.solver, np.random.default_rng([self.seed, 1, k]))
        for _ in learn_context(
            state, lambda i: self.data(k, i, generator), self.plan, lengths, lambda *done: done[2]
        ):
            pass

    def data(self, k, segment, generator):
        """Real images of context k and freshly drawn ones of the earlier, all of them augmented."""
        rng = np.random.default_rng([self.seed, 2, k, segment])
        real = self.contexts.train(k)
        n_classes = self.contexts.data.n_classes
        shown = examples(real.images, one_hot(real.labels, n_classes), context=k)
        if generator is not None and self.replay == "generative":
            n = (k - 1) * len(real.labels)
            asked = rng.permutation(np.resize(np.array(generator.classes), n))
            images = draw_samples(generator, n, rng, asked)
            condition = one_hot(self.contexts.classes(asked), n_classes)
            targets = LABELS[IMPROVED.labels](self.last.predict(images), condition)
            shown = mix(shown, examples(images, targets, replay="generative"), None)
        shown = shown.with_images(augment(shown.images, IMPROVED.augmentation, rng))
        return TrainingData(shown, shown)


def learn_generator(generator, contexts, k, seed):
    """Let the generator learn context k: the last time that its real images are used."""
    real, plan = contexts.train(k), IMPROVED.generator
    targets = one_hot(contexts.conditions(k, real.labels), contexts.n_conditions)
    iterations = IMPROVED.budget(contexts.data.name).generator(plan.iterations_of(k))
    rng = np.random.default_rng([seed, 3, k])
    generator.fit(real.images, targets, iterations=iterations, rng=rng, batch_size=plan.batch_size)


def run(folder, data, data_root, n_contexts, seeds, solvers):
    """Everything, seed by seed, into tables, manifest and figure."""
    rows = []
    for seed in seeds:
        run_seed(folder, data, data_root, n_contexts, seed, solvers, rows)
    write_json(folder / f"manifest-{'-'.join(solvers)}.json", manifest(" ".join(sys.argv)))
    draw(folder)


def run_seed(folder, data, data_root, n_contexts, seed, solvers, rows):
    """One seed, context by context; `rows` of the table grow."""
    contexts = PermutedContexts(load(data, data_root), n_contexts, seed)
    plan = IMPROVED.generator
    generator = make_generator(
        plan.kind, seed, n_classes=contexts.n_conditions, **plan.options,
        image_shape=contexts.data.image_shape,
    )  # fmt: skip
    learners = [Learner(name, replay, contexts, seed) for name in solvers for replay in REPLAYS]
    began = time.monotonic()
    for k in range(1, n_contexts + 1):
        for learner in learners:
            learner.learn(k, generator if k > 1 else None)
            for j in range(1, n_contexts + 1):
                reached = accuracy(learner.solver, *contexts.test(j))
                row = (learner.name, learner.replay, seed, k, j, f"{reached:.2f}")
                rows.append(dict(zip(COLUMNS, row, strict=True)))
        if k < n_contexts:
            learn_generator(generator, contexts, k, seed)
        for name in solvers:
            write_csv(folder / f"{name}.csv", [row for row in rows if row["solver"] == name])
        minutes = (time.monotonic() - began) / 60
        of_seed = [row for row in rows if row["seed"] == seed]
        print(f"seed {seed}, context {k}, {minutes:.0f} min: {told(of_seed, k)}", flush=True)


def write_csv(path, rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_whole(path, text.getvalue().encode())


def told(rows, k):
    """Mean accuracy on the contexts so far, of each learner."""
    found = {}
    for row in rows:
        if row["after"] == k and row["tested"] <= k:
            name = f"{NAMES[row['solver']]} ({row['replay']})"
            found.setdefault(name, []).append(float(row["accuracy"]))
    return ", ".join(f"{name} {np.mean(values):.1f} %" for name, values in found.items())


def draw(folder):
    """Write figure.png and figure.pdf from the tables: what is kept, and R (after, tested)."""
    rows, runs = [], {}
    for path in (folder / f"{solver}.csv" for solver in NAMES):
        if path.exists():
            with path.open(newline="") as file:
                rows += csv.DictReader(file)
    for row in rows:
        place = int(row["after"]) - 1, int(row["tested"]) - 1
        n = max(int(row["after"]) for row in rows)
        of_seed = runs.setdefault((row["solver"], row["replay"]), {})
        of_seed.setdefault(row["seed"], np.zeros((n, n)))[place] = float(row["accuracy"])
    R = {learner: np.mean(list(seeds.values()), axis=0) for learner, seeds in runs.items()}
    figure = style.styled(compose)(R)
    for suffix, undated in (("png", {}), ("pdf", {"CreationDate": None})):
        picture = io.BytesIO()
        style.styled(figure.savefig)(picture, format=suffix, metadata=undated)
        write_whole(folder / f"figure.{suffix}", picture.getvalue())


def compose(R):
    """On the left the mean over the contexts so far, then a matrix for each solver with replay."""
    solvers = list(dict.fromkeys(solver for solver, _ in R))
    n = len(next(iter(R.values())))
    figure = style.new_figure(style.DOUBLE, 2.8)
    grid = figure.add_gridspec(1, 1 + len(solvers), width_ratios=[1.3] + [1] * len(solvers))
    kept = figure.add_subplot(grid[0])
    for (solver, replay), one in R.items():
        mean = [one[i, : i + 1].mean() for i in range(n)]
        dashes = "-" if replay == "generative" else ":"
        label = NAMES[solver] + (", replay" if replay == "generative" else ", no replay")
        kept.plot(range(1, n + 1), mean, dashes, color=COLOURS[solver], marker="o", markersize=3,
                  label=label)  # fmt: skip
    kept.set_xticks(range(1, n + 1))
    kept.set(xlabel="permutations learnt", ylabel="correct, mean over them (%)", ylim=(0, 140))
    kept.set_yticks(range(0, 101, 20))
    kept.legend(loc="upper left")
    others = [figure.add_subplot(place) for place in [grid[k] for k in range(1, 1 + len(solvers))]]
    for axes, solver in zip(others, solvers, strict=True):
        shown = np.where(np.tri(n, dtype=bool), R[solver, "generative"], np.nan)
        frame = (0.5, n + 0.5, n + 0.5, 0.5)
        image = axes.imshow(shown, vmin=0, vmax=100, cmap="viridis", extent=frame)
        axes.set_title(f"{NAMES[solver]}, replay", loc="left", color=COLOURS[solver])
        axes.set_xticks(range(1, n + 1, 1 + n // 6))
        axes.set_yticks(range(1, n + 1, 1 + n // 6))
        axes.set(xlabel="tested on permutation", ylabel="after permutation")
        axes.grid(False)
    figure.colorbar(image, ax=others, label="correct (%)", shrink=0.7)
    return figure


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="mnist5k", help="mnist5k, mnist or fashion")
    parser.add_argument("--data-root", help="where torchvision keeps mnist and fashion")
    parser.add_argument("--contexts", type=int, default=10, help="permutations")
    parser.add_argument("--seed", type=int, default=1, help="the first")
    parser.add_argument("--seeds", type=int, default=1, help="how many")
    parser.add_argument("--solvers", nargs="+", default=["lstm", "biornn"], choices=NAMES)
    parser.add_argument("--out", type=Path, default=Path("runs/permuted"))
    options = parser.parse_args()
    try:
        if options.seed < 0 or options.seeds < 1:
            raise SettingError(
                f"--seed {options.seed} --seeds {options.seeds}: give a seed of 0 or more, and at "
                "least one of them"
            )
        seeds = range(options.seed, options.seed + options.seeds)
        run(options.out, options.data, options.data_root, options.contexts, seeds, options.solvers)
    except (BridgeError, OSError) as error:
        sys.exit(f"permuted_mnist: {error}")


if __name__ == "__main__":
    main()
