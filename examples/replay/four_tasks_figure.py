"""Draw what four_tasks.py found: the matrix R for each way of learning, and what is kept.

    python examples/replay/four_tasks_figure.py [runs/four_tasks]

Reads results.csv of a run folder and trains nothing.
"""

import argparse
import csv
import io
import sys
from pathlib import Path

import numpy as np

from bridge.errors import BridgeError, ResultsError
from bridge.figures import style
from bridge.files import write_whole

TASKS = ("rdm_fixed", "multisensory", "mante", "dms")
COLOURS = {"in turn": style.GREY, "replay": style.ORANGE, "stored": style.GREEN}
CHANCE = 50  # percent


def read(folder):
    """R (seed, stage, task) in percent for each way of learning."""
    path = Path(folder) / "results.csv"
    if not path.is_file():
        raise ResultsError(f"{path} is missing: run examples/replay/four_tasks.py first")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    values = {way: [] for way in dict.fromkeys(row["way"] for row in rows)}
    for row in rows:
        values[row["way"]].append([float(row[name]) for name in TASKS])
    return {way: np.reshape(found, (-1, len(TASKS), len(TASKS))) for way, found in values.items()}


def draw(folder):
    """Write figure.png and figure.pdf into the run folder."""
    figure = style.styled(compose)(read(folder))
    for suffix, undated in (("png", {}), ("pdf", {"CreationDate": None})):
        data = io.BytesIO()
        style.styled(figure.savefig)(data, format=suffix, metadata=undated)
        write_whole(Path(folder) / f"figure.{suffix}", data.getvalue())


def compose(found):
    """A matrix for each way, and the mean over the tasks learnt so far."""
    figure = style.new_figure(style.DOUBLE, 4.6)
    grid = figure.add_gridspec(2, len(found))
    for column, (way, R) in enumerate(found.items()):
        axes = figure.add_subplot(grid[0, column])
        matrix(axes, R)
        axes.set_title(way, loc="left", color=COLOURS[way])
        axes.set_ylabel("after learning" if column == 0 else "")
        if column:
            axes.set_yticklabels([])
    kept(figure.add_subplot(grid[1, :2]), found)
    at_the_end(figure.add_subplot(grid[1, 2:]), found)
    return figure


def matrix(axes, R):
    """The mean over seeds, in percent; tasks not learnt yet are framed by no line."""
    mean, n = R.mean(axis=0), len(TASKS)
    axes.imshow(mean, vmin=CHANCE, vmax=100, cmap="Greys", aspect="auto")
    for (i, j), value in np.ndenumerate(mean):
        axes.text(
            j, i, f"{value:.0f}", ha="center", va="center", fontsize=8,
            color="white" if value > 80 else "black",
        )  # fmt: skip
    corners = [(-0.5, -0.5)]
    for k in range(n):
        corners += [(k + 0.5, k - 0.5), (k + 0.5, k + 0.5)]
    corners += [(-0.5, n - 0.5), (-0.5, -0.5)]
    axes.plot(*np.transpose(corners), color=style.VERMILION, linewidth=1, clip_on=False)
    axes.set_xticks(range(n), TASKS, rotation=25, ha="right")
    axes.set_yticks(range(n), TASKS)
    axes.set_xlabel("correct on (%)")
    axes.grid(False)


def kept(axes, found):
    """Mean over the tasks learnt so far, of every seed and its mean."""
    stages = np.arange(1, len(TASKS) + 1)
    for way, R in found.items():
        so_far = np.array([[one[i, : i + 1].mean() for i in range(len(TASKS))] for one in R])
        axes.plot(stages, so_far.mean(axis=0), color=COLOURS[way], label=way)
        axes.plot(np.tile(stages, (len(R), 1)).T, so_far.T, "o", color=COLOURS[way], markersize=3)
    axes.axhline(CHANCE, color=style.BLACK, linewidth=1, linestyle=":", label="chance")
    axes.set_xticks(stages)
    axes.set(xlabel="tasks learnt", ylabel="correct, mean over them (%)", ylim=(0, 105))
    axes.legend(loc="lower left")


def at_the_end(axes, found):
    """Every task after the last stage: a bar for the mean, a point for each seed."""
    width = 0.8 / len(found)
    for k, (way, R) in enumerate(found.items()):
        x = np.arange(len(TASKS)) - 0.4 + (k + 0.5) * width
        axes.bar(x, R[:, -1].mean(axis=0), width * 0.9, color=COLOURS[way], alpha=0.45)
        axes.plot(np.tile(x, (len(R), 1)).T, R[:, -1].T, "o", color=COLOURS[way], markersize=3)
    axes.axhline(CHANCE, color=style.BLACK, linewidth=1, linestyle=":")
    axes.set_xticks(range(len(TASKS)), TASKS, rotation=25, ha="right")
    axes.set(ylabel="correct after all four (%)", ylim=(0, 105))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=Path("runs/four_tasks"))
    try:
        draw(parser.parse_args().folder)
    except (BridgeError, OSError) as error:
        sys.exit(f"four_tasks_figure: {error}")


if __name__ == "__main__":
    main()
