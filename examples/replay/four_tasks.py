"""Four cognitive tasks in one network under Dale's law, in turn, with and without replay.

    python examples/replay/four_tasks.py [--seeds 3] [--updates 2500] [--out runs/four_tasks]

Bundled tasks, as they are: which of two inputs is stronger (rdm_fixed), is a rate high
(multisensory), motion or colour, as a context says (mante), is the second stimulus the first (dms).
They share inputs and outputs, so that the same input means different things; a rule input each
says what to do. 100 units, 80 excitatory and 20 inhibitory, without self-connections; excitatory
ones are read out.

    in turn    each task alone
    replay     in half of the trials time courses that a conditional variational autoencoder draws,
               with the outputs of the last stage's network as targets: no trial of an earlier task
    stored     in half of the trials the earlier tasks themselves: what replay is to reach

Every stage has the same number of updates of 20 trials, goes on from the last stage's network, and
keeps the network of the lowest validation loss on what it is shown. R holds percent correct on task
j after stage i, on trials that chose nothing; settings were chosen with seed 0. A run that was
stopped goes on. Sources: Yang et al., Nature Neurosci. 22, 297 (2019); Duncker, Driscoll, Shenoy,
Sahani and Sussillo, NeurIPS 2020; the matrix: Lopez-Paz and Ranzato, NeurIPS 2017.
"""

import argparse
import csv
import dataclasses
import io
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from four_tasks_figure import TASKS, draw

from bridge.errors import BridgeError, SettingError
from bridge.files import write_json, write_whole
from bridge.replay import TimeCourses
from bridge.runs import manifest
from pycog_dgr import Model, tasktools
from pycog_dgr.errors import PycogDgrError
from pycog_dgr.files import open_save
from pycog_dgr.symbolic import adam
from pycog_dgr.tasks import bundled_tasks, interleaved, with_replay, with_rules
from pycog_dgr.training import is_finished, performance_on

WAYS = ("in turn", "replay", "stored")
N = 100  # units
LEARNT, DRAWN = 2000, 1000  # trials that the generator learns of a task, and draws of each
ITERATIONS = 2000  # of the generator, for each task
LONGEST = 2500  # ms, a catch trial of multisensory
TEST_SEED, TEST_TRIALS = 4321, 1000  # of the trials that R is measured on
COLUMNS = ("way", "seed", "stage", "after", *TASKS)


def models(updates):
    """The four tasks for one network: name -> Model."""
    ei, _, _ = tasktools.generate_ei(N)
    return with_rules(
        {name: Model(bundled_tasks()[name]) for name in TASKS},
        N=N, ei=ei, Cout=np.tile(ei > 0, (2, 1)), train_brec=True, var_rec=0.05**2,
        optimiser=adam(0.002), max_iter=updates, checkfreq=250,
        n_validation=500,
    )  # fmt: skip


class Replay:
    """A generator that learns one task after the other, and what is taught beside a new one."""

    def __init__(self, tasks, seed, iterations):
        self.tasks, self.seed, self.iterations = list(tasks), seed, iterations
        network = self.tasks[0].network
        steps = int(LONGEST / network.dt)
        self.generator = TimeCourses(len(self.tasks), steps, network.Nin, seed=seed, texture_rank=0)

    def beside(self, k, start):
        """Task k, from 0, beside replayed trials that the network of the last stage answers."""
        for task in range(len(self.generator.learnt), k):
            self.learn(task)
        rng = np.random.default_rng([self.seed, k])
        drawn = [inputs for task in range(k) for inputs in self.generator.sample(DRAWN, rng, task)]
        return with_replay(self.tasks[k], drawn, start)

    def learn(self, task):
        """Learn the inputs of a task: the last time that trials of it are drawn."""
        rng, model = np.random.RandomState(self.seed), self.tasks[task]
        trials = [
            model.task.generate_trial(rng, model.network.dt, {"name": "gradient"})
            for _ in range(LEARNT)
        ]
        inputs = [trial["inputs"] for trial in trials]
        self.generator.learn(task, inputs, iterations=self.iterations)


def teaching(way, tasks, seed, iterations):
    """What is taught in stage k, from 0, given the save file of the stage before: a Model."""
    names, replay = list(tasks), Replay(tasks.values(), seed, iterations)

    def beside_stored(k, start):
        shares = {names[k]: 0.5} | dict.fromkeys(names[:k], 0.5 / k)
        return interleaved({name: tasks[name] for name in shares}, shares)

    beside = {"replay": replay.beside, "stored": beside_stored}
    if way == "in turn":
        return lambda k, start: tasks[names[k]]
    return lambda k, start: beside[way](k, start) if k else tasks[names[0]]


def learn_in_turn(way, folder, seed, updates, iterations):
    """R (stage, task): percent correct of every task after every stage."""
    tasks = models(updates)
    teach = teaching(way, tasks, seed, iterations)
    folder.mkdir(parents=True, exist_ok=True)
    start, R = None, []
    for k, (name, model) in enumerate(tasks.items()):
        path = (folder if k else folder.parent) / f"{k + 1}-{name}.npz"  # the first is everyone's
        if not (path.exists() and is_finished(open_save(path), model.training)):
            teach(k, start).train(path, seed=seed, start=start, progress=False)
        R.append([performance_on(other, path, TEST_TRIALS) for other in judged(tasks)])
        start = path
    return R


def judged(tasks):
    """The tasks with trials of their own for the test."""
    for model in tasks.values():
        training = dataclasses.replace(model.training, validation_seed=TEST_SEED)
        yield SimpleNamespace(task=model.task, network=model.network, training=training)


def run(folder, seeds, updates, iterations=ITERATIONS):
    """Everything: results.csv, manifest.json and the figure in a folder; the rows."""
    if seeds < 1 or updates < 1:
        raise SettingError(f"--seeds {seeds}, --updates {updates}: give at least 1 of each")
    folder, rows = Path(folder), []
    for seed in range(1, seeds + 1):
        for way in WAYS:
            work = folder / "work" / f"seed-{seed}" / way.replace(" ", "-")
            R = learn_in_turn(way, work, seed, updates, iterations)
            for k, row in enumerate(R):
                rows.append(dict(zip(COLUMNS, (way, seed, k + 1, TASKS[k], *row), strict=True)))
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_whole(folder / "results.csv", text.getvalue().encode())
    write_json(folder / "manifest.json", manifest(" ".join(sys.argv)))
    draw(folder)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--updates", type=int, default=2500, help="of each stage")
    parser.add_argument("--iterations", type=int, default=ITERATIONS, help="of the generator")
    parser.add_argument("--out", type=Path, default=Path("runs/four_tasks"))
    options = parser.parse_args()
    try:
        rows = run(options.out, options.seeds, options.updates, options.iterations)
    except (BridgeError, PycogDgrError, OSError) as error:
        sys.exit(f"four_tasks: {error}")
    for way in WAYS:
        last = [[row[name] for name in TASKS] for row in rows
                if row["way"] == way and row["stage"] == len(TASKS)]  # fmt: skip
        told = ", ".join(
            f"{name} {value:.1f}" for name, value in zip(TASKS, np.mean(last, 0), strict=True)
        )
        print(f"{way}, after all four (%): {told}; mean {np.mean(last):.1f}")


if __name__ == "__main__":
    main()
