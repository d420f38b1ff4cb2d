"""Write docs/gallery.md from the run folders: every task's figure, and what its training took.

    python examples/gallery.py [runs/examples] [--docs docs]

Nothing is trained, simulated or drawn: a run is counted where its folder holds TASK.npz, shown
where it holds TASK.png. Trials and minutes are those of the runs that met the task's own
criterion: the median over seeds, and in brackets the range. Minutes are by the clock, compiling
and validations included. What is known of the original stands in original.csv: minutes as its
authors reported them in 2015, and the trials that it needs with one seed where we have run it.
"""

import argparse
import ast
import csv
import io
import statistics
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from pycog_dgr import Connectivity, Model
from pycog_dgr.commands import taskrun
from pycog_dgr.errors import PycogDgrError
from pycog_dgr.files import legacy, write_atomically

HERE = Path(__file__).parent
WIDTH = 900  # pixels of a picture in the gallery, at most
COLOURS = 128  # of its palette
NOT_FINISHED = (None, "interrupted")
MAY_DIFFER = ("seed", "noise_stream")  # other random numbers of the same kind

HEAD = """# Gallery

What the networks of `examples/tasks` learn and do, each by one command, which
trains to the task's own criterion, simulates test trials and draws the figure. Trials and minutes
are medians over the seeds that met the criterion, with their range; the minutes are one core's, by
the clock, of a machine that did other things too. The original is pycog on Theano: trials of the
one seed we ran it with, minutes as its authors reported them in 2015.

This page is written by `python examples/gallery.py`, from the run folders alone.
"""
COLUMNS = (
    "task", "seeds tried", "converged", "trials to criterion", "minutes",
    "original: trials", "original: minutes in 2015",
)  # fmt: skip


class Trained(NamedTuple):
    """One run folder: how its training ended, after how much, and the figure if it was drawn.

    `changed` are the settings that are not as in the task file; such a run does not count.
    """

    seed: int
    stopped: str | None
    trials: int
    minutes: float | None  # where an older program saved, no time is known
    performance: float | None
    picture: Path | None
    changed: list[str]

    @property
    def counts(self):
        return self.stopped not in NOT_FINISHED and not self.changed

    @property
    def converged(self):
        return self.counts and self.stopped in taskrun.CRITERIA


class Task(NamedTuple):
    """A task file: its first line, the papers it cites, and its runs by seed."""

    name: str
    title: str
    papers: list[str]
    runs: list[Trained]


# -- reading ------------------------------------------------------------------------------------


def read_task(path, runs):
    """The Task in a model file, with the runs of the folder `runs`."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or path.stem
    lines = docstring.splitlines()
    model = Model(path)
    files = (runs / path.stem).glob(f"seed-*/{path.stem}.npz")
    return Task(
        name=path.stem,
        title=lines[0],
        papers=[line.strip() for line in lines if " doi:" in line],
        runs=sorted((read_run(file, model) for file in files), key=lambda run: run.seed),
    )


def read_run(file, model):
    """The Trained in a save file of a training of `model`."""
    save = legacy.open_save(file)
    asked = {**vars(model.network), **vars(model.training)}
    performance = save.costs_history[-1][1][2:] if save.costs_history else []
    picture = file.with_suffix(".png")
    return Trained(
        seed=save.settings["seed"],
        stopped=save.stopped,
        trials=taskrun.trials_done(save),
        minutes=save.seconds / 60 or None,
        performance=performance[0] if performance else None,
        picture=picture if picture.exists() else None,
        changed=[name for name in asked if differs(save.settings, asked, name)],
    )


def differs(saved, asked, name):
    """Whether a number, text or array of the save file is not what the task file asks for."""
    if name in MAY_DIFFER or name not in saved:
        return False
    if callable(asked[name]) or isinstance(asked[name], Connectivity):
        return False
    return not np.array_equal(saved[name], asked[name])


def read_original(path):
    """{task: {column: text}} of original.csv; "" where nothing is known."""
    with path.open(newline="") as file:
        return {row["task"]: row for row in csv.DictReader(file)}


# -- writing ------------------------------------------------------------------------------------


def table(tasks, original):
    """One row for each task, as Markdown."""
    lines = [f"| {' | '.join(COLUMNS)} |", "|---|" + "---:|" * (len(COLUMNS) - 1)]
    for task in tasks:
        known = original.get(task.name, {})
        done = [run for run in task.runs if run.converged]
        cells = [
            f"[{task.name}](#{task.name})",
            str(sum(run.counts for run in task.runs)),
            str(len(done)),
            spread([run.trials for run in done], ",.0f"),
            spread([run.minutes for run in done if run.minutes], ".1f"),
            f"{int(known['trials']):,}" if known.get("trials") else "–",
            known.get("minutes_in_2015") or "–",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def spread(values, form):
    """'median (least – most)', the value where there is one, a dash where there is none."""
    if not values:
        return "–"
    shown = [format(v, form) for v in (statistics.median(values), min(values), max(values))]
    return shown[0] if len(values) == 1 else "{} ({} – {})".format(*shown)


def section(task, shown):
    """What the gallery says of one task; `shown` is the run whose figure it shows, or None."""
    seed = f" --seed {shown.seed}" if shown else ""
    command = f"python examples/tasks/{task.name}.py{seed}"
    picture = f"![{task.name}](gallery/{task.name}.png)" if shown else "No figure yet."
    runs = "; ".join(map(ended, task.runs)) or "none yet"
    papers = "\n".join(f"- {linked(paper)}" for paper in task.papers)
    return (
        f"## {task.name}\n\n{task.title}\n\n    {command}\n\n{picture}\n\n"
        f"Runs: {runs}.\n\n{papers}\n"
    )


def ended(run):
    """'seed 100: 140,000 trials, 1.3 minutes, performance 88.9', and why it does not count."""
    said = f"seed {run.seed}: {run.trials:,} trials"
    if run.minutes is not None:
        said += f", {run.minutes:.1f} minutes"
    if run.performance is not None:
        said += f", performance {run.performance:.1f}"
    if run.stopped in NOT_FINISHED:
        said += ", not finished"
    elif run.stopped not in taskrun.CRITERIA:
        said += f", **criterion not met** ({run.stopped})"
    if run.changed:
        said += f", not counted: other {', '.join(run.changed)} than in the task file"
    return said


def linked(paper):
    """A reference of which the doi is a link."""
    text, doi = paper.rsplit(" doi:", 1)
    return f"{text} [doi:{doi}](https://doi.org/{doi})"


def shown_run(task):
    """The run whose figure stands for the task: the first seed that converged and was drawn."""
    drawn = [run for run in task.runs if run.picture]
    return min(drawn, key=lambda run: not run.converged, default=None)


def small_picture(path):
    """A PNG as bytes, at most WIDTH wide and of few colours."""
    with Image.open(path) as picture:
        flat = picture.convert("RGB")
        if flat.width > WIDTH:
            flat = flat.resize((WIDTH, round(flat.height * WIDTH / flat.width)), Image.LANCZOS)
    data = io.BytesIO()
    flat.quantize(COLOURS).save(data, "png", optimize=True)
    return data.getvalue()


def write_gallery(runs, docs):
    """Write gallery.md and its pictures under `docs`; returns the page's path and the Tasks."""
    tasks = [read_task(path, runs) for path in sorted((HERE / "tasks").glob("*.py"))]
    if not any(task.runs for task in tasks):
        raise PycogDgrError(
            f"{runs}: no run of a task, TASK/seed-SEED/TASK.npz; train one first, as with python "
            "examples/tasks/rdm_fixed.py"
        )
    (docs / "gallery").mkdir(parents=True, exist_ok=True)
    shown = {task.name: shown_run(task) for task in tasks}
    for name, run in shown.items():
        if run is not None:
            picture = docs / "gallery" / f"{name}.png"
            write_atomically(picture, small_picture(run.picture))
    parts = [HEAD, table(tasks, read_original(HERE / "original.csv")) + "\n"]
    parts += [section(task, shown[task.name]) for task in tasks]
    page = docs / "gallery.md"
    write_atomically(page, "\n".join(parts).encode())
    return page, tasks


def main(words=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path, nargs="?", default=taskrun.RUNS)
    parser.add_argument("--docs", type=Path, default=HERE.parent / "docs")
    options = parser.parse_args(words)
    try:
        page, tasks = write_gallery(options.runs, options.docs)
    except (PycogDgrError, OSError) as error:
        print(f"gallery.py: {error}", file=sys.stderr)
        return 2
    runs = [run for task in tasks for run in task.runs]
    print(
        f"written: {page}: {len(runs)} runs of {sum(bool(task.runs) for task in tasks)} tasks, "
        f"{sum(run.converged for run in runs)} met the criterion"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
