"""Two sequences, one learnt after the other: is the first forgotten, and what holds it?

    python examples/thesis/sequences.py [--seeds 3] [--updates 6000] [--out runs/sequences]

    task 1   u(t) = 4 e^{-(t - s)/500} (4 + sin(-0.015 t))  for t > s,      z*_i(t) = b_i(t)
    task 2   u(t) = 4 e^{+(t - s)/500} (2 + sin(-0.035 t))  for t > s,      z*_i(t) = b_i(T - t)
             b_i(t) = 4 e^{-(t - s - 50 i)^2 / (2 20^2)},   i = 1..10,      s ~ U(100, 400),  in ms

A network learns task 1, then task 2, and is tested on both: with plain fine-tuning, with elastic
weight consolidation (lambda 500), with recurrent dropout (p 0.5) while it learns task 2, and with
both. All four start task 2 from one and the same network. Source: A. Prasad (2020), the
experiments beside *Mitigating Catastrophic Forgetting in LSTM-RNNs and Biologically Constrained
RNNs*; tasks, sizes, noise and time step (tau/5) as in its repository, except that

- the Fisher information is that of task 1 at its end, as the text has it; the code took gradients
  of log softmax(z) on batches of task 2,
- dropout draws other units at every update; the code drew them once,
- both tasks train on 20 trials an update, as its task 1 did; its task 2 trained on one,
- t is in ms; the code counted steps of 10 ms in the sines, and ms everywhere else,
- weights are kept from task to task; the code rescaled Wrec to spectral radius 1.5.

Ours, for comparison: other strengths (--sweep), task 2 learnt by a new network (--alone), and two
lines of the table: `silent`, a network without output, and `floor`, one that knows all that can
be known: much of what task 2 asks for comes before the signal that would tell when. The run folder
holds every number in CSV, a run that was stopped goes on, and sequences_figure.py draws again.

With --replay task 2 is also learnt beside generated trials of task 1: half of the 20 trials of an
update have inputs that a conditional variational autoencoder draws, which learnt those of task 1
before, and as targets what the network answered to them before task 2. No trial of task 1 is drawn
from then on. `stored trials` shows real ones instead; Adam replaces plain gradient descent.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sequences_figure import draw
from sequences_tables import CURVES, RESULTS, slug, table, write_csv
from sequences_tasks import NETWORK, Sequence
from tqdm import tqdm

from bridge.errors import BridgeError, ResultsError, SettingError
from bridge.files import archive
from bridge.replay import TimeCourses
from bridge.runs import lock, manifest
from pycog_dgr.config import settings
from pycog_dgr.data import Dataset
from pycog_dgr.errors import PycogDgrError
from pycog_dgr.network import initial_parameters
from pycog_dgr.symbolic import adam
from pycog_dgr.tasks import Interleaved, Model, Replayed
from pycog_dgr.training import (
    RecurrentDropout,
    TrainingStep,
    consolidate,
    elastic_weight_consolidation,
)

# -- the conditions ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Condition:
    """How task 2 is learnt: EWC's lambda and dropout's p, 0 for none; after task 1 or alone; what
    trials of task 1 beside it, 'generated' or 'stored'; Adam's rate, 0 for gradient descent.
    """

    name: str
    strength: float = 0
    p: float = 0
    alone: bool = False
    beside: str = ""
    rate: float = 0


CONDITIONS = (
    Condition("fine-tuning"),
    Condition("EWC", strength=500),
    Condition("dropout", p=0.5),
    Condition("EWC and dropout", strength=500, p=0.5),
)
ALONE = Condition("task 2 alone", alone=True)
RATE = 1e-3  # with the settings below chosen with seed 0, on other test trials
REPLAY = (
    Condition("Adam", rate=RATE),
    Condition("replay", beside="generated"),
    Condition("Adam and replay", rate=RATE, beside="generated"),
    Condition("Adam and stored trials", rate=RATE, beside="stored"),
)
KIND, OUTPUTS = "dgr sequences, training", "dgr sequences, outputs"
GENERATED = "dgr sequences, generated"
UPDATES = 6000  # chosen on task 1 alone: the last 1000 lower its error by less than a tenth
EVERY = 250  # updates between tests, each of which saves
TEST_TRIALS, FISHER_TRIALS, SHOWN = 100, 200, 4
TEST_SEED, FISHER_SEED = 22, 33
FLOATX = "float32"
GENERATOR = {"texture_rank": 0}  # inputs have no noise to be imitated
ITERATIONS, LEARNT, DRAWN = 2000, 2000, 2000  # of the generator; trials it learns, and draws


class Experiment:
    """The runs of one folder: one network a seed learns task 1, then task 2 in every condition."""

    def __init__(self, folder, updates):
        self.folder, self.updates = folder, updates
        self.network, self.training = settings(**NETWORK)
        self.tasks = {k: Sequence(k) for k in (1, 2)}
        self.tests = {k: self.dataset(self.tasks[k], TEST_TRIALS, TEST_SEED) for k in (1, 2)}
        self.batches = {k: dataset() for k, dataset in self.tests.items()}

    def dataset(self, task, n_trial, seed):
        return Dataset(n_trial, task, FLOATX, self.network, self.training, seed=seed)

    def errors(self, step):
        """RMSE on either task, without dropout."""
        return tuple(step.evaluate(self.batches[k]).error for k in (1, 2))

    def seed(self, seed, conditions):
        """All of one seed: rows of results and of curves, and the outputs to be shown."""
        raw, network = initial_parameters(self.network, seed)
        first = TrainingStep(network, self.training, raw, FLOATX)
        curves = self.learn(first, 1, seed, "task 1")
        shown = {"learn 1": self.show(first, 1)}
        state = consolidate(first, self.dataset(self.tasks[1], FISHER_TRIALS, FISHER_SEED + seed)())
        beside = self.beside(first, seed, {one.beside for one in conditions})
        results = []
        for one in conditions:
            penalty = elastic_weight_consolidation([state], one.strength)
            step = TrainingStep(
                network,
                self.training,
                raw if one.alone else first.parameters,
                FLOATX,
                penalties=(penalty,) if one.strength else (),
                dropout=RecurrentDropout(one.p, seed),
                optimiser=adam(one.rate) if one.rate else None,
            )
            before = None if one.alone else self.errors(first)[0]
            curves += self.learn(step, 2, seed, one.name, beside[one.beside])
            row = (seed, one.name, one.strength, one.p, before, *self.errors(step))
            results.append(dict(zip(RESULTS, row, strict=True)))
            shown[f"learn 2, {one.name}"] = self.show(step, 2)
            shown[f"test 1, {one.name}"] = self.show(step, 1)
        if "generated" in beside:
            rng = np.random.RandomState(TEST_SEED)
            real = [self.tasks[1].generate_trial(rng, self.network.dt, {}) for _ in range(SHOWN)]
            drawn = beside["generated"].trials[:SHOWN]
            shown |= {
                name: np.array([trial["inputs"][:, 0] for trial in trials])
                for name, trials in (("real inputs", real), ("generated inputs", drawn))
            }
        return results, curves, shown

    def beside(self, first, seed, wanted):
        """What is shown beside task 2: nothing, task 1 itself, or generated trials of it."""
        tasks = {"": None, "stored": self.tasks[1]}
        if "generated" in wanted:
            weights, network = first.weights, first.network
            tasks["generated"] = Replayed(self.generated(seed), weights, network, self.training)
        return tasks

    def generated(self, seed):
        """Input time courses of task 1 (trial, time, 1), drawn by a generator that learnt them."""
        file = self.folder / "work" / f"seed-{seed}" / "generated.npz"
        if not file.exists():
            rng, dt = np.random.RandomState(seed), self.network.dt
            real = [self.tasks[1].generate_trial(rng, dt, {})["inputs"] for _ in range(LEARNT)]
            generator = TimeCourses(1, *real[0].shape, seed=seed, **GENERATOR)
            generator.learn(0, real, iterations=min(ITERATIONS, self.updates))
            drawn = generator.sample(DRAWN, np.random.default_rng(seed), task=0)
            whole = np.zeros((DRAWN, *real[0].shape))
            for trial, inputs in zip(whole, drawn, strict=True):
                trial[: len(inputs)] = inputs
            archive.save(file, GENERATED, {"inputs": whole})
        return archive.load(file, GENERATED)[0]["inputs"]

    def learn(self, step, task, seed, name, beside=None):
        """Train `step` to the end, from where its file stands; rows of errors on the way."""
        file = self.folder / "work" / f"seed-{seed}" / f"{slug(name)}.npz"
        shown = self.tasks[task]
        if beside is not None:
            models = {"new": Model(task=shown, **NETWORK), "old": Model(task=beside, **NETWORK)}
            shown = Interleaved(models)
        data = self.dataset(shown, self.training.n_gradient, 1000 * seed + task)
        done, rows = 0, []
        if file.exists():
            arrays, notes = archive.load(file, KIND)
            data.rng.set_state((*notes["rng"][:1], arrays.pop("rng"), *notes["rng"][1:]))
            step.load_state(arrays)
            done, rows = notes["done"], notes["rows"]
        with tqdm(
            total=self.updates, initial=done, desc=f"seed {seed}, {name}", disable=None
        ) as bar:
            while True:
                if not rows or rows[-1]["update"] < done:
                    row = (seed, name, task, done, *self.errors(step))
                    rows.append(dict(zip(CURVES, row, strict=True)))
                    kind, keys, *rest = data.rng.get_state()
                    archive.save(file, KIND, {**step.state(), "rng": keys},
                                 rng=[kind, *rest], done=done, rows=rows)  # fmt: skip
                if done == self.updates:
                    return rows
                for _ in range(min(EVERY, self.updates - done)):
                    step.update(data())
                    done += 1
                    bar.update()

    def show(self, step, task):
        """Outputs (time, output) on the first test trial of a task."""
        return step.evaluate(self.batches[task]).z[:, 0]

    def references(self):
        """RMSE on either task of a network without output, and of one that knows all it can."""
        sizes = [np.sqrt(np.mean(self.batches[k].targets ** 2, dtype=float)) for k in (1, 2)]
        return {"silent": [float(size) for size in sizes], "floor": [self.floor(k) for k in (1, 2)]}

    def floor(self, task):
        """RMSE of guessing, until the signal, the mean over all signals still to come."""
        targets = self.batches[task].targets.astype(float)  # (time, trial, output)
        trials = self.tests[task].get_trials()
        signals = np.array([trial["info"]["signal"] for trial in trials])
        squared = np.zeros(targets.shape)
        for k, t in enumerate(trials[0]["t"]):
            waiting = signals >= t
            if waiting.any():
                squared[k, waiting] = (targets[k, waiting] - targets[k, waiting].mean(axis=0)) ** 2
        return float(np.sqrt(squared.mean()))


# -- results ------------------------------------------------------------------------------------


def claim(folder, updates):
    """One folder, one length of training: ResultsError where it was used for another."""
    path = folder / "config.json"
    if path.exists():
        held = json.loads(path.read_text())
        if held != {"updates": updates}:
            raise ResultsError(
                f"{folder} holds runs of {held.get('updates')} updates: give "
                "--updates so, or another --out"
            )
    archive.write_json(path, {"updates": updates})


def run(folder, seeds, updates, strengths=(), alone=False, replay=False):
    """Everything; returns the table."""
    if seeds < 1 or updates < 1:
        raise SettingError(f"--seeds {seeds}, --updates {updates}: give at least 1 of each")
    sweep = tuple(Condition(f"EWC, λ = {λ:g}", strength=λ) for λ in strengths)
    conditions = CONDITIONS + sweep + ((ALONE,) if alone else ()) + (REPLAY if replay else ())
    with lock(folder):
        claim(folder, updates)
        experiment = Experiment(folder, updates)
        references = experiment.references()
        results, curves = [], []
        for seed in range(1, seeds + 1):
            found = experiment.seed(seed, conditions)
            results += found[0]
            curves += found[1]
            if seed == 1:
                batches = experiment.batches.items()
                outputs = found[2] | {f"target {k}": batch.targets[:, 0] for k, batch in batches}
        notes = {"dt": experiment.network.dt, "references": references}
        archive.save(folder / "outputs.npz", OUTPUTS, outputs, **notes)
        write_csv(folder / "results.csv", RESULTS, results)
        write_csv(folder / "curves.csv", CURVES, curves)
        archive.write_json(folder / "manifest.json", manifest(" ".join(sys.argv)))
        text = table(results, references)
        archive.write_whole(folder / "table.md", (text + "\n").encode())
        draw(folder)
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--updates", type=int, default=UPDATES, help="of each training")
    parser.add_argument("--out", type=Path, default=Path("runs/sequences"))
    parser.add_argument("--sweep", type=float, nargs="*", default=[], metavar="LAMBDA",
                        help="further strengths of EWC")  # fmt: skip
    parser.add_argument("--replay", action="store_true", help="also task 2 beside replayed trials")
    parser.add_argument("--alone", action="store_true", help="also task 2 without task 1")
    options = parser.parse_args()
    try:
        text = run(
            options.out,
            options.seeds,
            options.updates,
            options.sweep,
            options.alone,
            options.replay,
        )
        print(text)
    except (BridgeError, PycogDgrError, OSError) as error:
        sys.exit(f"sequences: {error}")
    except KeyboardInterrupt:
        sys.exit("sequences: stopped; the same command goes on from here")


if __name__ == "__main__":
    main()
