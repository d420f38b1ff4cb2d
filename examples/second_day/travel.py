"""Models travel: pickled to worker processes; weights and trials for other programs.

    python examples/second_day/travel.py

Hands one Model of rdm_nodale to two spawned worker processes, which train it from several seeds.
Of each network, weights are written as safetensors and as a torch state_dict, trials as MATLAB
file, netCDF and CSV, by the extra [export]; torch reads the weights again and runs a step of the
network.
"""

import argparse
import dataclasses
import multiprocessing
from pathlib import Path

import numpy as np
import torch

from pycog_dgr import RNN, Model, simulate_trials
from pycog_dgr.analysis import choices
from pycog_dgr.analysis.figures import panels, style
from pycog_dgr.errors import MissingExtraError
from pycog_dgr.tasks import bundled_tasks

SEEDS = (1, 2, 3)


def trained(model, seed, folder):
    """In a worker process: train a Model from a seed; returns its save file and why it stopped."""
    path = folder / f"seed-{seed}.npz"
    result = model.train(path, seed=seed, progress=False)
    return path, result.reason, result.iterations


def export_all(rnn, trials, path):
    """Write a network's weights and its trials for other programs; what lacks an extra is said."""
    state_dict = {name: torch.from_numpy(array) for name, array in rnn.arrays().items()}
    torch.save(state_dict, path.with_suffix(".pt"))
    for content, ending in ((rnn, ".safetensors"), (trials, ".csv"), (trials, ".mat"),
                            (trials, ".nc")):  # fmt: skip
        try:
            content.export(path.with_suffix(ending))
        except MissingExtraError as error:
            print(error)


def rates_by_torch(state_dict, x, u, alpha):
    """Rates after one step of the network without noise, in torch, from exported weights."""
    drive = u @ state_dict["Win"].T + state_dict["brec"]
    x = (1 - alpha) * x + alpha * (torch.relu(x) @ state_dict["Wrec"].T + drive)
    return torch.relu(x)


def check(path):
    """Largest difference between torch's step and RNN's, from the initial state."""
    rnn = RNN(path, {"dt": 10, "var_rec": 0, "var_in": 0}, verbose=False)  # ms
    rnn.run(T=10)
    weights = torch.load(path.with_suffix(".pt"), weights_only=True)
    own = rates_by_torch(
        weights, torch.as_tensor(rnn.x[:, 0]), torch.as_tensor(rnn.u[:, 1]).float(),
        rnn.p["dt"] / rnn.p["tau"],
    )  # fmt: skip
    return float(np.abs(own.numpy() - rnn.r[:, 1]).max())


@style.styled
def draw(by_seed):
    """How every seed learnt, and its psychometric function."""
    fig, axes = style.figure(["A B"], [2.4])
    for (seed, (rnn, trials)), colour in zip(by_seed.items(), style.CYCLE, strict=False):
        thousands = [n_trials / 1000 for n_trials, _ in rnn.costs_history]
        performance = [costs[2] for _, costs in rnn.costs_history]
        axes["A"].plot(thousands, performance, color=colour, label=f"seed {seed}")
        signed = trials.column("coh") * trials.column("in_out")
        chosen = choices.final_choices(trials)
        panels.psychometric(axes["B"], signed, 1 - chosen, color=colour, units=None)
    panels.percent(axes["A"], "Correct (%)")
    axes["A"].axhline(50, color=style.GREY, linestyle=":", linewidth=0.8)
    axes["A"].set_xlabel("Trials (thousands)")
    axes["A"].legend(loc="lower right")
    axes["B"].set_xlabel("Coherence (%), positive: towards choice 0")
    return fig


def main(words=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/second_day/travel"))
    parser.add_argument("--max-iter", type=int, help="train so many updates at most")
    options = parser.parse_args(words)
    options.out.mkdir(parents=True, exist_ok=True)
    model = Model(bundled_tasks()["rdm_nodale"])
    if options.max_iter:
        model.training = dataclasses.replace(model.training, max_iter=options.max_iter)

    work = [(model, seed, options.out) for seed in SEEDS]
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        found = pool.starmap(trained, work)
    by_seed = {}
    for seed, (path, reason, n_updates) in zip(SEEDS, found, strict=True):
        print(f"seed {seed}: {reason} after {n_updates:,} updates")
        rnn = RNN(path, verbose=False)
        trials = simulate_trials(rnn, model.task, 500, seed=1, dt_save=20)
        export_all(rnn, trials, path)
        print(f"torch's step differs by at most {check(path):.1e}")
        by_seed[seed] = rnn, trials
    path = options.out / "travel.png"
    draw(by_seed).savefig(path, dpi=150)
    print(f"written: {path}")


if __name__ == "__main__":
    main()
