"""`dgr certify`: do Dale's signs, masks and bounds of tau hold in every network of a run?"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

EXAMPLES = """
  dgr certify runs/mnist5k-improved     every constrained network under work/; 1 where one breaks
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("folder", type=Path, help="a results folder with its work/")
    parser.add_argument("--json", action="store_true", help="print what each breaks as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print what each network breaks; 1 where any does, ResultsError where there is none."""
    from bridge.errors import ResultsError

    networks = list(certified(arguments.folder))
    if not networks:
        raise ResultsError(
            f"{arguments.folder}: no network with constraints under work/: name a run that "
            "trained the biological RNN and was not stripped of its work/"
        )
    broken = sum(bool(network.violations) for network in networks)
    if arguments.json:
        found = [{"file": str(one.file), "violations": one.violations} for one in networks]
        print(json.dumps(found, indent=1))
        return 1 if broken else 0
    for network in networks:
        for sentence in network.violations:
            print(f"{network.file}: {sentence}")
    print(f"{len(networks)} networks, {broken} break a constraint")
    return 1 if broken else 0


class Certified(NamedTuple):
    """A network's file, and what its effective weights break."""

    file: Path
    violations: list[str]


def certified(folder: Path) -> Iterator[Certified]:
    """Every finished network of a constrained solver in a run folder."""
    from bridge.crosscheck.weights import violations
    from bridge.networks import CONSTRAINED, SOLVERS, load_network
    from bridge.runs import RunPaths, SequentialJob, jobs_of, read_config

    paths, config = RunPaths(folder), read_config(folder)
    for job in jobs_of(config):
        if isinstance(job, SequentialJob) and job.solver in CONSTRAINED:
            for k in range(1, len(config.contexts) + 1):
                file = paths.solver(job.name, k)
                if file.exists():
                    solver = load_network(file, SOLVERS)
                    yield Certified(file, violations(solver.weights, solver.network))
