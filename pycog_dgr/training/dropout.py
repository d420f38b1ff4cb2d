"""Recurrent dropout: at every update other units send nothing to the rest of the network.

    keep_i ~ Bernoulli(1 - p),  drawn anew for every update, the same for all its steps and trials
    Wrec   <- Wrec diag(keep / (1 - p))              the effective matrix, hence Dale's law holds

A dropped unit receives its input and is read out, but no recurrent unit receives its rate; dividing
by 1 - p leaves the expected recurrent current as it is, so that nothing is scaled when the network
is evaluated or run ("inverted" dropout). Sources: N. Srivastava et al., J. Mach. Learn. Res. 15,
1929 (2014); one mask for all time steps: Y. Gal and Z. Ghahramani (2016), arXiv:1512.05287. The
code beside the thesis (A. Prasad 2020) drew one mask for a whole training, set the rows of Wrec to
zero with its columns, scaled nothing, and left Wout alone; so Wout is left alone here.

| symbol | name                              | shape | unit |
|--------|-----------------------------------|-------|------|
| p      | probability that a unit is dropped |      | 1    |
| keep   | 0 where a unit is dropped, else 1 | (N,)  | 1    |
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.errors import SettingError


@dataclass(frozen=True)
class RecurrentDropout:
    """Drop each recurrent unit with probability `p` during an update.

    The mask of an update is a function of `seed` and of the number of masks drawn before it, so
    that this number alone is what a training has to remember.

    Parameters
    ----------
    p : float
        At least 0, below 1.
    seed : int
        Of the masks, at least 0.

    Raises
    ------
    SettingError
        For a value that is none of these.
    """

    p: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.p, (bool, str)) or not 0 <= self.p < 1:
            raise SettingError(f"dropout p must be at least 0 and below 1, not {self.p!r}")
        if isinstance(self.seed, bool) or not isinstance(self.seed, (int, np.integer)):
            raise SettingError(f"dropout seed must be a whole number, not {self.seed!r}")
        if self.seed < 0:
            raise SettingError(f"dropout seed must be at least 0, not {self.seed}")

    def mask(self, N: int, drawn: int) -> NDArray:
        """Keep / (1 - p), (N,), of the update before which `drawn` masks were drawn."""
        keep = np.random.default_rng([self.seed, drawn]).random(N) >= self.p
        return keep / (1 - self.p)
