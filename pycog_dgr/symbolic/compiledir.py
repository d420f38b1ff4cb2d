"""Where PyTensor keeps what it compiles: under the home folder, or elsewhere where that cannot be.

Only the backend 'scan' compiles anything, one small C file, but PyTensor asks for the home folder
as soon as it is imported. Imports PyTensor only where that takes a hand.
"""

import atexit
import logging
import os
import shutil
import tempfile
from pathlib import Path

logger = logging.getLogger(__name__)


def import_pytensor_without_home() -> None:
    """Where this user has no home folder, import PyTensor with a temporary one."""
    try:
        Path.home()
    except RuntimeError:
        os.environ["HOME"] = _temporary_folder()
        try:
            import pytensor  # noqa: F401
        finally:
            del os.environ["HOME"]


def require_compiledir() -> None:
    """Have PyTensor use a temporary folder where it cannot make its own."""
    import pytensor

    try:
        _ = pytensor.config.compiledir
    except (ValueError, OSError) as error:
        folder = Path(_temporary_folder())
        pytensor.config.compiledir = folder
        logger.info(
            "%s; until this process ends, PyTensor keeps what it compiles in %s: name a lasting "
            "place by PYTENSOR_FLAGS=base_compiledir=FOLDER", str(error).splitlines()[0], folder,
        )  # fmt: skip


def _temporary_folder() -> str:
    folder = tempfile.mkdtemp(prefix="pytensor-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
