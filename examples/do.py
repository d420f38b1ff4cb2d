"""What pycog users know: do something with a task of examples/tasks, or with any model file.

    python examples/do.py TASK train | run | trials | costs | structure | restingstate | figure |
                               clean [--seed --dt --dt-save --trials ...]

    python examples/do.py rdm_fixed train --seed 1
    python examples/do.py rdm_fixed run --trials 4 --dt 2
    python examples/do.py path/to/my_task.py costs

`all`, also what a task file does when it is run by itself, trains, simulates trials and draws the
task's figure. See `python examples/do.py --help`; what is written, and where, stands in
pycog_dgr/commands/taskrun.py.
"""

from pathlib import Path

from pycog_dgr.commands import do

if __name__ == "__main__":
    do(Path(__file__).parent / "tasks")
