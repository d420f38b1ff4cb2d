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
from pycog_dgr.kernels import get_kernels, normals_numpy

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


@pytest.mark.parametrize("n", [noise.LEAST_COMPILED + extra for extra in (0, 1, 70_000)])
@pytest.mark.parametrize("before", ["nothing", "a word", "one of a pair"])
def test_many_numbers_of_the_original_stream_are_numpys_bit_for_bit(before, n, monkeypatch):
    compiled, plain = (np.random.RandomState(3) for _ in range(2))
    for rng in (compiled, plain):
        if before == "a word":
            rng.randint(10, size=3)
        if before == "one of a pair":
            rng.normal()
    monkeypatch.setattr(noise, "WORTH_COMPILING", 0)
    assert noise.same_bits()
    for shape in ((n,), (n // 2, 2)):
        np.testing.assert_array_equal(noise.normals(compiled, shape), plain.normal(size=shape))
        for one, other in zip(compiled.get_state(), plain.get_state(), strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", ["numba", "numpy"])
def test_kernels_draw_numpys_numbers_from_the_state_of_its_generator(name):
    rng, drawn = np.random.RandomState(4), np.empty(1500)
    rng.randint(10, size=101)
    _, key, position, *_ = rng.get_state(legacy=True)
    position = get_kernels(name).polar(key, position, drawn)
    np.testing.assert_array_equal(drawn, rng.normal(size=len(drawn)))
    _, expected, expected_position, *_ = rng.get_state(legacy=True)
    np.testing.assert_array_equal(key, expected)
    assert position == expected_position


def test_the_first_numbers_of_a_process_are_not_worth_compiling_for(monkeypatch):
    asked = []
    monkeypatch.setattr(noise, "same_bits", lambda: bool(asked.append(1)))
    monkeypatch.setitem(noise._drawn, "numbers", 0)
    monkeypatch.setattr(noise, "WORTH_COMPILING", 2000)
    for n, expected in ((1000, 0), (999, 0), (1000, 1)):
        noise.normals(np.random.RandomState(3), (n,))
        assert len(asked) == expected


def test_where_the_compiled_numbers_differ_numpy_draws(monkeypatch):
    monkeypatch.setattr(noise, "WORTH_COMPILING", 0)
    monkeypatch.setattr(noise, "same_bits", lambda: False)
    monkeypatch.setattr(noise, "get_kernels", None)
    drawn = noise.normals(np.random.RandomState(3), (noise.LEAST_COMPILED,))
    expected = np.random.RandomState(3).normal(size=noise.LEAST_COMPILED)
    np.testing.assert_array_equal(drawn, expected)


def test_a_word_is_the_one_that_randint_draws():
    fast, plain = np.random.RandomState(3), np.random.RandomState(3)
    for _ in range(1000):
        assert noise.word_of(fast) == plain.randint(0, 2**64, dtype=np.uint64)
    assert fast.random_sample() == plain.random_sample()
    other = np.random.RandomState(np.random.PCG64(3))
    assert noise.word_of(other) == np.random.RandomState(np.random.PCG64(3)).randint(
        0, 2**64, dtype=np.uint64
    )
