"""`dgr data`: fetch or check a data set and say what is in it."""

import argparse
import json

import numpy as np

from bridge import data

EXAMPLES = """
  dgr data                             the 5,000 embedded digits
  dgr data mnist                       downloaded into the cache where it is not there yet
  dgr data fashion --data-root FOLDER  torchvision's folder
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "name",
        nargs="?",
        default="mnist5k",
        help=f"one of {', '.join(data.NAMES)}",
    )
    parser.add_argument("--data-root", help="torchvision's folder for mnist and fashion")
    parser.add_argument("--json", action="store_true", help="print images of each class as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print how many images of each class each split holds."""
    digits = data.load(arguments.name, arguments.data_root)
    counts = {
        split: np.bincount(getattr(digits, split).labels, minlength=data.N_CLASSES).tolist()
        for split in ("train", "validation", "test")
    }
    if arguments.json:
        print(json.dumps(counts))
        return 0
    print(f"{'split':12}{'images':>8}  images of class 0..9")
    for split, of_class in counts.items():
        print(f"{split:12}{sum(of_class):8}  {' '.join(map(str, of_class))}")
    return 0
