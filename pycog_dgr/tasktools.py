"""Building blocks of a task: populations, epochs, durations, tuning curves, performance.

A task is a function `generate_trial(rng, dt, params)` that returns a dictionary with

    t        (time,)           ms, the first entry is dt, not 0
    epochs   name -> (start, end) in ms, half open from the left: start < t <= end; and T
    info     what was shown and what is correct; empty for a catch trial
    inputs   (time, Nin)       without baseline and noise, which the dataset adds
    outputs  (time, Nout)      targets
    mask     (time, Nout)      weight of every target in the loss; all ones when it is absent

`params` tells the task what for: `name` is 'gradient', 'validation' or 'test', `target_output`
asks for outputs and mask, `minibatch_index` counts the trials of a batch, `best_costs` and
`callback_results` report on the training so far. The names are pycog's (Song, Yang & Wang, PLoS
Comput. Biol. 12, e1004792, 2016), so that a task written for it runs here.

Durations are in ms, angles in degrees unless said otherwise.
"""

from __future__ import annotations

import functools
import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray

from pycog_dgr.data import FixedTrial, Trial
from pycog_dgr.errors import TaskError

LARGEST_OF_ONE_WORD = 2**31
BUILT = 1024  # trials that `built_once` keeps; the one built first goes first

# -- populations ----------------------------------------------------------------------------


def generate_ei(N: int, pE: float = 0.8) -> tuple[NDArray, list[int], list[int]]:
    """E/I signature of N units of which the first int(pE N) are excitatory.

    Returns (ei, EXC, INH): ei (N,) holds +1 or -1, EXC and INH are lists of unit indices.
    """
    if not 0 <= pE <= 1:
        raise TaskError(f"generate_ei: pE must lie between 0 and 1, not {pE}")
    n_exc = int(pE * N)
    ei = np.where(np.arange(N) < n_exc, 1, -1)
    return ei, list(range(n_exc)), list(range(n_exc, N))


def generate_Crec(
    ei: ArrayLike,
    p_exc: float = 1,
    p_inh: float = 1,
    rng: RandomState | None = None,
    seed: int = 1,
    allow_self: bool = False,
    strict: bool = True,
) -> NDArray:
    """Random recurrent connectivity (N, N) that balances excitation and inhibition.

    Row i (postsynaptic) receives each excitatory unit with probability p_exc and each inhibitory
    one with p_inh; its inhibitory entries are scaled so that both kinds have the same sum, and the
    row is divided by its L2 norm. Draws: row by row, excitatory rows first, in each row one
    uniform number per excitatory, then per inhibitory unit.

    A row without any inhibitory input cannot be balanced: TaskError, unless `strict` is False,
    which leaves NaN in that row, as the original did.
    """
    rng = RandomState(seed) if rng is None else rng
    ei = np.asarray(ei)
    exc, inh = np.flatnonzero(ei > 0), np.flatnonzero(ei < 0)
    C = np.zeros((len(ei), len(ei)))
    for i in (*exc, *inh):
        C[i, exc] = rng.uniform(size=len(exc)) < p_exc
        C[i, inh] = rng.uniform(size=len(inh)) < p_inh
        if not allow_self:
            C[i, i] = 0
        with np.errstate(divide="ignore", invalid="ignore"):
            C[i, inh] *= C[i, exc].sum() / C[i, inh].sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        C /= np.linalg.norm(C, axis=1, keepdims=True)
    bad = np.flatnonzero(~np.isfinite(C).all(axis=1))
    if strict and bad.size:
        raise TaskError(
            f"generate_Crec: units {bad.tolist()} drew no inhibitory (or no) input, so excitation "
            f"and inhibition cannot be balanced; raise p_inh={p_inh} or p_exc={p_exc}, or try "
            "another seed"
        )
    return C


# -- epochs ---------------------------------------------------------------------------------


def get_idx(t: NDArray, interval: tuple[float, float]) -> list[int]:
    """Indices of the times t with start < t <= end, as a list."""
    start, end = interval
    return np.flatnonzero((t > start) & (t <= end)).tolist()


def get_epochs_idx(dt: float, epochs: Mapping[str, Any]) -> tuple[NDArray, dict[str, list[int]]]:
    """Time axis and epochs in discrete time.

    `epochs` maps names to (start, end) in ms and 'T' to the duration of the trial. Returns
    (t, index): t = linspace(dt, T, int(T/dt)), whose spacing is dt only where dt divides T, and
    index maps every name but 'T' to a list of positions in t.
    """
    if "T" not in epochs:
        raise TaskError(f"epochs need the trial's duration under 'T'; got {sorted(epochs)}")
    T = epochs["T"]
    if not T >= dt > 0:
        raise TaskError(f"a trial of T = {T} ms has no step of dt = {dt} ms")
    t = np.linspace(dt, T, int(T / dt))
    return t, {name: get_idx(t, span) for name, span in epochs.items() if name != "T"}


# -- random durations, rounded down to multiples of dt ----------------------------------------


def _floor(duration: float, dt: float) -> float:
    return duration // dt * dt


def uniform(rng: RandomState, dt: float, xmin: float, xmax: float) -> float:
    """Uniform duration between xmin and xmax, rounded down to a multiple of dt."""
    return _floor(rng.uniform(xmin, xmax), dt)


def _redraw(draw: Callable[[], float], dt: float, xmin: float, xmax: float) -> float:
    """First draw with xmin <= x < xmax, rounded down (so it may fall below xmin by < dt)."""
    if not xmin < xmax:
        raise TaskError(f"no duration can lie between xmin = {xmin} and xmax = {xmax}")
    x = draw()
    while not xmin <= x < xmax:
        x = draw()
    return _floor(x, dt)


def truncated_exponential(
    rng: RandomState, dt: float, mean: float, xmin: float = 0, xmax: float = np.inf
) -> float:
    """Exponential duration of the given mean, drawn again until xmin <= x < xmax."""
    return _redraw(lambda: rng.exponential(mean), dt, xmin, xmax)


def truncated_normal(
    rng: RandomState,
    dt: float,
    mean: float,
    sigma: float,
    xmin: float = -np.inf,
    xmax: float = np.inf,
) -> float:
    """Normal duration of the given mean and width, drawn again until xmin <= x < xmax."""
    return _redraw(lambda: rng.normal(mean, sigma), dt, xmin, xmax)


# -- tuning curves ----------------------------------------------------------------------------


def deg2rad(s: Any) -> Any:
    """Degrees to radians (in the original's order of operations, for equality to the bit)."""
    return s * np.pi / 180


def vonMises(
    s: Any, spref: Any, g: float = 1, kappa: float = 5, b: float = 0, convert: bool = True
) -> Any:
    """Von Mises tuning curve g exp(kappa (cos(s - spref) - 1)) + b.

    Angles are in degrees, or in radians with convert=False.
    """
    angle = deg2rad(s - spref) if convert else s - spref
    return g * np.exp(kappa * (np.cos(angle) - 1)) + b


# -- conditions -------------------------------------------------------------------------------


def unravel_index(b: int, dims: Sequence[int]) -> tuple[Any, ...]:
    """Condition number b as one index per dimension, the first running fastest (column-major)."""
    return np.unravel_index(b, tuple(dims), order="F")


def choose_condition(
    rng: RandomState,
    params: Mapping[str, Any],
    conditions: Mapping[str, Sequence[Any]],
    pcatch: float,
) -> dict[str, Any] | None:
    """The condition of one trial as a dictionary; None for a catch trial.

    conditions   name -> list of values, in the order of the draws
    pcatch       probability of a catch trial, in which nothing is shown

    For 'gradient' and 'test' everything is drawn, and entries of `params` ('catch' and the
    conditions' names) override the draw without saving it, so that the random stream does not
    depend on what is overridden. 'validation' steps through all conditions in turn by
    `minibatch_index`, a catch trial first. (Not in pycog, where each task repeats this.)

    A condition is drawn as by rng.choice, without the checks that take most of its time.
    """
    purpose = params["name"]
    if purpose in ("gradient", "test"):
        drawn = rng.random_sample() < pcatch
        if params.get("catch", drawn):
            return None
        bits: Any = getattr(rng, "_bit_generator", None)
        is_twister, chosen = isinstance(bits, np.random.MT19937), {}
        for name, values in conditions.items():
            n = len(values)
            if is_twister and 2 <= n <= LARGEST_OF_ONE_WORD:
                # as randint: a word, cut to as many bits as n - 1 has, until it is below n
                mask = (1 << (n - 1).bit_length()) - 1
                while (i := bits.random_raw() & mask) >= n:
                    pass
            else:
                i = rng.randint(n)
            chosen[name] = params.get(name, values[i])
        return chosen
    if purpose == "validation":
        sizes = [len(values) for values in conditions.values()]
        b = params["minibatch_index"] % (math.prod(sizes) + 1)
        if b == 0:
            return None
        index = unravel_index(b - 1, sizes)
        return {name: conditions[name][i] for name, i in zip(conditions, index, strict=True)}
    raise TaskError(f"trials are for 'gradient', 'validation' or 'test', not {purpose!r}")


def built_once(build: Callable[..., Trial]) -> Callable[..., FixedTrial]:
    """Decorate what builds a trial, so that every condition is built once and then reused.

        @tasktools.built_once
        def build_trial(dt, purpose, target_output, shown): ...   -> the trial's dictionary

    For tasks in which the condition decides everything: `build` must return the same for equal
    arguments (numbers, texts, dictionaries of these), and draw nothing. Returns FixedTrials; at
    most BUILT of them are kept. (Not in pycog.)
    """
    built: dict[tuple, FixedTrial] = {}

    @functools.wraps(build)
    def trial(*arguments: Any) -> FixedTrial:
        key = tuple([tuple(a.items()) if isinstance(a, dict) else a for a in arguments])
        known = built.get(key)
        if known is None:
            if len(built) == BUILT:
                del built[next(iter(built))]
            known = built[key] = FixedTrial(build(*arguments))
        return known

    return trial


def choice_targets(
    t: NDArray, e: Mapping[str, list[int]], choice: int | None, hi: float = 1.0, lo: float = 0.2
) -> tuple[NDArray, NDArray]:
    """Targets of a choice between two outputs: (outputs, mask), both (time, 2).

    Low during fixation; during the decision the chosen output is high and the other low; nothing
    is asked for in between. choice=None (a catch trial) asks for low throughout. (Not in pycog.)
    """
    outputs, mask = np.zeros((len(t), 2)), np.zeros((len(t), 2))
    if choice is None:
        outputs[:], mask[:] = lo, 1
        return outputs, mask
    outputs[e["fixation"]] = lo
    outputs[e["decision"]] = np.where(np.arange(2) == choice, hi, lo)
    mask[e["fixation"] + e["decision"]] = 1
    return outputs, mask


# -- performance and callbacks ----------------------------------------------------------------


def _choices(trials: Sequence[Trial], z: NDArray) -> list[int]:
    """The larger output at each trial's own last step; z is (time, trial, Nout)."""
    return [int(np.argmax(z[len(trial["t"]) - 1, i])) for i, trial in enumerate(trials)]


def _correct(trials: Sequence[Trial], z: NDArray) -> list[tuple[Trial, bool]]:
    """(trial, was the choice right) for every trial that is not a catch trial."""
    pairs = zip(trials, _choices(trials, z), strict=True)
    scored = [
        (trial, choice == trial["info"]["choice"]) for trial, choice in pairs if trial["info"]
    ]
    if not scored:
        raise TaskError("performance: every trial is a catch trial, there is no choice to score")
    return scored


def performance_2afc(trials: Sequence[Trial], z: NDArray) -> float:
    """Percentage of correct choices in a two-alternative task; catch trials do not count.

    z (time, trial, Nout); a trial's choice is its larger output at its own last time step, the
    correct one is info['choice'].
    """
    right = [right for _, right in _correct(trials, z)]
    return 100 * sum(right) / len(right)


def performance_2afc_min_condition(trials: Sequence[Trial], z: NDArray) -> float:
    """Like performance_2afc, but of the condition with the lowest percentage.

    A condition is the set of values in `info`.
    """
    by_condition: dict[tuple, list[bool]] = defaultdict(list)
    for trial, right in _correct(trials, z):
        by_condition[tuple(trial["info"].values())].append(right)
    return 100 * min(sum(right) / len(right) for right in by_condition.values())


def correct_2afc_bias(
    trials: Sequence[Trial], z: NDArray, rmin: float = 0.45, rmax: float = 0.55
) -> list[float]:
    """Callback: probabilities [p, 1 - p] of the two correct choices that counter a bias.

    p is the share of choice 1 in the last validation, kept between rmin and rmax: a network that
    prefers choice 1 is shown choice 0 more often. The task finds it in params['callback_results'].
    """
    choices = _choices(trials, z)
    ratio = choices.count(0) / choices.count(1) if 1 in choices else math.inf
    p = min(max(1 / (1 + ratio), rmin), rmax)
    return [p, 1 - p]


def __getattr__(name: str) -> Any:
    raise AttributeError(
        f"tasktools has no {name!r}; if it is a function of a fork of pycog, define it in the "
        "model file",
        name=name,
    )
