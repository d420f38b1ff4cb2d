"""`import torchvision` where its compiled operators cannot be loaded.

The wheels of torchvision on PyPI are built for CUDA. Beside a CPU torch their compiled library
does not load; torchvision tolerates that, but from 0.28 on goes on to describe two of the
missing operators (`nms`, `qnms`, box suppression) to torch, which refuses operators that it has
never heard of, and the import fails. Naming the two beforehand is enough: data sets and
transforms, all that this project needs, are plain Python. Where the import works by itself, as
beside a CUDA torch, nothing is declared and the compiled operators are the real ones.
"""

import functools
import importlib
import logging
import sys
from types import ModuleType

import torch

from torch_dgr.errors import TorchDgrError

__all__ = [
    "BOX_SUPPRESSION",
    "SIGNATURE",
    "import_torchvision",
]

logger = logging.getLogger(__name__)

BOX_SUPPRESSION = ("nms", "qnms")
SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def import_torchvision() -> ModuleType:
    """Return the module torchvision, also beside a torch that cannot load its compiled part.

    Raises TorchDgrError where torchvision is not installed, or fails for another reason.
    """
    try:
        return importlib.import_module("torchvision")
    except ModuleNotFoundError as error:
        raise TorchDgrError(
            f"torchvision could not be imported ({error}): pip install 'dgr[mnist]', "
            "or use the embedded data, which does not need it"
        ) from error
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise TorchDgrError(
                f"torchvision could not be imported beside torch {torch.__version__} ({error}): "
                "install the two versions that belong together"
            ) from error
        logger.info(
            "torchvision without its compiled operators, beside torch %s", torch.__version__
        )
    _forget_half_imported_modules()
    _declare_box_suppression()
    return importlib.import_module("torchvision")


def _forget_half_imported_modules() -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]


@functools.cache
def _declare_box_suppression() -> torch.library.Library:
    """Declare the missing operators, without a kernel: calling one is still torch's own error.

    The cache keeps the library alive: torch forgets a library's operators when it is collected.
    """
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in BOX_SUPPRESSION:
        if not hasattr(torch.ops.torchvision, name):
            library.define(name + SIGNATURE)
    return library
