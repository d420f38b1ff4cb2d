"""Figure of rdm_dense: psychometric function, single units, d', weights.

python examples/analysis/rdm_dense.py RUNFOLDER
"""

from pycog_dgr.analysis.figures import decision
from pycog_dgr.commands.figure import main

n_trials = 2000  # that the figure wants
draw = decision.draw_fixed_duration
caption = decision.FIXED_DURATION

if __name__ == "__main__":
    main(draw, __file__)
