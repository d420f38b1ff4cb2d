"""Write docs/gallery.md from the run folders: every task's figure, and what its training took.

    python examples/gallery.py [runs/examples] [--docs docs]

Nothing is trained, simulated or drawn: a run is counted where its folder holds TASK.npz, shown
where it holds TASK.png. What is read from the run folders is kept in docs/gallery/runs.csv, a row
a task and seed: runs whose folders are no longer there stay on the page, with their pictures, and
so does a finished run that is being trained again.
Trials and minutes are those of the runs that met the task's own criterion: the median over seeds,
and in brackets the range. Minutes include compiling and validations. What is known of the original
stands in original.csv: minutes as its authors reported them in 2015, and the trials that it needs
with one seed where we have run it.
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
from pycog_dgr.files import legacy, provenance, write_atomically

HERE = Path(__file__).parent
WIDTH = 900  # pixels of a picture in the gallery, at most
COLOURS = 256  # of its palette
NOT_FINISHED = (None, "interrupted")
MAY_DIFFER = ("seed", "noise_stream")  # other random numbers of the same kind

HEAD = """# Gallery

What the networks of `examples/tasks` learn and do. The command below each name trains a network to
the task's own criterion, simulates test trials and draws the figure. Trials and minutes are medians
over the seeds that met the criterion, with their range. Minutes are by the clock on one core of a
machine that did other things too; CPU minutes are given where they were recorded. The original is
pycog on Theano: trials of the one seed that we ran, minutes as its authors reported them in 2015.

A seed fixes initial weights, trials and noise, but not the order of additions in the linear algebra
library: on another processor the same seed may need more or fewer trials ([](reliability.md)). Each
run is therefore listed with its processor, the library and its kernels, and the commit.

This page is written by `python examples/gallery.py` from the run folders and from
[what it kept of earlier ones](gallery/runs.csv).
"""
COLUMNS = (
    "task", "seeds tried", "converged", "trials to criterion", "minutes",
    "original: trials", "original: minutes in 2015",
)  # fmt: skip
RUN_COLUMNS = (
    "seed", "trials", "minutes", "CPU minutes", "performance (%)", "ended by", "computed on",
    "commit",
)  # fmt: skip
NOT_RECORDED = "not recorded"


class Trained(NamedTuple):
    """One run: how its training ended, after how much, where, and the figure if it was drawn.

    `changed` names the settings that are not as in the task file; such a run does not count.
    """

    seed: int
    stopped: str | None
    trials: int
    minutes: float | None  # where an older program saved, no time is known
    cpu_minutes: float | None
    performance: float | None
    picture: Path | None
    changed: str
    machine: str  # processor, linear algebra library and its kernels
    commit: str

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
    caption: str
    papers: list[str]
    runs: list[Trained]


# -- reading ------------------------------------------------------------------------------------


def read_task(path, runs, kept=()):
    """The Task in a model file, with the runs of the folder `runs`, and those `kept` besides."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or path.stem
    lines = docstring.splitlines()
    model = Model(path)
    files = (runs / path.stem).glob(f"seed-*/{path.stem}.npz")
    by_seed = {run.seed: run for run in kept}
    for run in (read_run(file, model) for file in files):
        before = by_seed.get(run.seed)
        if before is None or before.stopped in NOT_FINISHED or run.stopped not in NOT_FINISHED:
            by_seed[run.seed] = run
    with taskrun.loaded(HERE / "analysis" / path.name) as drawing:
        caption = drawing.caption
    return Task(
        name=path.stem,
        title=lines[0],
        caption=caption,
        papers=[line.strip() for line in lines if " doi:" in line],
        runs=[by_seed[seed] for seed in sorted(by_seed)],
    )


def read_run(file, model):
    """The Trained in a save file of a training of `model`."""
    save = legacy.open_save(file)
    asked = {**vars(model.network), **vars(model.training)}
    performance = save.costs_history[-1][1][2:] if save.costs_history else []
    picture = file.with_suffix(".png")
    where = provenance.read_record(file.with_name("machine.json"))
    cpu = where.get("cpu_seconds")
    return Trained(
        seed=save.settings["seed"],
        stopped=save.stopped,
        trials=taskrun.trials_done(save),
        minutes=save.seconds / 60 or None,
        cpu_minutes=None if cpu is None else cpu / 60,
        performance=performance[0] if performance else None,
        picture=picture if picture.exists() else None,
        changed=", ".join(name for name in asked if differs(save.settings, asked, name)),
        machine=", ".join([*where.get("processors", []), *where.get("blas", [])]) or NOT_RECORDED,
        commit=", ".join(str(one)[:10] for one in where.get("commits", [])) or NOT_RECORDED,
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


def read_kept(docs):
    """{task: [Trained]} of the page as it is, from runs.csv."""
    path, kept = docs / "gallery" / "runs.csv", {}
    if not path.exists():
        return kept
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            name = row.pop("task")
            numbers = {
                key: float(row[key]) if row[key] else None
                for key in ("minutes", "cpu_minutes", "performance")
            }
            drawn = docs / "gallery" / f"{name}.png" if row["picture"] else None
            whole = {"seed": int(row["seed"]), "trials": int(row["trials"])}
            stopped = {"stopped": row["stopped"] or None, "picture": drawn}
            kept.setdefault(name, []).append(Trained(**{**row, **numbers, **whole, **stopped}))
    return kept


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
    papers = "\n".join(f"- {linked(paper)}" for paper in task.papers)
    return (
        f"## {task.name}\n\n{task.title}\n\n    {command}\n\n{picture}\n\n"
        f"{task.caption}\n\n{runs_table(task.runs)}\n\n{papers}\n"
    )


def runs_table(runs):
    """One row for each run, as Markdown."""
    if not runs:
        return "No run yet."
    lines = [f"| {' | '.join(RUN_COLUMNS)} |", "|---:|---:|---:|---:|---:|---|---|---|"]
    for run in runs:
        cells = (
            str(run.seed), f"{run.trials:,}", number(run.minutes), number(run.cpu_minutes),
            number(run.performance), ended(run), run.machine, run.commit,
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def number(value):
    """With one decimal, a dash where it is not known."""
    return "–" if value is None else f"{value:.1f}"


def ended(run):
    """How a run ended, and why it does not count."""
    if run.stopped in NOT_FINISHED:
        how = "not finished"
    elif run.stopped in taskrun.CRITERIA:
        how = "criterion"
    else:
        how = f"**criterion not met** ({run.stopped})"
    return how + (
        f"; not counted: other {run.changed} than in the task file" if run.changed else ""
    )


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
    palette = flat.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE)
    palette.save(data, "png", optimize=True)
    return data.getvalue()


def as_csv(tasks, shown):
    """The rows of runs.csv as bytes; only the picture that the page shows is kept."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["task", *Trained._fields])
    for task in tasks:
        for run in task.runs:
            drawn = "yes" if run is shown[task.name] else ""
            cells = run._replace(picture=drawn)
            table.writerow([task.name, *(f"{c:.6g}" if isinstance(c, float) else c for c in cells)])
    return text.getvalue().encode()


def write_gallery(runs, docs):
    """Write gallery.md, its pictures and runs.csv under `docs`; the page's path and the Tasks."""
    paths, kept = sorted((HERE / "tasks").glob("*.py")), read_kept(docs)
    tasks = [read_task(path, runs, kept.get(path.stem, ())) for path in paths]
    if not any((runs / task.name).is_dir() and task.runs for task in tasks):
        raise PycogDgrError(
            f"{runs}: no run of a task, TASK/seed-SEED/TASK.npz; train one first, as with python "
            "examples/tasks/rdm_fixed.py"
        )
    (docs / "gallery").mkdir(parents=True, exist_ok=True)
    shown = {task.name: shown_run(task) for task in tasks}
    for name, run in shown.items():
        picture = docs / "gallery" / f"{name}.png"
        if run is not None and run.picture != picture:
            write_atomically(picture, small_picture(run.picture))
    write_atomically(docs / "gallery" / "runs.csv", as_csv(tasks, shown))
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
