"""`dgr rerun`: run a finished folder once more and say whether its numbers come out the same."""

import argparse
import shlex
import sys
from pathlib import Path

from bridge.commands import whole

HELP = "run a finished results folder once more: are its numbers the same, bit for bit?"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="a results folder, e.g. runs/mnist5k-text")
    parser.add_argument("--out", type=Path, help="the new folder (default: FOLDER-rerun)")
    parser.add_argument("--data-root", help="torchvision's folder, if it has moved")
    parser.add_argument("--workers", type=whole(1, 1000), default=2, help="processes (default: 2)")


def run(arguments: argparse.Namespace) -> int:
    from bridge.runs.rerun import circumstances, plan_of, rerun

    folder = arguments.folder
    out = arguments.out or folder.with_name(f"{folder.name}-rerun")
    plan_of(folder, arguments.data_root)
    for line in circumstances(folder):
        print(f"warning: {line}")
    command = shlex.join(["dgr", *sys.argv[1:]])
    found = rerun(folder, out, command, arguments.data_root, arguments.workers)
    for one in found:
        print(one)
    differing = [one for one in found if not one.same]
    if differing:
        print(f"{len(differing)} of {len(found)} files DIFFER between {folder} and {out}")
        return 1
    for part in ("samples", "work"):
        if not (folder / part).is_dir():
            print(f"note: {folder} holds no {part}/, which is not compared")
    values = sum(one.values for one in found)
    print(f"all {len(found)} files are the same: {values:,} values, bit for bit")
    return 0
