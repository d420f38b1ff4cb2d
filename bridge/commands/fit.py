"""`dgr fit`: train a solver on labelled images from a file, whichever backend drew them."""

import argparse
from pathlib import Path

import numpy as np

from bridge.commands import check_output, whole
from bridge.data import load_examples
from bridge.networks import SOLVERS, make_solver, read_network, save_network, sizes
from bridge.replay import agreement

EXAMPLES = """
  dgr fit BATCH.npz SOLVER.npz --solver lstm
  dgr fit BATCH.npz SOLVER.npz --from RUN/work/lstm-generative-1/solver-1.npz --iterations 500
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("batch", type=Path, help="labelled images (.npz), as `dgr sample` writes")
    parser.add_argument("out", type=Path, help="the trained solver's file to write (.npz)")
    parser.add_argument("--solver", default="biornn", help=f"a new {' or '.join(SOLVERS)}")
    parser.add_argument("--from", dest="start", type=Path, help="go on from this solver's file")
    parser.add_argument("--iterations", type=whole(0), default=200, help="updates")
    parser.add_argument("--seed", type=whole(0), default=1, help="of the random numbers")


def run(arguments: argparse.Namespace) -> int:
    """Train, write the solver, and say how well it agrees with the labels."""
    check_output(arguments.out)
    batch = load_examples(arguments.batch)
    if arguments.start:
        solver, name, options = read_network(arguments.start, SOLVERS)
    else:
        name = arguments.solver
        options = sizes(SOLVERS, name, batch.images.shape[1:], batch.targets.shape[1])
        solver = make_solver(name, arguments.seed, **options)
    solver.fit(
        batch.images,
        batch.targets,
        batch.weights,
        iterations=arguments.iterations,
        rng=np.random.default_rng(arguments.seed),
    )
    save_network(arguments.out, solver, name, options)
    print(f"{arguments.out}: agrees with {agreement(solver, batch):.1f} % of the batch's labels")
    return 0
