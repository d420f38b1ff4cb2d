"""What several of these tests start from."""

import sys
from collections.abc import Iterator

import pytest

from pycog_dgr.kernels import fastest_kernels, get_kernels


@pytest.fixture
def without_numba(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Kernels are chosen as where Numba's cannot be imported."""
    choices = (get_kernels, fastest_kernels)
    monkeypatch.setitem(sys.modules, "pycog_dgr.kernels.recurrence_numba", None)
    for choice in choices:
        choice.cache_clear()
    yield
    for choice in choices:
        choice.cache_clear()
