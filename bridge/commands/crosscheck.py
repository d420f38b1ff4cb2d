"""`dgr crosscheck`: does the biological RNN compute the same in numpy, PyTensor and torch?"""

import argparse
import json
import sys
import time
from pathlib import Path

from bridge import data
from bridge.commands import check_folder, whole

EXAMPLES = """
  dgr crosscheck                                      seven cases, a few minutes
  dgr crosscheck --steps 10 --drift 0                 a quick look, under a minute
  dgr crosscheck --steps 10 --drift 0 --json          the same for another program
  dgr crosscheck --task my_task.py                    one task, any model file
  dgr crosscheck --task my_task.py --weights my.npz   a trained network
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--task",
        metavar="T",
        help="a model file (.py), or one of `dgr tasks`, instead of the seven default cases",
    )
    parser.add_argument(
        "--weights",
        metavar="FILE",
        help="a save file, ours or the original's, run on --task or on random batches",
    )
    parser.add_argument(
        "--data",
        choices=data.NAMES,
        help="digits of the thesis' network (mnist5k; random images where it is not installed)",
    )
    parser.add_argument("--data-root", help="torchvision's folder for mnist and fashion")
    parser.add_argument(
        "--steps",
        type=whole(0),
        default=100,
        metavar="K",
        help="updates on each side",
    )
    parser.add_argument(
        "--dtype", default="float64", choices=("float64", "float32"), help="precision"
    )
    parser.add_argument(
        "--drift",
        type=whole(0),
        default=1000,
        metavar="K",
        help="updates of the first case that the figure follows; 0: none",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("runs/crosscheck"),
        help="folder of crosscheck.json, drift.csv, drift.png and drift.pdf",
    )

    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Compare, print and write; 1 where the implementations differ."""
    from bridge.crosscheck import cases as crosscases
    from bridge.crosscheck import drift
    from bridge.crosscheck.comparison import as_json, crosscheck, table
    from bridge.files import write_json, write_whole

    started = time.monotonic()
    check_folder(arguments.out)
    if arguments.weights:
        cases = [crosscases.saved(arguments.weights, arguments.task)]
    elif arguments.task:
        cases = [crosscases.task(arguments.task)]
    else:
        cases = crosscases.default_cases(arguments.data, arguments.data_root)

    reports = []
    tick = (lambda what: None) if arguments.quiet else _progress
    for case in cases:
        reports.append(crosscheck(case, arguments.steps, arguments.dtype, tick=tick))
        tick("")
        if not arguments.json:
            print(table(reports[-1]), end="\n\n", flush=True)
    write_json(arguments.out / "crosscheck.json", as_json(reports))
    if arguments.drift:
        first = cases[0]
        rows = drift.drift(
            first,
            arguments.drift,
            lambda step: tick(f"drift: {step} of {arguments.drift} updates"),
        )
        tick("")
        write_whole(arguments.out / "drift.csv", drift.as_csv(rows))
        drift.draw(
            rows, f"{first.name}: the same training, rounded differently", arguments.out / "drift"
        )

    agree = all(report.agrees for report in reports)
    if arguments.json:
        print(json.dumps(as_json(reports), indent=1))
        return 0 if agree else 1
    names = ", ".join(report.case for report in reports if not report.agrees)
    print(
        f"{len(reports)} {'case' if len(reports) == 1 else 'cases'} in "
        f"{time.monotonic() - started:.0f} s: "
        + ("all agree" if agree else f"DIFFERENCES in {names}")
        + f"; written to {arguments.out}"
    )
    return 0 if agree else 1


def _progress(what: str) -> None:
    """Say on a terminal what is being done, on one line that is written over."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{what}", end="", file=sys.stderr, flush=True)
