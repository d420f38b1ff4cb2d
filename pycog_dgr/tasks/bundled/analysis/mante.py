"""Figure of mante: choices by context, state space, single units, weights.

python examples/analysis/mante.py RUNFOLDER
"""

from pycog_dgr.analysis.figures import context
from pycog_dgr.commands.figure import main

n_trials = 3000  # that the figure wants
draw = context.draw
caption = context.CAPTION

if __name__ == "__main__":
    main(draw, __file__)
