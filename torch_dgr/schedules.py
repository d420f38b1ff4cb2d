"""Learning rates over the course of training: what the rate is multiplied by at each step."""

import math
from collections.abc import Callable

__all__ = ["Schedule", "late_decay", "one_cycle"]

Schedule = Callable[[int, int], float]
"""step (from 0) and number of steps to a factor of the learning rate."""

START = 1 / 25  # of the peak
END = START / 1e4


def one_cycle(step: int, steps: int, rise: float = 0.1) -> float:
    """Return a factor that rises from 1/25 to 1 and falls to nearly 0, each along half a cosine.

    rise: the share of the steps before the peak. Source: Smith and Topin 2019, in the form of
    torch.optim.lr_scheduler.OneCycleLR, whose values these are.
    """
    peak = rise * steps - 1
    if step < peak:
        return _cosine(START, 1.0, step / peak)
    return _cosine(1.0, END, (step - peak) / (steps - 1 - peak))


def late_decay(step: int, steps: int, least: float = 0.05) -> float:
    """Return 1 for the first half of the steps, then a line that falls to `least`."""
    return max(least, min(1.0, 2 - 2 * step / steps))


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
