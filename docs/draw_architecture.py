"""Draw docs/architecture.svg: the folders of the three packages and what travels through them.

    python docs/draw_architecture.py

The layers are read from the contracts in setup.cfg that `make lint` enforces, so the picture shows
the structure that is enforced. The three paths are listed below.
"""

from __future__ import annotations

from configparser import ConfigParser
from itertools import pairwise
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

HERE = Path(__file__).resolve().parent
PICTURE = HERE / "architecture.svg"
TORCH_LAYERS = (("generators", "rate_rnn", "lstm"), ("ewc",), ("checks", "state"), ("errors",))
COLUMN_WIDTH, BOX_HEIGHT, ROW_HEIGHT = 10.6, 0.72, 1.15
COLUMNS = {"bridge": 0.0, "pycog_dgr": 11.6, "torch_dgr": 23.2}
PATHS = {  # what travels -> (colour, vertical offset, folders in order)
    "Batch: a task's trials, padded, with noise": (
        "#0072B2",
        0.16,
        ("pycog_dgr.tasks", "pycog_dgr.data", "pycog_dgr.training", "pycog_dgr.symbolic",
         "pycog_dgr.kernels"),
    ),
    "Weights: drawn, trained, saved, run, compared": (
        "#D55E00",
        0.0,
        ("pycog_dgr.network", "pycog_dgr.training", "pycog_dgr.files", "pycog_dgr.running",
         "bridge.crosscheck", "torch_dgr.rate_rnn"),
    ),
    "Examples: images, targets and trial weights": (
        "#009E73",
        -0.16,
        ("bridge.data", "bridge.replay", "bridge.networks", "torch_dgr.generators"),
    ),
}  # fmt: skip


def contract_layers(name: str) -> tuple[tuple[str, ...], ...]:
    """The layers of one import-linter contract, high to low, siblings together."""
    config = ConfigParser()
    config.read(HERE.parent / "setup.cfg")
    lines = config[f"importlinter:contract:{name}"]["layers"].split("\n")
    layers = (tuple(part.strip() for part in line.split("|")) for line in lines if line)
    return tuple(layer for layer in layers if layer != ("__main__",))


def draw_package(
    axes: Axes, package: str, layers: tuple[tuple[str, ...], ...]
) -> dict[str, tuple[float, float]]:
    """Draw one package as a column of layers; return the centre of each folder's box."""
    left, centres = COLUMNS[package], {}
    axes.text(left + COLUMN_WIDTH / 2, 1.0, package, ha="center", fontsize=13, weight="bold")
    for row, layer in enumerate(layers):
        width = COLUMN_WIDTH / len(layer)
        for column, folder in enumerate(layer):
            x, y = left + (column + 0.5) * width, -row * ROW_HEIGHT
            box = FancyBboxPatch(
                (x - width / 2 + 0.1, y - BOX_HEIGHT / 2), width - 0.2, BOX_HEIGHT,
                boxstyle="round,pad=0.02,rounding_size=0.1", facecolor="#f2f2f2",
                edgecolor="#666666", linewidth=0.8,
            )  # fmt: skip
            axes.add_patch(box)
            size = 9.5 if width > 2.2 else 8
            left_edge = x - width / 2 + 0.25
            axes.text(left_edge, y, folder, va="center", fontsize=size, zorder=6)
            centres[f"{package}.{folder}"] = x + 0.12 * width, y
    return centres


def draw_path(axes: Axes, points: list[tuple[float, float]], colour: str, offset: float) -> None:
    """Draw one path through the folders, an arrow from each to the next."""
    shifted = [(x + 3 * offset, y + offset) for x, y in points]
    for start, end in pairwise(shifted):
        arrow = {"arrowstyle": "-|>", "color": colour, "linewidth": 1.8, "shrinkA": 3, "shrinkB": 3}
        arrow["connectionstyle"] = "arc3,rad=0.12"
        axes.annotate("", xy=end, xytext=start, arrowprops=arrow, zorder=3)
    for number, (x, y) in enumerate(shifted, start=1):
        axes.text(
            x, y, str(number), color="white", fontsize=6.5, ha="center", va="center", zorder=5,
            bbox={"boxstyle": "circle,pad=0.2", "facecolor": colour, "edgecolor": "none"},
        )  # fmt: skip


def draw() -> Figure:
    """The picture as a figure."""
    figure = Figure(figsize=(15, 6.4))
    axes = figure.add_axes((0.01, 0.01, 0.98, 0.98))
    centres: dict[str, tuple[float, float]] = {}
    layers = {
        "bridge": contract_layers("bridge_layers"),
        "pycog_dgr": contract_layers("pycog_dgr_layers"),
        "torch_dgr": TORCH_LAYERS,
    }
    for package, rows in layers.items():
        centres |= draw_package(axes, package, rows)
    depth = max(map(len, layers.values())) * ROW_HEIGHT
    for place, (name, (colour, offset, folders)) in enumerate(PATHS.items()):
        draw_path(axes, [centres[folder] for folder in folders], colour, offset)
        axes.text(23.2, -5.6 - 0.6 * place, f"\u2192  {name}", color=colour, fontsize=10)
    axes.text(
        23.2, -8.6, "A folder may import what stands in lower rows of its package,\n"
        "never what stands in higher ones. bridge may import both\nbackends; neither imports "
        "bridge or the other one.", fontsize=9,
    )  # fmt: skip
    axes.set(xlim=(-0.2, 34), ylim=(-depth, 1.6))
    axes.set_axis_off()
    return figure


if __name__ == "__main__":
    matplotlib.rcParams.update({"svg.hashsalt": "architecture", "svg.fonttype": "none"})
    draw().savefig(PICTURE, metadata={"Date": None})
    print(PICTURE)
