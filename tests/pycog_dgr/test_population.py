"""Population analyses on activity whose answers are known."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.decomposition import PCA, FactorAnalysis

from pycog_dgr.analysis import population
from pycog_dgr.errors import PycogDgrError

RNG = np.random.RandomState(0)
TIMES, UNITS = 30, 12
AXES = np.linalg.qr(RNG.normal(size=(UNITS, UNITS)))[0]
T = np.linspace(0, 1, TIMES)


def activity(n_trials=160, noise=0.1, seed=0):
    """Rates (trial, time, unit) in which time, a and b each have an axis of their own."""
    rng = np.random.RandomState(seed)
    a, b = rng.randint(0, 3, n_trials), rng.randint(0, 2, n_trials)
    rates = 5 + np.sin(3 * T)[None, :, None] * AXES[0]
    rates = rates + (a - 1)[:, None, None] * T[None, :, None] * 2 * AXES[1]
    rates = rates + (2 * b - 1)[:, None, None] * AXES[2]
    return rates + noise * rng.normal(size=rates.shape), a.astype(float), b.astype(float)


def angle(u, v):
    """|cosine| of the angle between two directions."""
    return abs(u @ v) / np.linalg.norm(u) / np.linalg.norm(v)


# -- components -----------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [PCA(3), FactorAnalysis(3)])
def test_any_transformer_of_scikit_learn_keeps_the_shape(model):
    rates, _, _ = activity(noise=0.01)
    rates[3, 20:] = np.nan
    scores = population.reduce(rates, model)
    assert scores.shape == (len(rates), TIMES, 3)
    assert np.isnan(scores[3, 20:]).all() and np.isfinite(scores[3, :20]).all()


def test_components_are_scikit_learns():
    rates, _, _ = activity()
    flat = rates.reshape(-1, UNITS)
    expected = PCA(3).fit_transform(flat).reshape(*rates.shape[:2], 3)
    np.testing.assert_allclose(population.reduce(rates, PCA(3)), expected)
    with pytest.raises(PycogDgrError, match="every sample has NaN"):
        population.reduce(np.full((2, 3, 4), np.nan), PCA(1))


# -- demixed PCA ----------------------------------------------------------------------------------


def test_marginals_add_up_and_are_orthogonal():
    means = RNG.normal(size=(3, 2, TIMES, UNITS))
    parts = population.marginals(means, ["a", "b"])
    assert list(parts) == ["time", "a", "b", "a, b"]
    centred = means - means.mean(axis=(0, 1, 2))
    np.testing.assert_allclose(sum(parts.values()), centred, atol=1e-12)
    for first in parts:
        for second in parts:
            if first != second:
                assert abs(np.sum(parts[first] * parts[second])) < 1e-9
    np.testing.assert_allclose(parts["a"].mean(axis=0), 0, atol=1e-12)
    assert np.ptp(parts["time"], axis=(0, 1)).max() < 1e-12


def test_demixed_components_find_the_axis_of_each_variable():
    rates, a, b = activity(n_trials=600, noise=0.05)
    means, levels = population.means_by_variable(rates, {"a": a, "b": b})
    assert means.shape == (3, 2, TIMES, UNITS)
    np.testing.assert_array_equal(levels["a"], [0, 1, 2])
    found = population.demixed_components(means, ["a", "b"], n=1)
    for name, axis in (("time", 0), ("a", 1), ("b", 2)):
        assert angle(found[name].encoder[:, 0], AXES[axis]) > 0.999, name
        assert found[name].scores.shape == (3, 2, TIMES, 1)
    by_a = found["a"].scores[..., 0]
    assert np.ptp(by_a, axis=1).max() < 0.05 * np.ptp(by_a)  # b does not show on a's axis
    shares = {name: part.share[0] for name, part in found.items()}
    expected = {}
    centred = means - means.mean(axis=(0, 1, 2))
    for name, part in population.marginals(means, ["a", "b"]).items():
        expected[name] = np.sum(part**2) / np.sum(centred**2)
    for name in ("time", "a", "b"):
        assert shares[name] == pytest.approx(expected[name], abs=0.01)


def test_the_regression_is_the_best_of_its_rank():
    """No other encoder and decoder of rank 1 come closer to the part (ridge 0)."""
    means = RNG.normal(size=(3, 2, 20, 5))
    parts = population.marginals(means, ["a", "b"])
    X = (means - means.mean(axis=(0, 1, 2))).reshape(-1, 5)
    found = population.demixed_components(means, ["a", "b"], n=1, ridge=0)["a"]
    target = parts["a"].reshape(X.shape)

    def distance(encoder, decoder):
        return np.sum((target - np.outer(X @ decoder, encoder)) ** 2)

    best = distance(found.encoder[:, 0], found.decoder[:, 0])
    for _ in range(200):
        shift = 0.05 * RNG.normal(size=(2, 5))
        assert distance(found.encoder[:, 0] + shift[0], found.decoder[:, 0] + shift[1]) >= best


def test_missing_combinations_are_named():
    rates, a, b = activity(20)
    with pytest.raises(PycogDgrError, match="no trial has a = 2, b = 1"):
        population.means_by_variable(rates, {"a": a, "b": np.where(a == 2, 0, b)})
    rates[0, -1] = np.nan
    with pytest.raises(PycogDgrError, match="cut a window"):
        population.means_by_variable(rates, {"a": a * 0})
    with pytest.raises(PycogDgrError, match="do not vary"):
        population.demixed_components(np.ones((2, 3, 4)), ["a"])


# -- decoding -------------------------------------------------------------------------------------


def test_a_variable_is_read_when_it_is_there():
    rates, a, b = activity(120, noise=0.5)
    scores = population.decode(rates, b)
    assert scores.shape == (TIMES,) and scores.min() > 0.9
    late, early = population.decode(rates[:, -1], a), population.decode(rates[:, 0], a)
    assert late > 0.9 and early < 0.6  # a grows from nothing
    shuffled = population.decode(rates, np.random.RandomState(1).permutation(b))
    assert abs(shuffled.mean() - 0.5) < 0.1


def test_across_conditions_tells_an_abstract_code_from_a_mixed_one():
    rates, a, b = activity(160, noise=0.1)
    assert population.decode_across_conditions(rates[:, -1], b, a) > 0.95
    mixed = np.zeros((160, 3))  # the axis of b turns over with a: readable, but not across
    mixed[:, 0] = a
    mixed[:, 1] = (2 * b - 1) * np.where(a == 0, 1, -1)
    mixed += 0.05 * np.random.RandomState(2).normal(size=mixed.shape)
    own = a < 2
    assert population.decode(mixed[own], (b * 3 + a)[own]) > 0.95
    assert population.decode_across_conditions(mixed[own], b[own], a[own]) < 0.05


def test_trials_without_a_label_or_samples_do_not_count():
    rates, _, b = activity(120, noise=0.3)
    b[:10], rates[10:20] = np.nan, np.nan
    labels = np.where(np.isnan(b), "", np.where(b == 1, "left", "right"))
    np.testing.assert_allclose(population.decode(rates[20:, -1], b[20:]), 1, atol=0.1)
    assert population.decode(rates[:, -1], labels) == population.decode(rates[20:, -1], b[20:])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r, a, b: population.decode(r, b * 0), "every trial has the label"),
        (lambda r, a, b: population.decode(r, b, folds=50), "fewer than the 50 folds"),
        (lambda r, a, b: population.decode(r, b[:-1]), "labels for 40 trials"),
        (lambda r, a, b: population.decode_across_conditions(r, b, b), "only one label is left"),
    ],
)
def test_what_cannot_be_decoded_says_why(call, message):
    with pytest.raises(PycogDgrError, match=message):
        call(*activity(40))


def test_importing_it_loads_no_scikit_learn():
    code = "import sys, pycog_dgr.analysis.population; print('sklearn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
