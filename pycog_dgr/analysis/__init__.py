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

import lazy_loader

# Each module is loaded when it is first used.
__getattr__, _, _ = lazy_loader.attach(
    __name__,
    submodules={
        "choices",
        "figures",
        "fixed_points",
        "population",
        "regression",
        "selectivity",
        "sorting",
    },
)

__all__ = [
    "choices", "figures", "fixed_points", "population", "regression", "selectivity", "sorting",
]  # fmt: skip
