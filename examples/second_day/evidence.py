"""Trial info that is an array: momentary evidence, and what weight a network gives to each piece.

    python examples/second_day/evidence.py

Eight samples, 100 ms each, come one after the other, each in favour of one choice or the other;
which has more in total? A trial's info holds all eight numbers. After training the choices are
regressed on them (scikit-learn's logistic regression): a network that integrates without leak
weighs all alike.
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from pycog_dgr import RNN, Model, Trials, simulate_trials, tasktools
from pycog_dgr.analysis import choices
from pycog_dgr.analysis.figures import panels, style
from pycog_dgr.symbolic import adam

N, N_SAMPLES, SAMPLE = 50, 8, 100  # units, samples, ms
START, END = 100, 100 + N_SAMPLES * SAMPLE  # ms
EPOCHS = {
    "fixation": (0, START), "stimulus": (START, END), "decision": (END, END + 200), "T": END + 200,
}  # fmt: skip


def generate_trial(rng, dt, params):
    """Inputs: evidence for each of two choices. The info's `evidence` has all samples."""
    evidence = np.round(rng.normal(scale=0.5, size=N_SAMPLES), 2)
    choice = int(evidence.sum() < 0)
    t, e = tasktools.get_epochs_idx(dt, EPOCHS)
    trial = {"t": t, "epochs": EPOCHS, "info": {"evidence": evidence, "choice": choice}}
    shown = np.repeat(evidence, len(e["stimulus"]) // N_SAMPLES)
    trial["inputs"] = np.zeros((len(t), 2))
    trial["inputs"][e["stimulus"]] = np.maximum(np.stack([shown, -shown], axis=1), 0)
    if params.get("target_output", False):
        trial["outputs"], trial["mask"] = tasktools.choice_targets(t, e, choice)
    return trial


def terminate(performance_history):
    return np.mean(performance_history[-3:]) > 92  # percent correct


def the_model(max_iter):
    ei, _, _ = tasktools.generate_ei(N)
    return Model(
        generate_trial=generate_trial, Nin=2, N=N, Nout=2, ei=ei, Cout=np.tile(ei > 0, (2, 1)),
        train_brec=True, var_rec=0.05**2, optimiser=adam(0.003), max_iter=max_iter, checkfreq=50,
        n_validation=500, performance=tasktools.performance_2afc, terminate=terminate,
    )  # fmt: skip


def weights_of(trials):
    """Weight of each sample in the network's choices, and in those that are right."""
    evidence = trials.column("evidence")  # (trial, sample)
    regression = LogisticRegression(C=np.inf)
    made, right = choices.final_choices(trials), trials.column("choice")
    found = []
    for answers in (made, right):
        coefficients = -regression.fit(evidence, answers).coef_[0]
        found.append(coefficients / coefficients.sum())
    return found


@style.styled
def draw(trials, kernel, perfect):
    """Psychometric function of the total evidence, and the weight of each sample."""
    fig, axes = style.figure(["A B"], [2.3])
    total = trials.column("evidence").sum(axis=1)
    edges = np.quantile(total, np.linspace(0, 1, 11))
    points = choices.proportions(choices.binned(total, edges), choices.final_choices(trials) == 0)
    axes["A"].errorbar(
        points.x, 100 * points.p, 100 * points.error, fmt="o-", color=style.BLUE, clip_on=False
    )
    panels.percent(axes["A"], "Choice 0 (%)")
    axes["A"].axhline(50, color=style.GREY, linestyle=":", linewidth=0.8)
    axes["A"].set_xlabel("Total evidence for choice 0 (a.u.)")
    middle = SAMPLE * (np.arange(N_SAMPLES) + 0.5)
    axes["B"].plot(middle, kernel, "o-", color=style.BLUE, label="network")
    axes["B"].plot(middle, perfect, "o:", color=style.GREY, label="right answers")
    axes["B"].set(xlabel="Time from stimulus (ms)", ylabel="Weight in the choice (sum: 1)")
    axes["B"].set_ylim(0, 1.2 * max(*kernel, *perfect))
    axes["B"].legend(loc="lower right")
    return fig


def main(words=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/second_day"))
    parser.add_argument("--max-iter", type=int, default=4000, help="updates, at most")
    options = parser.parse_args(words)
    options.out.mkdir(parents=True, exist_ok=True)
    model = the_model(options.max_iter)
    savefile = options.out / "evidence.npz"
    result = model.train(savefile, seed=1)
    print(result)
    simulate_trials(RNN(savefile, verbose=False), model.task, 4000, seed=1, dt_save=100).save(
        options.out / "evidence_trials.npz"
    )
    trials = Trials.load(options.out / "evidence_trials.npz")
    print(f"a trial's evidence: {trials.column('evidence')[0]}")
    right = choices.correct(trials, choices.final_choices(trials))
    kernel, perfect = weights_of(trials)
    print(f"{100 * np.mean(right):.1f} % correct; weights {np.round(kernel, 3)}")
    path = options.out / "evidence.png"
    draw(trials, kernel, perfect).savefig(path, dpi=150)
    print(f"written: {path}")


if __name__ == "__main__":
    main()
