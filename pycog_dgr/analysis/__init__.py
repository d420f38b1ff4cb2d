"""What networks do and how: numbers from simulated trials (pycog_dgr.Trials), and figures of them.

    choices       choices, reaction times, percentages with binomial errors, psychometric fits
    sorting       trials by condition, aligned to an event, averaged
    selectivity   d' of single units
    regression    linear regression of every unit at every time, state-space axes, components
    population    demixed components and decoding across conditions, through scikit-learn
    fixed_points  fixed and slow points, Jacobian, stability; through scipy
    figures       the folder of all that draws; only it imports matplotlib

After Song, Yang & Wang, PLoS Comput. Biol. 12, e1004792 (2016), Figs. 2-9.
"""

from importlib import import_module
from types import ModuleType

__all__ = [
    "choices", "figures", "fixed_points", "population", "regression", "selectivity", "sorting",
]  # fmt: skip


def __getattr__(name: str) -> ModuleType:
    """The module `name`, imported when it is first asked for."""
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
