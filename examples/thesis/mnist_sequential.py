"""Digits in five contexts, one after the other: with and without replay of the earlier ones.

    python examples/thesis/mnist_sequential.py --solver lstm
    python examples/thesis/mnist_sequential.py --solver biornn --replays none generative exact
    python examples/thesis/mnist_sequential.py --data mnist --data-root ../shared/data

A generator learns the present digits and samples of the last generator; the solver learns the
present digits and samples labelled by the last solver (Shin et al. 2017; A. Prasad 2020, protocol
`text`).
Prints and draws the accuracy on test images of all digits so far. `dgr reproduce` does it over
seeds, resumable, and chooses networks on held-out images; here the last network goes on. The
embedded digits take some ten minutes on one core, full MNIST hours.
"""

import argparse
import os
import sys
import time
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small networks: more threads cost time
import numpy as np
from tqdm import tqdm

from bridge import replay as dgr
from bridge.cli import expected
from bridge.data import NAMES, Contexts, class_names, load, parse_contexts
from bridge.figures import style
from bridge.networks import SOLVERS, make_generator, make_solver
from bridge.replay import protocol_named

TEXT = protocol_named("text")


def counted(n, what):
    """1 to n, with a progress bar or, where there is no terminal, a line after each."""
    began = time.monotonic()
    for k in tqdm(range(1, n + 1), desc=what, disable=None):
        yield k
        if not sys.stderr.isatty():
            left = (time.monotonic() - began) / k * (n - k)
            print(
                f"{what}: {k} of {n}, about {left / 60:.0f} min left", file=sys.stderr, flush=True
            )


def generators(contexts, budget, seed):
    """One generator a context but the last, each trained on samples of the one before it."""
    rng, last = np.random.default_rng([seed, 0]), None
    for k in counted(len(contexts) - 1, "generators"):
        data = dgr.generator_data(TEXT, contexts, k, last, rng)
        last = make_generator(TEXT.generator.kind, seed + k, **TEXT.generator.options)
        last.fit(data.images, iterations=budget.generator(TEXT.generator.iterations_of(k)), rng=rng)
        yield last


def learn(name, replay, contexts, generators, budget, seed):
    """Test accuracies (%) on all digits so far, after each context."""
    plan, rng = TEXT.solvers[name], np.random.default_rng([seed, 1])
    solver, last = (make_solver(name, seed, **plan.options) for _ in range(2))
    for k in counted(len(contexts), f"{name}, {replay}"):
        last.load_state(solver.state())
        earlier = None
        if k > 1 and replay == "generative":
            earlier = dgr.generative_replay(generators[k - 2], last, TEXT.labels)
        if k > 1 and replay == "exact":
            earlier = dgr.exact_replay(contexts.data.train.of(contexts.seen(k - 1)))
        lesson = dgr.training_data(contexts, k, plan.mix_of(k), earlier, rng).train
        fit = partial(solver.fit, lesson.images, lesson.targets, lesson.weights, rng=rng)
        fit(iterations=budget.solver(plan.iterations_of(k)), batch_size=plan.batch_size)
        yield dgr.accuracies(solver, contexts, k).overall


@style.styled
def draw(path, reached, contexts):
    """Accuracy against contexts learnt, a line for each kind of replay."""
    figure = style.new_figure(style.SINGLE, 2.6)
    axes = figure.subplots()
    for (replay, values), marker in zip(reached.items(), style.MARKERS, strict=False):
        label, colour = style.replay_look(replay)
        axes.plot(range(1, len(values) + 1), values, color=colour, marker=marker, label=label,
                  clip_on=False)  # fmt: skip
    names = class_names(contexts.data.name)
    style.context_axis(axes, [", ".join(names[k] for k in group) for group in contexts.classes])
    style.percent_axis(axes)
    style.legend_above(figure, [axes], columns=3)
    figure.savefig(path)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--solver", default="lstm", choices=SOLVERS)
    parser.add_argument(
        "--replays",
        nargs="+",
        default=["none", "generative"],
        choices=("none", "generative", "exact"),
    )
    parser.add_argument("--data", default="mnist5k", choices=NAMES)
    parser.add_argument("--data-root", type=Path, help="folder of --data mnist or fashion")
    parser.add_argument("--contexts", default="01,23,45,67,89")
    parser.add_argument("--scale", type=float, default=1.0, help="of the length of all trainings")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("mnist-sequential.png"), help="figure")
    given = parser.parse_args()
    try:
        budget = TEXT.budget(given.data).times(given.scale)
        contexts = Contexts(load(given.data, given.data_root), parse_contexts(given.contexts))
        trained = []
        if "generative" in given.replays:
            trained = list(generators(contexts, budget, given.seed))
        reached = {
            replay: list(learn(given.solver, replay, contexts, trained, budget, given.seed))
            for replay in given.replays
        }
        print(f"| contexts learnt | {' | '.join(reached)} |\n|---:|{'---:|' * len(reached)}")
        for k, values in enumerate(zip(*reached.values(), strict=True), start=1):
            print(f"| {k} | {' | '.join(f'{value:.1f}' for value in values)} |")
        draw(given.out, reached, contexts)
    except (ValueError, OSError) as error:
        if not expected(error):
            raise
        sys.exit(f"mnist_sequential: {error}")
    print(f"figure: {given.out}")


if __name__ == "__main__":
    main()
