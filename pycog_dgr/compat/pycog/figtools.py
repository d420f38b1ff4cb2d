"""pycog.figtools: ours, with the names that scripts take from it besides."""

import matplotlib as mpl
import matplotlib.pyplot as plt

from pycog_dgr.compat.mlab import PCA
from pycog_dgr.figtools import Figure, Subplot, Subplot3D, apply_alpha, colors, gradient

__all__ = [
    "PCA",
    "Figure",
    "Subplot",
    "Subplot3D",
    "apply_alpha",
    "colors",
    "gradient",
    "mpl",
    "plt",
]
