"""`dgr rerun`: run a finished folder once more and say whether its numbers come out the same."""

import argparse
import json
import shlex
import sys
from pathlib import Path

from bridge.commands import whole

EXAMPLES = """
  dgr rerun runs/mnist5k-text          1 where a number differs
  dgr rerun runs/mnist5k-text --json
  dgr rerun runs/mnist-text --data-root FOLDER --out again
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("folder", type=Path, help="a results folder, e.g. runs/mnist5k-text")
    parser.add_argument("--out", type=Path, help="the new folder (default: FOLDER-rerun)")
    parser.add_argument("--data-root", help="torchvision's folder, if it has moved")
    parser.add_argument("--json", action="store_true", help="print what was compared as JSON")
    parser.add_argument("--workers", type=whole(1, 1000), default=2, help="worker processes")


def run(arguments: argparse.Namespace) -> int:
    """Run once more and compare; 1 where a number differs."""
    from bridge.runs import RunPaths, circumstances, finished_manifest, rerun

    folder = arguments.folder.resolve()
    out = arguments.out or folder.with_name(f"{folder.name}-rerun")
    finished_manifest(folder)
    changed = circumstances(folder)
    for line in changed:
        print(f"warning: {line}", file=sys.stderr if arguments.json else sys.stdout)
    command = shlex.join(["dgr", *sys.argv[1:]])
    files = rerun(folder, out, command, arguments.data_root, arguments.workers)
    differing = [file for file in files if not file.same]
    if arguments.json:
        compared = [{**file._asdict(), "same": file.same} for file in files]
        print(json.dumps({"circumstances": changed, "files": compared}, indent=1))
        return 1 if differing else 0
    for file in files:
        print(file)
    if differing:
        print(f"{len(differing)} of {len(files)} files DIFFER between {folder} and {out}")
        return 1
    paths = RunPaths(folder)
    for part in (paths.samples, paths.work):
        if not part.is_dir():
            print(f"note: {folder} holds no {part.name}/, which is not compared")
    values = sum(file.values for file in files)
    print(f"all {len(files)} files are the same: {values:,} values, bit for bit")
    return 0
