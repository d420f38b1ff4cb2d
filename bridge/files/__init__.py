"""Files: named arrays in archives, weights for other programs, and whole writes."""

from bridge.files import archive
from bridge.files.archive import (
    DamagedError,
    utf8,
    write_json,
    write_whole,
)
from bridge.files.exchange import export, read_export

__all__ = [
    "DamagedError",
    "archive",
    "export",
    "read_export",
    "utf8",
    "write_json",
    "write_whole",
]
