"""Sorting, aligning and d' against loops over trials; rtol 1e-12."""

import numpy as np
import pytest

from pycog_dgr import PycogDgrError
from pycog_dgr.analysis import selectivity, sorting
from tests.pycog_dgr.synthetic_trials import DT, synthetic

RNG = np.random.default_rng(2)


def test_conditions_are_all_combinations_that_occur():
    coh = np.array([1, 2, 1, np.nan, 2, 1])
    modality = np.array(["v", "a", "v", "v", "", "a"])
    found = sorting.conditions(coh, modality)
    assert found.values == [(1, "a"), (1, "v"), (2, "a")]
    assert found.number.tolist() == [1, 2, 1, sorting.NONE, sorting.NONE, 0]
    assert sorting.conditions(np.array([np.nan])).values == []


def test_condition_means_are_means_over_the_trials_that_have_a_sample():
    values = RNG.normal(size=(30, 5, 4)).astype(np.float32)
    values[RNG.random((30, 5)) < 0.3] = np.nan
    values[:, 4] = np.nan
    kind = RNG.integers(0, 3, 30).astype(float)
    found = sorting.conditions(kind)
    means = sorting.condition_means(values, found)
    half = sorting.condition_means(values, found, share=0.5)
    for c, (value,) in enumerate(found.values):
        for t in range(5):
            own = values[(kind == value) & np.isfinite(values[:, t, 0]), t].astype(np.float64)
            if not len(own):
                assert np.isnan(means[c, t]).all()
                continue
            np.testing.assert_allclose(means[c, t], own.mean(axis=0), rtol=1e-12)
            assert np.isnan(half[c, t, 0]) == (len(own) < 0.5 * np.sum(kind == value))


def test_windows_around_an_event_hold_each_trials_own_samples():
    values = np.arange(24, dtype=float).reshape(2, 12, 1)
    t = DT * np.arange(12)
    offsets, cut = sorting.align(t, values, np.array([50.0, np.nan]), 20, 30)
    assert offsets.tolist() == [-20, -10, 0, 10, 20, 30]
    assert cut[0, :, 0].tolist() == [3, 4, 5, 6, 7, 8]
    assert np.isnan(cut[1]).all()
    _, cut = sorting.align(t, values, np.array([14.0, 110.0]), 20, 10)
    np.testing.assert_array_equal(cut[:, :, 0], [[np.nan, 0, 1, 2], [21, 22, 23, np.nan]])
    with pytest.raises(PycogDgrError, match="cannot be cut"):
        sorting.align(t[:1], values[:, :1], np.zeros(2), 0, 0)


def test_means_between_times_are_half_open_and_end_with_the_trial():
    rates = RNG.normal(size=(3, 8, 2))
    trials = synthetic(
        rates, lengths=[8, 4, 8], epochs={"delay": [[20, 50], [20, 50], [np.nan] * 2]}
    )
    means = sorting.epoch_means(trials, trials.rates, "delay")
    np.testing.assert_allclose(means[0], rates[0, 3:6].mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(means[1], rates[1, 3:4].mean(axis=0), rtol=1e-12)
    assert np.isnan(means[2]).all()


# -- d' -------------------------------------------------------------------------------------------


def test_dprime_is_the_difference_in_units_of_the_spread():
    values = RNG.normal(size=(40, 3, 5))
    first = np.arange(40) < 15
    values[first, :, 1] += 2
    d = selectivity.dprime(values, first, ~first)
    for t in range(3):
        for unit in range(5):
            a, b = values[first, t, unit], values[~first, t, unit]
            pooled = np.sqrt((np.var(a, ddof=1) + np.var(b, ddof=1)) / 2)
            assert d[t, unit] == pytest.approx((a.mean() - b.mean()) / pooled, rel=1e-12)
    np.testing.assert_allclose(selectivity.dprime(values, ~first, first), -d, rtol=1e-12)


def test_dprime_of_two_normal_groups_is_their_distance():
    values = np.concatenate([RNG.normal(1.0, 2, 40_000), RNG.normal(-2, 1, 40_000)])[:, np.newaxis]
    first = np.arange(80_000) < 40_000
    expected = 3 / np.sqrt((4 + 1) / 2)
    assert selectivity.dprime(values, first, ~first)[0] == pytest.approx(expected, rel=0.02)


def test_dprime_of_silent_units_is_zero_and_missing_samples_do_not_count():
    values = RNG.normal(size=(6, 2))
    values[:, 1] = 0
    values[5, 0] = np.nan
    first = np.arange(6) < 3
    d = selectivity.dprime(values, first, ~first)
    assert d[1] == 0
    assert d[0] == pytest.approx(selectivity.dprime(values[:5], first[:5], ~first[:5])[0])
    values[4, 0] = np.nan  # one value is left in the second group
    assert np.isnan(selectivity.dprime(values, first, ~first)[0])


def test_dprime_needs_two_trials_of_either_kind():
    with pytest.raises(PycogDgrError, match="second group has 1 trials"):
        selectivity.dprime(np.zeros((3, 1)), np.array([1, 1, 0]) > 0, np.array([0, 0, 1]) > 0)


def test_units_are_ordered_by_group_then_by_falling_dprime():
    d = np.array([1.0, 3.0, np.nan, -1.0, 2.0])
    assert selectivity.by_preference(d).tolist() == [1, 4, 0, 2, 3]
    assert selectivity.by_preference(d, np.array([0, 1, 0, 0, 1])).tolist() == [0, 2, 3, 1, 4]
