"""What is drawn from numpy's RandomState in less time: its own numbers, bit for bit."""

import numpy as np
import pytest

from pycog_dgr.data import random_state
from pycog_dgr.kernels import get_kernels


@pytest.mark.parametrize("n", [random_state.LEAST_COMPILED + extra for extra in (0, 1, 70_000)])
@pytest.mark.parametrize("before", ["nothing", "a word", "one of a pair"])
def test_many_numbers_of_the_original_stream_are_numpys_bit_for_bit(before, n, monkeypatch):
    compiled, plain = (np.random.RandomState(3) for _ in range(2))
    for rng in (compiled, plain):
        if before == "a word":
            rng.randint(10, size=3)
        if before == "one of a pair":
            rng.normal()
    monkeypatch.setattr(random_state, "WORTH_COMPILING", 0)
    assert random_state.same_bits()
    for shape in ((n,), (n // 2, 2)):
        np.testing.assert_array_equal(
            random_state.normals(compiled, shape), plain.normal(size=shape)
        )
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
    monkeypatch.setattr(random_state, "same_bits", lambda: bool(asked.append(1)))
    monkeypatch.setitem(random_state._drawn, "numbers", 0)
    monkeypatch.setattr(random_state, "WORTH_COMPILING", 2000)
    for n, expected in ((1000, 0), (999, 0), (1000, 1)):
        random_state.normals(np.random.RandomState(3), (n,))
        assert len(asked) == expected


def test_where_the_compiled_numbers_differ_numpy_draws(monkeypatch):
    monkeypatch.setattr(random_state, "WORTH_COMPILING", 0)
    monkeypatch.setattr(random_state, "same_bits", lambda: False)
    monkeypatch.setattr(random_state, "get_kernels", None)
    drawn = random_state.normals(np.random.RandomState(3), (random_state.LEAST_COMPILED,))
    expected = np.random.RandomState(3).normal(size=random_state.LEAST_COMPILED)
    np.testing.assert_array_equal(drawn, expected)


def test_a_word_is_the_one_that_randint_draws():
    fast, plain = np.random.RandomState(3), np.random.RandomState(3)
    for _ in range(1000):
        assert random_state.word_of(fast) == plain.randint(0, 2**64, dtype=np.uint64)
    assert fast.random_sample() == plain.random_sample()
    other = np.random.RandomState(np.random.PCG64(3))
    assert random_state.word_of(other) == np.random.RandomState(np.random.PCG64(3)).randint(
        0, 2**64, dtype=np.uint64
    )
