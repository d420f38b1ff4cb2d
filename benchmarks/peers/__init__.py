"""The same train step by other means.

A peer is a function `start(workload) -> Peer`; it raises Unavailable, in words for the reader of a
table, where this machine lacks what it needs. `update` trains on one batch of numpy arrays and
returns once the parameters have changed; preparing, compiling included, happens before or in the
first update, which nobody times.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from pycog_dgr.data import Batch


class Unavailable(Exception):
    """This machine lacks what a peer needs; the message says what."""


class Report(NamedTuple):
    """What an update saw before it changed the parameters."""

    loss: float
    gnorm: float  # of the gradient with Omega's term, before clipping
    Omega: float


class Peer(NamedTuple):
    """A network that trains."""

    update: Callable[[Batch], Report]
    parameters: Callable[[], dict[str, np.ndarray]]  # raw Win, Wrec, Wout, x0, copied
