"""Noise of both streams: its law, its order, and what it leaves of the task's stream."""

import numpy as np
import pytest
from scipy import stats

from pycog_dgr import SettingError
from pycog_dgr.data import noise
from pycog_dgr.data.noise import (
    NormalStream,
    input_noise,
    normal_stream,
    recurrent_noise,
)
from pycog_dgr.kernels import normals_numpy

STREAMS = ("fast", "original")


def drawing(name, seed=0):
    return normal_stream(name, np.random.RandomState(seed))


@pytest.mark.parametrize("name", STREAMS)
def test_noise_has_the_stated_variance(name):
    rng = drawing(name)
    drawn = input_noise(rng, (20000, 2), tau_in=100, dt=10, var_in=np.array([0.5, 0.0]))
    assert drawn[:, 0].var() == pytest.approx(2 * 100 / 10 * 0.5, rel=0.05)
    assert not drawn[:, 1].any()
    drawn = recurrent_noise(rng, (20000, 2), tau=np.array([20.0, 80.0]), dt=10, var_rec=0.1)
    assert drawn.var(axis=0) == pytest.approx([0.4, 1.6], rel=0.05)


@pytest.mark.parametrize("name", STREAMS)
def test_noise_has_the_stated_covariance(name):
    covariance = np.array([[0.5, 0.3], [0.3, 0.4]])
    drawn = recurrent_noise(drawing(name), (50, 2000, 2), tau=20, dt=10, var_rec=covariance)
    np.testing.assert_allclose(np.cov(drawn.reshape(-1, 2).T), 4 * covariance, rtol=0.03)


@pytest.mark.parametrize("name", STREAMS)
def test_nothing_is_drawn_without_variance(name):
    used, untouched = drawing(name), drawing(name)
    assert recurrent_noise(used, (5, 2), tau=20, dt=10, var_rec=0) is None
    np.testing.assert_array_equal(used.normal(size=4), untouched.normal(size=4))


def test_the_fast_numbers_are_normal_and_independent():
    drawn = drawing("fast").normal(400_000).astype(float)
    assert stats.kstest(drawn, "norm").pvalue > 0.01
    assert (
        stats.kstest(
            np.abs(drawn[np.abs(drawn) > 3]), lambda x: 1 - stats.norm.sf(x) / stats.norm.sf(3)
        ).pvalue
        > 0.01
    )  # the tails by themselves
    for lag in (1, 2, len(drawn) // 2, normals_numpy.PAIRS):
        both = drawn[:-lag], drawn[lag:]
        for a, b in (both, np.abs(both)):  # |x| shows what pairs might have in common
            correlation = np.corrcoef(a, b)[0, 1] * np.sqrt(len(a))
            assert abs(correlation) < 4, lag


def test_numba_and_numpy_draw_the_same_numbers(monkeypatch):
    n = 3 * normals_numpy.PAIRS + 5
    compiled = NormalStream(2**64 - 20).normal(n)  # the stream's number runs over 64 bits
    monkeypatch.setattr(noise, "fastest_kernels", lambda: "numpy")
    np.testing.assert_allclose(NormalStream(2**64 - 20).normal(n), compiled, rtol=2e-6, atol=2e-6)


def test_a_stream_goes_on_where_it_was():
    whole, parts = NormalStream(5), NormalStream(5)
    long = whole.normal(60).reshape(2, 30)  # the first numbers of 30 pairs, then the second ones
    pieces = [parts.normal((2, k)) for k in (10, 1, 19)]
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), long)
    parts.normal(3)
    assert parts.position == whole.position + 2  # an odd request leaves half a pair


@pytest.mark.parametrize("size", [(7, 4), (7, 3), (1, 1)])
def test_numbers_drawn_into_an_array_are_the_same(size):
    out, at_once, into = np.empty(size, np.float32), NormalStream(9), NormalStream(9)
    assert into.normal(size, out) is out
    np.testing.assert_array_equal(out, at_once.normal(size))
    assert into.position == at_once.position
    wide = into.normal(size, np.empty(size))  # of another number type: not used
    assert wide.dtype == np.float32


def test_the_fast_stream_takes_one_word_of_the_tasks_stream():
    task, other = np.random.RandomState(3), np.random.RandomState(3)
    normal_stream("fast", task).normal(10)
    other.randint(0, 2**64, dtype=np.uint64)
    assert task.rand() == other.rand()
    assert (drawing("fast", 1).normal(4) != drawing("fast", 2).normal(4)).all()


def test_an_unknown_stream_names_the_known_ones():
    with pytest.raises(SettingError, match="fast, original"):
        drawing("quick")
