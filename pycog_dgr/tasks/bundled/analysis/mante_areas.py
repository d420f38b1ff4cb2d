"""Figure of mante_areas: as of mante, with every task variable in the two areas.

    python examples/analysis/mante_areas.py RUNFOLDER

The sensory area is the one that receives inputs.
"""

import numpy as np

from pycog_dgr.analysis.figures import context
from pycog_dgr.commands.figure import main

n_trials = 3000  # that the figure wants
caption = f"{context.CAPTION} C and J tell the sensory area from the motor area."


def draw(trials, rnn):
    """The figure, with weights sorted by area."""
    sees = rnn.p["Cin"].mask_plastic.any(axis=1)
    areas = {"sensory": np.flatnonzero(sees), "motor": np.flatnonzero(~sees)}
    return context.draw(trials, rnn, areas)


if __name__ == "__main__":
    main(draw, __file__)
