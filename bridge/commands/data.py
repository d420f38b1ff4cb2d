"""`dgr data`: fetch or check a data set and say what is in it."""

import argparse

import numpy as np

from bridge import data


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "name",
        nargs="?",
        default="mnist5k",
        help=f"one of {', '.join(data.NAMES)} (default: mnist5k)",
    )
    parser.add_argument("--data-root", help="torchvision's folder for mnist and fashion")


def run(arguments: argparse.Namespace) -> int:
    digits = data.load(arguments.name, arguments.data_root)
    print(f"{'split':12}{'images':>8}  images of class 0..9")
    for split in ("train", "validation", "test"):
        part = getattr(digits, split)
        counts = np.bincount(part.labels, minlength=data.N_CLASSES)
        print(f"{split:12}{len(part.labels):8}  {' '.join(map(str, counts))}")
    return 0
