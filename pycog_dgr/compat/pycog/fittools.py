"""pycog.fittools is pycog_dgr.fittools itself."""

import sys

from pycog_dgr import fittools

sys.modules[__name__] = fittools
