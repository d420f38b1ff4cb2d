"""Train a task until it meets its own criterion; trials and minutes beside the original's.

    python tests/to_criterion.py examples/tasks/rdm_fixed.py [--seed 100] [--out FOLDER]

Trains from scratch and prints a row for this run and one for each thing known of the original: its
save file GOLDEN/saves/TASK.pkl, where there is one, and the minutes that its authors reported in
2015. `trials` are those trained on, validations not counted; `minutes` are by the clock, compiling
and validations included. Exits with 1 if training stopped for another reason than the criterion.
"""

import argparse
import contextlib
import logging
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pycog_dgr import Model, legacy
from pycog_dgr.checkpoint import Checkpoint
from pycog_dgr.errors import PycogDgrError

GOLDEN = Path(__file__).resolve().parents[2] / "shared" / "golden"
CRITERIA = ("min_error", "terminate")  # reasons to stop that a task states as its goal
MINUTES_IN_2015 = {  # on one core of a desktop computer; file name -> minutes
    "rdm_varstim": 31, "rdm_rt": 3, "rdm_nodale": 3, "rdm_dense": 6, "rdm_fixed": 5, "mante": 107,
    "multisensory": 8, "romo": 89, "lee": 47,
}  # fmt: skip
ROW = "{:<34} {:>9} {:>9} {:>8} {:>8} {:>7} {:>12}"


class Trained(NamedTuple):
    """How a training ended: trials and updates done, last RMSE, last performance or None."""

    trials: int
    updates: int
    error: float
    performance: float | None


def main(arguments=None):
    parser = argparse.ArgumentParser(description="train a task to its own criterion")
    parser.add_argument("task", type=Path, help="model file, such as examples/tasks/rdm_fixed.py")
    parser.add_argument("--seed", type=int, default=100, help="of the initial weights")
    parser.add_argument("--out", type=Path, help="keep the save file in this folder")
    parser.add_argument("--golden", type=Path, default=GOLDEN, help="folder with saves/TASK.pkl")
    options = parser.parse_args(arguments)
    name = options.task.stem
    with contextlib.ExitStack() as stack:
        folder = options.out or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        try:
            model = Model(options.task)
            if model.training.terminate is None and not model.training.min_error:
                parser.error(f"{options.task} sets no criterion: neither terminate nor min_error")
            folder.mkdir(parents=True, exist_ok=True)
            wall, cpu = time.perf_counter(), time.process_time()
            result = model.train(folder / f"{name}.npz", seed=options.seed, recover=False)
            minutes = [(time.perf_counter() - wall) / 60, (time.process_time() - cpu) / 60]
            original = originally(options.golden / "saves" / f"{name}.pkl")
        except (PycogDgrError, OSError) as error:
            parser.error(str(error))

    print(ROW.format(name, "trials", "updates", "minutes", "of CPU", "RMSE", "performance"))
    here = result.checkpoint
    print(row(f"pycog_dgr, seed {here.settings['seed']}", ended(here), *minutes))
    if original is not None:
        print(row(f"original, seed {original.settings['seed']}", ended(original)))
    if name in MINUTES_IN_2015:
        print(row("original, reported in 2015", None, MINUTES_IN_2015[name]))
    if original is None and name not in MINUTES_IN_2015:
        print("nothing is known of the original on this task")
    if result.reason in CRITERIA:
        print(f"criterion met ({result.reason})")
        return 0
    print(f"CRITERION NOT MET: training stopped for {result.reason}")
    return 1


def originally(path):
    """The Checkpoint of the original's save file, or None where there is no such file."""
    return legacy.load(path) if path.is_file() else None


def ended(checkpoint: Checkpoint) -> Trained:
    trials, (_, error, *performance) = checkpoint.costs_history[-1]
    return Trained(trials, checkpoint.iteration - 1, error, *(performance or [None]))


def row(label, trained, minutes=None, cpu=None):
    """One line of the table; what is not known is a dash."""
    trials, updates, error, performance = trained or (None,) * 4

    def shown(value, form):
        return "-" if value is None else format(value, form)

    return ROW.format(
        label, shown(trials, "d"), shown(updates, "d"), shown(minutes, ".1f"), shown(cpu, ".1f"),
        shown(error, ".4f"), shown(performance, ".1f"),
    )  # fmt: skip


if __name__ == "__main__":
    logging.basicConfig(format="%(message)s")
    logging.getLogger("pycog_dgr").setLevel(logging.INFO)
    sys.exit(main())
