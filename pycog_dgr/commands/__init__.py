"""The command lines of tasks: `python TASK.py`, do.py, and the figure of a run folder.

These modules alone print, and draw progress bars; what they call logs and raises.
"""

from typing import TYPE_CHECKING

import lazy_loader

# The parser alone is needed to show --help: a module is loaded when one of its names is first used.
__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={"arguments": ["Parser", "milliseconds", "whole"], "task": ["do", "main"]},
)

if TYPE_CHECKING:
    from pycog_dgr.commands.arguments import Parser, milliseconds, whole
    from pycog_dgr.commands.task import do, main

__all__ = ["Parser", "do", "main", "milliseconds", "whole"]
