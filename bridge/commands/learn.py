"""`dgr learn`: train a solver on a replay batch from a file, whichever backend dreamt it."""

import argparse
from pathlib import Path

import numpy as np

from bridge.commands import check_output, whole
from bridge.data.datasets import N_CLASSES
from bridge.data.examples import load_examples
from bridge.networks.registry import SOLVERS, make_solver, read_network, save_network
from bridge.replay.sequential import agreement

HELP = "train a solver on a replay batch from a file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("batch", type=Path, help="a replay batch (.npz), as `dgr dream` writes")
    parser.add_argument("out", type=Path, help="the trained solver's file to write (.npz)")
    parser.add_argument(
        "--solver", default="biornn", help=f"a new {' or '.join(SOLVERS)} (default: %(default)s)"
    )
    parser.add_argument("--from", dest="start", type=Path, help="go on from this solver's file")
    parser.add_argument("--iterations", type=whole(0), default=200, help="default: 200")
    parser.add_argument("--seed", type=whole(0), default=1)


def run(arguments: argparse.Namespace) -> int:
    check_output(arguments.out)
    batch = load_examples(arguments.batch, N_CLASSES)
    name, options = arguments.solver, {}
    if arguments.start:
        solver, name, options = read_network(arguments.start, SOLVERS)
    else:
        solver = make_solver(name, arguments.seed)
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
