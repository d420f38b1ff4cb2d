"""`python -m pycog_dgr.commands TASK.py ACTION`: what `python TASK.py ACTION` does."""

import sys

from pycog_dgr.commands.task import main

if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python -m pycog_dgr.commands TASK.py [ACTION] [options]")
    main(sys.argv[1], sys.argv[2:])
