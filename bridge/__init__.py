"""The bridge: numpy batches between the two backends, and generative replay built on them.

    data        images, contexts, Examples         networks    solvers and generators by name
    replay      protocols, and the sequential algorithm    runs        run folders: `dgr reproduce`
    crosscheck  numpy, PyTensor and torch side by side     sweeps      many settings and seeds
    figures, report                                        files       archives of arrays
    thesis      the published numbers                      errors      what is raised on bad input

Importing `bridge` is quick and loads neither PyTensor nor torch; each backend is imported when a
solver or a generator of its kind is first made.
"""

from typing import TYPE_CHECKING

import lazy_loader

# Each module, and what it needs, is loaded when one of its names is first used.
__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submodules={
        "crosscheck",
        "data",
        "errors",
        "figures",
        "files",
        "networks",
        "replay",
        "report",
        "runs",
        "sweeps",
        "thesis",
    },
)

if TYPE_CHECKING:
    from bridge import (
        crosscheck,
        data,
        errors,
        figures,
        files,
        networks,
        replay,
        report,
        runs,
        sweeps,
        thesis,
    )

__all__ = [
    "crosscheck",
    "data",
    "errors",
    "figures",
    "files",
    "networks",
    "replay",
    "report",
    "runs",
    "sweeps",
    "thesis",
]
