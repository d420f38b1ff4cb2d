"""Learning rates over the course of training: what the rate is multiplied by at each step."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from torch_dgr.errors import SettingError, StateError, shown

__all__ = ["SCHEDULES", "Position", "Schedule", "constant", "late_decay", "one_cycle"]

Schedule = Callable[[int, int], float]
"""step (from 0) and number of steps to a factor of the learning rate."""

START = 1 / 25  # of the peak
END = START / 1e4


def constant(step: int, steps: int) -> float:
    """Return 1."""
    return 1.0


def one_cycle(step: int, steps: int, rise: float = 0.25) -> float:
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


SCHEDULES: dict[str, Schedule] = {
    "constant": constant,
    "one_cycle": one_cycle,
    "late_decay": late_decay,
}


@dataclass
class Position:
    """How far the training of a context has come, in iterations (batches)."""

    iterations: int  # in all
    done: int = 0

    @property
    def finished(self) -> bool:
        """Whether none is left."""
        return self.done == self.iterations

    def check(self, iterations: int) -> None:
        """Raise SettingError where fewer iterations are left."""
        left = self.iterations - self.done
        if iterations > left:
            raise SettingError(
                f"iterations is {iterations}, but the context under way has {left} of "
                f"{self.iterations} left: give at most {left}, or begin_context"
            )

    def arrays(self) -> dict[str, np.ndarray]:
        """Return both numbers by name."""
        return {"iterations": np.array(self.iterations), "done": np.array(self.done)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Position":
        """Return the position of `arrays`; StateError where it is none."""
        found = {}
        for name in ("iterations", "done"):
            value = np.asarray(arrays[name])
            if value.ndim != 0 or value.dtype.kind not in "iu" or value < 0:
                raise StateError(
                    f"{name} of the context is {shown(value)}; a whole number of at least 0 "
                    "expected"
                )
            found[name] = int(value)
        if found["done"] > found["iterations"]:
            raise StateError(
                f"the state says that {found['done']} of {found['iterations']} iterations are done"
            )
        return cls(**found)


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
