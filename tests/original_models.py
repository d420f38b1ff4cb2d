"""Train every pycog model file of a folder for 30 iterations, just as the files are.

    python tests/original_models.py FOLDER [--iterations 30] [--seed 100]

Prints a row per file: sizes Nin/N/Nout; steps of a trial, shortest to longest of a batch; seconds
until the first update (loading, compiling, one validation); ms an iteration, its trials included;
validation loss before and after; ok, or the error. Exits with 1 if a file fails or there is none.
Only the length of training and the size of a validation are set from here.
"""

import argparse
import contextlib
import dataclasses
import io
import math
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pycog_dgr import Dataset, Model

VALIDATION_TRIALS = 100  # at most: the files ask for up to 7300
ROW = "{:<20.20} {:>11} {:>9} {:>9} {:>9} {:>10} {:>10}   {}"
HEADINGS = ("file", "Nin/N/Nout", "steps", "set-up s", "ms/iter.", "before", "after", "")


class Report(NamedTuple):
    """What one model file did; losses are of the validation, before and after."""

    sizes: str
    steps: str
    setup: float  # s
    iteration: float  # ms
    before: float
    after: float


def main(arguments=None):
    parser = argparse.ArgumentParser(description="train pycog's model files as they are")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--iterations", type=int, default=30)
    parser.add_argument("--seed", type=int, default=100, help="of the initial weights")
    options = parser.parse_args(arguments)
    paths = sorted(options.folder.glob("*.py"))
    if not paths:
        parser.error(f"{options.folder} holds no model file (*.py)")

    print(ROW.format(*HEADINGS))
    failed = []
    for path in paths:
        try:
            print(row(path, trained(path, options.iterations, options.seed)), flush=True)
        except Exception as error:  # a model file may raise anything; the others go on
            failed.append(path.name)
            print(ROW.format(path.stem, *["-"] * 6, f"{type(error).__name__}: {error}"), flush=True)
    print(f"\n{len(paths) - len(failed)} of {len(paths)} files trained")
    return 1 if failed else 0


def row(path, report):
    sizes, steps, setup, iteration, before, after = report
    numbers = f"{setup:.1f}", f"{iteration:.0f}", f"{before:.4g}", f"{after:.4g}"
    return ROW.format(path.stem, sizes, steps, *numbers, "ok")


def trained(path, iterations, seed):
    """The Report of a model file; raises what the file or its training raises."""
    start = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):  # a file may print while it is read
        model = Model(path)
    validated = []  # when

    own_callback = model.training.callback

    def callback(trials, z):
        validated.append(time.perf_counter())
        return None if own_callback is None else own_callback(trials, z)

    model.training = dataclasses.replace(
        model.training,
        max_iter=iterations + 1,  # for the validation after the last of them
        checkfreq=iterations,
        n_validation=min(model.training.n_validation, VALIDATION_TRIALS),
        callback=callback,
    )
    with tempfile.TemporaryDirectory() as folder:
        result = model.train(Path(folder) / "savefile.npz", seed=seed)
    losses = [costs[0] for _, costs in result.checkpoint.costs_history]
    if result.iterations < iterations or not all(map(math.isfinite, losses)):
        raise RuntimeError(f"{result.iterations} iterations ({result.reason}), losses {losses}")
    network = model.network
    return Report(
        sizes=f"{network.Nin}/{network.N}/{network.Nout}",
        steps=steps(model),
        setup=validated[0] - start,
        iteration=1000 * (validated[1] - validated[0]) / iterations,
        before=losses[0],
        after=losses[1],
    )


def steps(model):
    """Time steps of the trials of a minibatch: shortest-longest."""
    network, training = model.network, model.training
    data = Dataset(training.n_gradient, model.task, "float32", network, training)
    data([])
    lengths = {len(trial["t"]) for trial in data.get_trials()}
    return "-".join(map(str, sorted({min(lengths), max(lengths)})))


if __name__ == "__main__":
    sys.exit(main())
