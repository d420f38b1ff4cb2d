"""`dgr reproduce`: run what the thesis' figures need, draw them, and write report.html."""

import argparse
import shlex
import sys
from contextlib import nullcontext
from pathlib import Path

from bridge.commands import add_cluster, check_folder, whole
from bridge.data import NAMES, parse_contexts
from bridge.replay import PROTOCOLS, REPLAYS, VARIATIONS

DRAWING = 600  # seconds that another call may take to draw the folder's figures
EXAMPLES = """
  dgr reproduce                                             embedded digits, minutes
  dgr reproduce --scale 0.1 --seeds 1 --no-audit            a short one, to try things out
  dgr reproduce --data mnist --data-root FOLDER --seeds 3   full MNIST, hours
  dgr reproduce --protocol improved --solvers biornn --replays generative,joint
  dgr reproduce --protocol improved --vary fixed-tau --generators-of runs/mnist5k-improved
  dgr reproduce --cluster slurm --resources resources.toml  jobs of Slurm in place of processes

The same command again goes on with what is not finished. Several calls can work on one folder.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--data",
        default="mnist5k",
        help=f"one of {', '.join(NAMES)}",
    )
    parser.add_argument("--data-root", help="torchvision's folder for mnist and fashion")
    parser.add_argument(
        "--protocol",
        default="text",
        help=f"one of {', '.join(PROTOCOLS)}",
    )
    parser.add_argument(
        "--vary",
        default="",
        metavar="NAME",
        help=f"change one ingredient of the protocol: {', '.join(VARIATIONS)}",
    )
    parser.add_argument("--seed", type=whole(0), default=1, help="the first seed")
    parser.add_argument("--seeds", type=whole(1, 1000), default=2, metavar="N", help="how many")
    parser.add_argument(
        "--solvers",
        help="names, separated by commas (default: lstm,biornn, or those that --vary concerns)",
    )
    parser.add_argument("--replays", default=",".join(REPLAYS), help="names, separated by commas")
    parser.add_argument("--contexts", help="e.g. 01,23,45 (default: the protocol's)")
    parser.add_argument("--no-audit", action="store_true", help="leave out the audit runs")
    parser.add_argument(
        "--scale",
        type=float,
        default=1.0,
        metavar="FACTOR",
        help="train FACTOR times as long, to try things out",
    )
    parser.add_argument(
        "--beside",
        type=Path,
        nargs="+",
        default=(),
        metavar="RUN",
        help="other results folders, drawn beside this one in the report",
    )
    parser.add_argument(
        "--generators-of",
        type=Path,
        metavar="RUN",
        help="take the finished generators of another run, where the same settings decide them",
    )
    parser.add_argument("--workers", type=whole(1, 1000), default=2, help="local worker processes")
    add_cluster(parser)
    parser.add_argument(
        "--resources",
        type=Path,
        metavar="FILE",
        help="TOML file whose table [cluster] says what each job of --cluster asks for",
    )
    parser.add_argument(
        "--out", type=Path, help="results folder (default: runs/DATA-PROTOCOL[-NAME])"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run, draw and report."""
    from bridge.runs import executor, lock, read_resources, reproduce, run_config

    config = run_config(
        data=arguments.data,
        protocol=arguments.protocol,
        seeds=tuple(range(arguments.seed, arguments.seed + arguments.seeds)),
        solvers=tuple(arguments.solvers.split(",")) if arguments.solvers else None,
        replays=tuple(arguments.replays.split(",")),
        contexts=parse_contexts(arguments.contexts) if arguments.contexts else None,
        scale=arguments.scale,
        variation=arguments.vary,
        audits=() if arguments.no_audit else None,
    )
    name = "-".join(filter(None, (config.data, config.protocol.name, arguments.vary)))
    folder = arguments.out or Path("runs") / name
    check_folder(folder)
    command = shlex.join(["dgr", *sys.argv[1:]])
    resources = read_resources(arguments.resources) if arguments.resources else {}
    scheduler, cluster = arguments.scheduler, arguments.cluster
    elsewhere = scheduler is not None or cluster is not None
    with executor(0, scheduler, cluster, resources) if elsewhere else nullcontext() as pool:
        reproduce(
            config,
            folder,
            command,
            data_root=arguments.data_root,
            workers=arguments.workers,
            pool=pool,
            progress=not arguments.quiet,
            generators_of=arguments.generators_of,
        )
    from bridge.report import write_report

    with lock(folder, wait=DRAWING):
        print(f"report: {write_report(folder, beside=arguments.beside)}")
    return 0
