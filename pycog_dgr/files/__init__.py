"""Files on disk: written whole, one process at a time, read without trust.

atomic         written whole or not at all; the file before as PATH.previous
lock           one process at a time, on every file system
npz            named arrays and a header in one file, with a digest of the whole
schema, tree   what a file must hold; nested values that hold arrays
checkpoint     save files of a training              legacy   those of the original pycog
pickle_reader  the original's pickles as plain data; executes nothing
provenance     processor, linear algebra, versions and commit that numbers come from
"""

from pycog_dgr.files import checkpoint, legacy, npz, provenance, schema
from pycog_dgr.files.atomic import (
    keep_previous,
    load_or_previous,
    previous,
    remove_partial_files,
    remove_partial_files_below,
    require_folder,
    write_atomically,
)
from pycog_dgr.files.checkpoint import Best, Checkpoint
from pycog_dgr.files.legacy import is_legacy, open_save
from pycog_dgr.files.lock import lock
from pycog_dgr.files.npz import DamagedError
from pycog_dgr.files.tree import load_tree, save_tree

__all__ = [
    "Best",
    "Checkpoint",
    "DamagedError",
    "checkpoint",
    "is_legacy",
    "keep_previous",
    "legacy",
    "load_or_previous",
    "load_tree",
    "lock",
    "npz",
    "open_save",
    "previous",
    "provenance",
    "remove_partial_files",
    "remove_partial_files_below",
    "require_folder",
    "save_tree",
    "schema",
    "write_atomically",
]
