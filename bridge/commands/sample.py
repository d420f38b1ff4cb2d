"""`dgr sample`: draw images from a generator, let a solver label them, write them to a file."""

import argparse
from pathlib import Path

import numpy as np

from bridge.commands import check_output, whole
from bridge.data import save_examples
from bridge.networks import GENERATORS, SOLVERS, load_network
from bridge.replay import LABELS, generative_replay

EXAMPLES = """
  dgr sample RUN/work/generators-1/generator-1.npz RUN/work/lstm-generative-1/solver-1.npz out.npz
  dgr sample GENERATOR.npz SOLVER.npz out.npz -n 5000 --labels soft
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "generator",
        type=Path,
        help="a generator's file, e.g. RUN/work/generators-1/generator-1.npz",
    )
    parser.add_argument(
        "solver", type=Path, help="a solver's file, e.g. RUN/work/biornn-generative-1/solver-1.npz"
    )
    parser.add_argument("out", type=Path, help="the file of labelled images to write (.npz)")
    parser.add_argument("-n", type=whole(1), default=1000, help="how many images")
    parser.add_argument("--labels", default="hard", help=f"{', '.join(LABELS)}")
    parser.add_argument("--seed", type=whole(0), default=1, help="of the random numbers")


def run(arguments: argparse.Namespace) -> int:
    """Write the file and say how many images of each class it holds."""
    check_output(arguments.out)
    generator = load_network(arguments.generator, GENERATORS)
    solver = load_network(arguments.solver, SOLVERS)
    source = generative_replay(
        generator,
        solver,
        arguments.labels,
        origin={
            "generator": str(arguments.generator),
            "solver": str(arguments.solver),
            "seed": arguments.seed,
        },
        classes=generator.classes,
    )
    batch = source(arguments.n, np.random.default_rng(arguments.seed))
    save_examples(arguments.out, batch)
    counts = np.bincount(batch.targets.argmax(axis=1), minlength=batch.targets.shape[1])
    print(f"{arguments.out}: {len(batch)} images, {' '.join(map(str, counts))} of class 0, 1, ...")
    return 0
