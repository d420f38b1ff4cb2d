"""`dgr sweep`: run an experiment with many settings and seeds, one folder a cell."""

import argparse
import json
import sys
from pathlib import Path

from bridge.commands import add_cluster, check_folder, whole

EXAMPLES = """
  dgr sweep sweep.toml                        two local worker processes
  dgr sweep sweep.toml --status               how far it is; nothing is run
  dgr sweep sweep.toml --cluster slurm        jobs of Slurm, resources from the file's [cluster]
  dgr sweep sweep.toml --scheduler tcp://host:8786

The same command again runs what is not finished: a cell that was interrupted goes on, one that
failed is tried again, one that is there is skipped. Exit status 1: some cells failed on every try.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "file", type=Path, help="the sweep file (TOML); see the page Sweeps of the docs"
    )
    parser.add_argument("--out", type=Path, help="folder of the sweep (default: runs/sweeps/NAME)")
    parser.add_argument(
        "--workers",
        type=whole(0, 1000),
        default=2,
        metavar="N",
        help="local worker processes; 0: in this process",
    )
    add_cluster(parser)
    parser.add_argument("--status", action="store_true", help="only say how far the sweep is")
    parser.add_argument("--json", action="store_true", help="print the table as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run what is not finished, say how far the sweep is; 1 where cells failed."""
    from bridge.runs import executor
    from bridge.sweeps import draw_axes, open_sweep, rows, run_sweep

    sweep = open_sweep(arguments.file, arguments.out)
    failed = []
    if not arguments.status:
        check_folder(sweep.folder)
        if sweep.waiting:
            resources = sweep.plan.cluster
            with executor(
                arguments.workers, arguments.scheduler, arguments.cluster, resources
            ) as pool:
                failed = run_sweep(sweep, pool, progress=not arguments.quiet)
        draw_axes(sweep)
    if arguments.json:
        json.dump(rows(sweep), sys.stdout, indent=1)
        print()
        return 1 if failed else 0
    counts = ", ".join(f"{count} {status}" for status, count in sorted(sweep.counts.items()))
    print(f"{sweep.folder}: {len(sweep.cells)} cells: {counts}")
    for cell in sweep.cells:
        if cell.status == "failed":
            print(f"failed: {cell}: {cell.error()}")
    if not arguments.status:
        print(f"written: {sweep.table} and {sweep.folder / 'figures'}")
    return 1 if failed else 0
