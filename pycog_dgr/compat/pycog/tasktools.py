"""pycog.tasktools is pycog_dgr.tasktools itself."""

import sys

from pycog_dgr import tasktools

sys.modules[__name__] = tasktools
