"""Figures from simulated trials and trained networks: the half of analysis that needs matplotlib.

    panels     the panels that figures are made of     style     sizes, fonts, colours
    decision   figure of the perceptual decisions      context   figure of the mante tasks
    trials     a few trials; a network without input   network   training history and weights

After Song, Yang & Wang, PLoS Comput. Biol. 12, e1004792 (2016), Figs. 2-9, in a layout of our own.
"""

__all__ = ["context", "decision", "network", "panels", "style", "trials"]
