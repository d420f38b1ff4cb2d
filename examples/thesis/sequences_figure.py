"""Draw what sequences.py found: learn 1, learn 2, test 1, and the errors over seeds.

    python examples/thesis/sequences_figure.py [runs/sequences]

Reads results.csv, curves.csv and outputs.npz of a run folder and trains nothing. figure.png shows
the conditions of the thesis, replay.png, where they were run (--replay), those with replay.
"""

import argparse
import csv
import io
import sys
from pathlib import Path

import numpy as np

from bridge.errors import BridgeError, ResultsError
from bridge.figures import style
from bridge.files import archive

OUTPUTS = "dgr sequences, outputs"
THESIS = {
    "fine-tuning": style.GREY,
    "EWC": style.BLUE,
    "dropout": style.ORANGE,
    "EWC and dropout": style.GREEN,
}
REPLAY = {
    "Adam": style.GREY,
    "replay": style.BLUE,
    "Adam and replay": style.ORANGE,
    "Adam and stored trials": style.GREEN,
}
ALONE = "task 2 alone"
HEIGHT = 4  # of a target
ABOVE = 1.4  # times the error of a network without output, where the learning curves are cut
LARGEST = 8  # at most, of an output: what is above is cut


def read_csv(path):
    """The rows of a table of numbers and names; ResultsError where it is missing."""
    if not path.is_file():
        raise ResultsError(f"{path} is missing: run examples/thesis/sequences.py first")
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def draw(folder):
    """Write the figures into the run folder, each as .png and .pdf."""
    folder = Path(folder)
    results, curves = (read_csv(folder / f"{name}.csv") for name in ("results", "curves"))
    outputs, notes = archive.load(folder / "outputs.npz", OUTPUTS)
    found = {row["condition"] for row in results}
    for name, conditions in (("figure", THESIS), ("replay", REPLAY)):
        if not found.issuperset(conditions):
            continue
        figure = style.styled(compose)(results, curves, outputs, conditions, **notes)
        for suffix, undated in (("png", {}), ("pdf", {"CreationDate": None})):
            data = io.BytesIO()
            style.styled(figure.savefig)(data, format=suffix, metadata=undated)
            archive.write_whole(folder / f"{name}.{suffix}", data.getvalue())


def compose(results, curves, outputs, conditions, dt, references):
    """The figure: on the left learn 1 and the errors, on the right a row for each condition."""
    figure = style.new_figure(style.DOUBLE, 7.4)
    grid = figure.add_gridspec(4, 3, width_ratios=(1.25, 1, 1))
    first = figure.add_subplot(grid[0, 0])
    if conditions is REPLAY:
        inputs(first, outputs, dt)
    else:
        sequence(first, outputs["target 1"], outputs["learn 1"], dt, style.BLACK)
        first.set_title("learn 1", loc="left")
    first.set_xlabel("time (ms)")
    for k, (name, colour) in enumerate(conditions.items()):
        for column, (shown, task) in enumerate((("learn 2", 2), ("test 1", 1)), start=1):
            axes = figure.add_subplot(grid[k, column])
            sequence(axes, outputs[f"target {task}"], outputs[f"{shown}, {name}"], dt, colour)
            axes.set_title(f"{shown}, {name}", loc="left", color=colour, fontsize=7)
            axes.set_xlabel("time (ms)" if k == len(conditions) - 1 else "")
    learning(figure.add_subplot(grid[1, 0]), curves, conditions, references)
    errors(figure.add_subplot(grid[2:, 0]), results, conditions, references)
    return figure


def inputs(axes, outputs, dt):
    """Inputs of task 1, real ones and what the generator draws: other trials, of the same kind."""
    for name, colour in (("real", style.BLACK), ("generated", style.BLUE)):
        shown = outputs[f"{name} inputs"]
        t = dt * np.arange(1, shown.shape[1] + 1)
        lines = axes.plot(t, shown.T, color=colour, linewidth=0.8)
        lines[0].set_label(name)
    axes.set_title("inputs of task 1", loc="left")
    axes.set(ylabel="input", xlim=(0, t[-1]))
    axes.legend(loc="upper right")


def sequence(axes, target, z, dt, colour):
    """Outputs (time, output) as lines over their targets in grey, one above the other."""
    t = dt * np.arange(1, len(z) + 1)
    for i in reversed(range(z.shape[1])):
        base = i * HEIGHT
        axes.fill_between(t, base, base + target[:, i], color="0.8", linewidth=0)
        axes.plot(t, base + np.clip(z[:, i], -LARGEST, LARGEST), color=colour, linewidth=0.8)
    n = z.shape[1]
    axes.set_yticks([0, (n - 1) * HEIGHT], ["1", str(n)])
    axes.set(ylabel="output", xlim=(0, t[-1]), ylim=(-HEIGHT / 2, (n + 0.5) * HEIGHT))
    axes.grid(False)


def learning(axes, curves, conditions, references):
    """Error on task 1 while task 1, then task 2 is learnt: the mean over seeds."""
    length = max(int(row["update"]) for row in curves)
    for name, colour in {"task 1": style.BLACK, **conditions}.items():
        rows = [row for row in curves if row["condition"] == name]
        at = sorted({int(row["update"]) for row in rows})
        mean = [
            np.mean([float(row["error 1"]) for row in rows if int(row["update"]) == update])
            for update in at
        ]
        offset = 0 if name == "task 1" else length
        axes.plot(np.add(at, offset) / 1000, mean, color=colour, linewidth=1.1)
    axes.axhline(references["silent"][0], color=style.BLACK, linewidth=1, linestyle="--")
    axes.axvline(length / 1000, color="0.6", linewidth=0.7, linestyle=":")
    axes.set(
        xlabel="updates (1000): task 1, then task 2", ylabel="RMSE on task 1",
        xlim=(0, 2 * length / 1000), ylim=(0, ABOVE * references["silent"][0]),
    )  # fmt: skip


def errors(axes, results, conditions, references):
    """Every seed's errors as a point, their mean as a bar; lines for comparison."""
    columns = {"task 1 before": 0, "task 1 after": 0, "task 2 after": 1}
    width = 0.8 / len(conditions)
    for k, (name, colour) in enumerate(conditions.items()):
        for place, column in enumerate(columns):
            values = [float(row[column]) for row in results if row["condition"] == name]
            x = place - 0.4 + (k + 0.5) * width
            label = name if place == 0 else None
            axes.bar(x, np.mean(values), width * 0.9, color=colour, alpha=0.45, label=label)
            axes.plot([x] * len(values), values, "o", color=colour, markersize=3)
    lines = {
        "no output": ("--", [references["silent"][task] for task in columns.values()]),
        "all that can be known": (":", [references["floor"][task] for task in columns.values()]),
    }
    alone = [float(row["task 2 after"]) for row in results if row["condition"] == ALONE]
    if alone:
        lines[ALONE] = ("-", [np.nan, np.nan, np.mean(alone)])
    for label, (dashes, values) in lines.items():
        for place, value in enumerate(values):
            axes.plot(
                [place - 0.4, place + 0.4], [value] * 2, dashes, color=style.BLACK, linewidth=1,
                label=label if place == 0 else None,
            )  # fmt: skip
    axes.set_xticks(range(len(columns)), ["task 1,\nbefore task 2", "task 1,\nafter", "task 2"])
    axes.set_ylabel("RMSE on test trials")
    axes.set_ylim(0, axes.get_ylim()[1] * 1.6)
    handles, labels = axes.get_legend_handles_labels()
    order = sorted(range(len(labels)), key=lambda i: labels[i] not in conditions)
    axes.legend([handles[i] for i in order], [labels[i] for i in order], loc="upper left")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=Path("runs/sequences"))
    try:
        draw(parser.parse_args().folder)
    except (BridgeError, OSError) as error:
        sys.exit(f"sequences_figure: {error}")


if __name__ == "__main__":
    main()
