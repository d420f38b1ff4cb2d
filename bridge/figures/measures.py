"""Numbers over seeds: what the figures draw and the report tabulates, computed in one place.

    mean = (1/n) sum_i a_i        sd = sqrt( sum_i (a_i - mean)^2 / (n - 1) ),   a_i: one seed

Accuracies are in per cent on the test set, at the weights that went on (`selected`), which
validation data chose. A blank accuracy (old classes in the first context) is left out.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from bridge import thesis
from bridge.errors import ResultsError
from bridge.replay import average_accuracy, backward_transfer, forward_transfer
from bridge.replay import forgetting as forgetting_of
from bridge.runs import MAIN, MissingResults, Results, Table

FRACTIONS = ("label drift", "old called new", "collapsed")
THESIS_VARIANT = MAIN  # of joint training: the main curve; every other one is an audit


class Spread(NamedTuple):
    """Mean and standard deviation over `n` seeds; `sd` is NaN for a single one.

    As text, two seeds are both values, the lower first: no spread can be told from them.
    """

    mean: float
    sd: float
    n: int

    def scaled(self, factor: float) -> "Spread":
        """The same in another unit."""
        return Spread(self.mean * factor, self.sd * factor, self.n)

    def __str__(self) -> str:
        if self.n == 1:
            return decimal(self.mean)
        if self.n == 2:  # both values, which mean and standard deviation determine
            half = self.sd / math.sqrt(2)
            return f"{decimal(self.mean - half)} / {decimal(self.mean + half)}"
        return f"{decimal(self.mean)} ± {decimal(self.sd)}"


def decimal(value: float) -> str:
    """One decimal place, a typographic minus, and no minus before zero."""
    rounded = round(value, 1) + 0.0  # -0.0 becomes 0.0
    return f"{rounded:.1f}".replace("-", "−")


def spread(values: Iterable[float]) -> Spread | None:
    """Mean and sample standard deviation of the values that are not NaN, None without any."""
    held = [value for value in values if not math.isnan(value)]
    if not held:
        return None
    sd = float(np.std(held, ddof=1)) if len(held) > 1 else math.nan
    return Spread(float(np.mean(held)), sd, len(held))


def grouped(table: Table, key: str, value: str) -> dict[int, Spread]:
    """Spread of column `value` over seeds for each value of column `key`, in ascending order."""
    groups = ((k, spread(table.where(**{key: k})[value])) for k in sorted(table.distinct(key)))
    return {k: found for k, found in groups if found is not None}


def by_context(
    results: Results, solver: str, quantity: str, replay: str = "generative"
) -> dict[int, Spread]:
    """Accuracy after each context: `quantity` is "overall", "new" or "old"."""
    rows = results.table("accuracy").where(solver=solver, replay=replay, selected=1)
    twice = [
        (seed, context)
        for seed in rows.distinct("seed")
        for context in rows.distinct("context")
        if len(rows.where(seed=seed, context=context)) > 1
    ]
    if twice:
        seed, context = twice[0]
        raise ResultsError(
            f"{results.paths.table('accuracy')}: more than one selected row for "
            f"solver {solver}, replay {replay}, seed {seed}, context {context}: "
            "exactly one set of weights can have gone on"
        )
    return grouped(rows, "context", quantity)


def by_epoch(results: Results, solver: str, variant: str = THESIS_VARIANT) -> dict[int, Spread]:
    """Joint accuracy on all classes after each epoch."""
    return grouped(results.table("joint").where(solver=solver, variant=variant), "epoch", "test")


def joint_final(results: Results, solver: str) -> Spread | None:
    """Joint accuracy after the last epoch, None where the run has no joint training."""
    if not results.has("joint"):
        return None
    curve = by_epoch(results, solver)
    return curve[max(curve)] if curve else None


def accuracy_matrix(results: Results, solver: str, seed: int, replay: str) -> np.ndarray:
    """R (context, context): after context i, test accuracy (%) on context j; NaN where missing."""
    n = len(results.contexts)
    rows = results.table("matrix").where(solver=solver, replay=replay, seed=seed)
    matrix = np.full((n, n), np.nan)
    matrix[rows["context"] - 1, rows["tested"] - 1] = rows["accuracy"]
    return matrix


def forgetting(results: Results, solver: str, replay: str = "generative") -> Spread | None:
    """Points lost on earlier contexts, mean over them, over seeds.

    F = 1/(n-1) sum_{j<n} ( max_{i<n} R[i, j] - R[n, j] )     (Chaudhry et al. 2018)
    """
    if not results.has("matrix"):
        return None
    lost = []
    for seed in results.seeds:
        R = accuracy_matrix(results, solver, seed, replay)
        if len(R) > 1 and np.isfinite(R).all():
            lost.append(forgetting_of(R))
    return spread(lost)


class Transfer(NamedTuple):
    """What the accuracy matrices of a solver and a kind of replay say, over seeds."""

    average_accuracy: Spread | None
    forgetting: Spread | None
    backward: Spread | None
    forward: Spread | None


def transfer(results: Results, solver: str, replay: str, scenario: str) -> Transfer | None:
    """The measures of `bridge.replay`'s matrices; None where no seed has all contexts."""
    n = len(results.contexts)
    rows = results.table("scenarios").where(solver=solver, replay=replay, scenario=scenario)
    found = []
    for seed in results.seeds:
        its = rows.where(seed=seed)
        R = np.full((n + 1, n), np.nan)
        R[its["context"], its["tested"] - 1] = its["accuracy"]
        if n > 1 and np.isfinite(R).all():
            found.append(R)
    if not found:
        return None
    return Transfer(
        spread(average_accuracy(R[1:]) for R in found),
        spread(forgetting_of(R[1:]) for R in found),
        spread(backward_transfer(R[1:]) for R in found),
        spread(forward_transfer(R[1:], R[0]) for R in found),
    )


def confusion_matrix(results: Results, solver: str, replay: str) -> np.ndarray | None:
    """Share (%) of the test images of each class (row) that were called each class (column).

    After the last context, over all seeds; None where the run counted none.
    """
    rows = results.table("confusion").where(solver=solver, replay=replay)
    if not len(rows):
        return None
    size = 1 + int(max(rows["true"].max(), rows["named"].max()))
    counts = np.zeros((size, size))
    np.add.at(counts, (rows["true"], rows["named"]), rows["images"])
    return 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


class Segment(NamedTuple):
    """One context of a training curve: `x` iterations from the start of the sequence."""

    context: int
    x: np.ndarray
    mean: np.ndarray
    sd: np.ndarray


def training_curve(results: Results, solver: str, replay: str, quantity: str) -> list[Segment]:
    """Accuracy over training iterations, one segment a context; seeds averaged where all have one.

    Contexts are laid end to end, each as long as its longest run over all replay types, so that
    curves of one solver share their boundaries.
    """
    rows = results.table("accuracy").where(solver=solver)
    segments, start = [], 0
    lengths = context_lengths(results, solver)
    for context, length in lengths.items():
        part = rows.where(replay=replay, context=context)
        points = grouped(part, "iteration", quantity)
        n = len(part.distinct("seed"))
        shared = {i: point for i, point in points.items() if point.n == n}
        if shared:
            segments.append(
                Segment(
                    context,
                    start + np.array(list(shared)),
                    np.array([p.mean for p in shared.values()]),
                    np.array([p.sd for p in shared.values()]),
                )
            )
        start += length
    return segments


def context_lengths(results: Results, solver: str) -> dict[int, int]:
    """Iterations of each context of the sequence (the longest over replay types and seeds)."""
    rows = results.table("accuracy").where(solver=solver)
    in_sequence = rows["replay"] != "joint"
    contexts, iterations = rows["context"][in_sequence], rows["iteration"][in_sequence]
    return {k: int(iterations[contexts == k].max()) for k in sorted(set(contexts.tolist()))}


def generator_iterations(results: Results) -> dict[int, Spread]:
    """Iterations of the generator in each context."""
    rows = results.table("generator")
    found = {}
    for k in sorted(rows.distinct("context")):
        part = rows.where(context=k)
        used = spread(part.where(seed=s)["iteration"].max() for s in part.distinct("seed"))
        if used is not None:
            found[k] = used
    return found


def generator_epochs(results: Results) -> dict[int, Spread]:
    """The same as passes over its training images: iterations x batch size / images."""
    batch = results.config.protocol.generator.batch_size
    rows = results.table("generator")
    images = {
        k: float(np.mean(part["n_real"] + part["n_replayed"]))
        for k in rows.distinct("context")
        for part in [rows.where(context=k)]
    }
    return {
        k: used.scaled(batch / images[k])
        for k, used in generator_iterations(results).items()
        if images[k]
    }


def comparable(results: Results) -> str | None:
    """Why the thesis' numbers cannot stand beside these (None: they can)."""
    if results.config.data not in thesis.DATA:
        return f"the thesis reports MNIST, this run is on {results.config.data}"
    contexts = tuple(tuple(sorted(context)) for context in results.contexts)
    if contexts != thesis.CONTEXTS[: len(contexts)]:
        return "the thesis learns the classes in other contexts than this run"
    return None


def thesis_curve(results: Results, solver: str, quantity: str) -> dict[int, float]:
    """The thesis' values beside this run's; empty where it has none or they do not compare."""
    published = thesis.curve(solver, quantity)
    if published is None or comparable(results):
        return {}
    last = math.inf if quantity == "joint" else len(results.contexts)
    return {at: value for at, value in published.values.items() if at <= last}


def diagnostic(results: Results, quantity: str, solver: str = "") -> dict[int, Spread]:
    """Spread over seeds of a replay diagnostic by contexts learnt."""
    rows = results.table("diagnostics").where(solver=solver, quantity=quantity)
    wrong = rows["value"][~((rows["value"] >= 0) & (rows["value"] <= 1))]
    if quantity in FRACTIONS and len(wrong):
        raise ResultsError(
            f"{results.paths.table('diagnostics')}: {quantity} is "
            f"{wrong[0]}, expected a fraction in [0, 1]"
        )
    return grouped(rows, "context", "value")


def class_shares(results: Results, seed: int, context: int) -> np.ndarray | None:
    """Shares (class,) of a generator's samples, None where they were not measured."""
    rows = results.table("diagnostics").where(solver="", seed=seed, context=context)
    shares = np.zeros(len(results.class_names))
    found = False
    for quantity, value in zip(rows["quantity"], rows["value"], strict=True):
        if quantity.startswith("share of class "):
            number = quantity.removeprefix("share of class ")
            if number not in map(str, range(len(shares))) or not 0 <= value <= 1:
                raise ResultsError(
                    f"{results.paths.table('diagnostics')}: {quantity} "
                    f"is {value} (seed {seed}, context {context}): expected "
                    "classes of the data set and fractions in [0, 1]"
                )
            shares[int(number)], found = value, True
    return shares if found else None


def collapsed_generators(results: Results) -> list[tuple[int, int]]:
    """(seed, contexts learnt) of every generator that diagnostics call collapsed."""
    rows = results.table("diagnostics").where(solver="", quantity="collapsed", value=1)
    return sorted(zip(rows["seed"].tolist(), rows["context"].tolist(), strict=True))


def require(curve: dict | list, what: str) -> None:
    """Raise MissingResults where there is nothing to draw of `what`."""
    if not curve:
        raise MissingResults(f"this run holds no {what}")
