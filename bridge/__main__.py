"""`python -m bridge` is `dgr`."""

import sys

from bridge.cli import main

sys.exit(main())
