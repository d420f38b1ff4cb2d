"""Files with a good digest, whatever they hold: what a forger, or another program, could write."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pycog_dgr.files import zip_checks


def sealed(data: bytes) -> bytes:
    """A zip with the digest of its bytes, in the place of one that it may have."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        for member in old.infolist():
            new.writestr(member, old.read(member), member.compress_type)
    zip_checks.add_digest(buffer)
    return buffer.getvalue()


def members_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def resealed(path: Path, change: Callable[[dict[str, bytes]], Any]) -> None:
    """Rewrite an npz with its members changed by change(name -> bytes), and seal it."""
    members = members_of(path)
    change(members)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    path.write_bytes(sealed(buffer.getvalue()))


def npy(array: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asarray(array), **options)
    return buffer.getvalue()


def header_of(members: dict[str, bytes]) -> dict[str, Any]:
    return json.loads(np.load(io.BytesIO(members["header.npy"])).tobytes())


def with_header(members: dict[str, bytes], **entries: Any) -> None:
    """Change entries of an npz's JSON header: kind, format, metadata."""
    text = json.dumps(header_of(members) | entries).encode()
    members["header.npy"] = npy(np.frombuffer(text, np.uint8))
