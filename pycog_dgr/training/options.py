"""A classifier's options by name: optimiser, learning-rate schedule, initial weights.

| optimiser        | step                                                                    |
|------------------|-------------------------------------------------------------------------|
| sgd              | learning_rate g, the thesis' text                                       |
| adam             | Adam with epsilon 1e-5, the thesis' disabled block                      |
| projected_adam   | Adam with epsilon 1e-8; raw weights stay at 1e-6 or above (Dale's law)  |

| schedule         | factor of the step                                                      |
|------------------|-------------------------------------------------------------------------|
| constant         | 1                                                                       |
| one_cycle        | optimisers.one_cycle, over the updates that begin_context says          |

| initialisation   | settings                                                                |
|------------------|-------------------------------------------------------------------------|
| thesis           | those of the package                                                    |
| spectrum_matched | network.spectrum_matched_settings                                       |
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import ArrayLike

from pycog_dgr.config import suggestion
from pycog_dgr.errors import SettingError
from pycog_dgr.network import spectrum_matched_settings
from pycog_dgr.symbolic.optimisers import (
    Transform,
    adam,
    chain,
    keep_at_least,
    one_cycle,
    path_integral,
    sgd,
)

THESIS_EPSILON = 1e-5  # of Adam
EPSILON = 1e-8  # of Adam, as it is published
LEAST_WEIGHT = 1e-6

OPTIMISERS: dict[str, Callable[[float], tuple[Transform, ...]]] = {
    "sgd": lambda rate: (sgd(rate),),
    "adam": lambda rate: (adam(rate, epsilon=THESIS_EPSILON),),
    "projected_adam": lambda rate: (adam(rate, epsilon=EPSILON),),
}
PROJECTIONS: dict[str, tuple[Transform, ...]] = {
    "projected_adam": (keep_at_least(LEAST_WEIGHT, "Win", "Wrec", "Wout"),)
}
SCHEDULES: dict[str, tuple[Transform, ...]] = {"constant": (), "one_cycle": (one_cycle(),)}
INITIALISATIONS: dict[str, Callable[..., dict[str, Any]]] = {
    "thesis": lambda Nin, N, Nout, ei: {},
    "spectrum_matched": spectrum_matched_settings,
}


def make_optimiser(
    name: str,
    learning_rate: float,
    schedule: str = "constant",
    has_dale: bool = True,
    track_path: bool = False,
) -> Transform:
    """The chain of transforms of an optimiser and a schedule; SettingError for other names."""
    check_name("optimiser", name, OPTIMISERS)
    check_name("schedule", schedule, SCHEDULES)
    last = PROJECTIONS.get(name, ()) if has_dale else ()  # of what the schedule left of the step
    made = chain(*OPTIMISERS[name](learning_rate), *SCHEDULES[schedule], *last)
    return path_integral(made) if track_path else made


def initial_settings(
    name: str, Nin: int, N: int, Nout: int, ei: ArrayLike | None
) -> dict[str, Any]:
    """The settings of an initialisation for a network of these sizes; SettingError for no name."""
    check_name("initialisation", name, INITIALISATIONS)
    return INITIALISATIONS[name](Nin, N, Nout, ei)


def check_name(option: str, name: str, known: dict[str, Any]) -> None:
    """SettingError unless `name` is one of the known ones."""
    if name not in known:
        names = ", ".join(map(repr, known))
        raise SettingError(
            f"{option} must be one of {names}, not {name!r}{suggestion(name, known)}"
        )
