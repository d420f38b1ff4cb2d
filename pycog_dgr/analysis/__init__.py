"""What networks do and how: numbers and figures from simulated trials (pycog_dgr.running.trials).

    choices       choices, reaction times, percentages with binomial errors, psychometric fits
    sorting       trials by condition, aligned to an event, averaged
    selectivity   d' of single units
    regression    linear regression of every unit at every time, state-space axes, components
    population    demixed components and decoding across conditions, through scikit-learn
    panels        the panels that figures are made of, in the style of style.py
    decision      figure of the perceptual decisions      context   figure of the mante tasks
    command       what `python examples/analysis/TASK.py RUNFOLDER` does

After Song, Yang & Wang, PLoS Comput. Biol. 12, e1004792 (2016), Figs. 2-9, in our own layout.
Numbers and figures are apart: the first four modules do not import matplotlib.
"""
