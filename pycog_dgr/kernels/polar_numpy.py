"""Normal numbers of numpy's RandomState from a state of its generator, by RandomState itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def polar(key: NDArray, position: int, out: NDArray) -> int:
    rng = np.random.RandomState(0)
    rng.set_state(("MT19937", key, position, 0, 0.0))
    out[:] = rng.normal(size=len(out))
    state: Any = rng.get_state(legacy=True)
    key[:] = state[1]
    return state[2]
