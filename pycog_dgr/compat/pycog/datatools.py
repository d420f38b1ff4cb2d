"""pycog.datatools is pycog_dgr.datatools itself."""

import sys

from pycog_dgr import datatools

sys.modules[__name__] = datatools
