"""The command lines of tasks: `python TASK.py`, do.py, and the figure of a run folder.

These modules alone print, and draw progress bars; what they call logs and raises.
"""

from pycog_dgr.commands.arguments import Parser, milliseconds, whole
from pycog_dgr.commands.task import do, main

__all__ = ["Parser", "do", "main", "milliseconds", "whole"]
