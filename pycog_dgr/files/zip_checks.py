"""The digest of a whole zip, in its comment, and what a zip may claim before it is unpacked.

No byte of a file with a digest can change unnoticed. Other programs can make good digests too, so a
directory is believed only as far as the bytes of the file can hold what it claims.
"""

import hashlib
import io
import os
import struct
import zipfile
from typing import IO

MAX_MEMBERS = 10_000  # arrays
HEADER = "header.npy"  # the member with the header
DIGEST_LENGTH = 64  # hexadecimal digits
MARK = b"sha256 "  # begins the comment of the zip
END_OF_ZIP = struct.Struct("<4s4H2LH")  # ends a zip, before its comment
END_MARK, LARGE_ZIP_MARK = b"PK\x05\x06", b"PK\x06\x07"
DEFLATE_RATIO = 1032  # no deflated byte unpacks to more


def add_digest(buffer: io.BytesIO) -> None:
    """Put the SHA-256 of a zip without a comment into its comment."""
    buffer.seek(-2, os.SEEK_END)
    buffer.write((len(MARK) + DIGEST_LENGTH).to_bytes(2, "little") + MARK)
    buffer.write(hashlib.sha256(buffer.getbuffer()).hexdigest().encode())


def has_digest(file: IO[bytes], size: int) -> bool:
    """Whether a zip of `size` bytes ends in a digest of it; ValueError where that is not its own.

    A zip without any comment, as older programs wrote them, has none.
    """
    body = max(0, size - DIGEST_LENGTH)
    file.seek(max(0, body - len(MARK)))
    if file.read(len(MARK)) != MARK:
        file.seek(max(0, size - END_OF_ZIP.size))
        if file.read(len(END_MARK)) != END_MARK:
            raise ValueError("not an npz, or cut short")
        return False
    digest = hashlib.sha256()
    file.seek(0)
    while part := file.read(min(body, 2**20)):
        digest.update(part)
        body -= len(part)
    if digest.hexdigest().encode() != file.read(DIGEST_LENGTH):
        raise ValueError("the digest of its bytes does not match")
    return True


def check_directory(file: IO[bytes], size: int) -> None:
    """ValueError unless a zip of `size` bytes, its comment aside, ends as numpy ends one."""
    start = max(0, size - END_OF_ZIP.size)
    file.seek(max(0, start - 20))
    large = start >= 20 and file.read(4) == LARGE_ZIP_MARK
    file.seek(start)
    mark, *_, entries, length, _, _ = END_OF_ZIP.unpack(file.read(END_OF_ZIP.size))
    if mark != END_MARK or large or entries > MAX_MEMBERS or length > MAX_MEMBERS * 1000:
        raise ValueError("its directory is not one of an npz with so few members")


def claimed_bytes(members: list[zipfile.ZipInfo], size: int) -> int:
    """Bytes that the members unpack to, the header aside, in a file of `size` bytes.

    ValueError where a member claims more than it can hold, or is none of an npz.
    """
    if len({member.filename for member in members}) < len(members):
        raise ValueError("two members of one name")
    for member in members:
        most = member.compress_size
        if member.compress_type == zipfile.ZIP_DEFLATED:
            most *= DEFLATE_RATIO
        elif member.compress_type != zipfile.ZIP_STORED:
            raise ValueError(f"{member.filename[:40]}: compressed in another way than npz")
        if member.file_size > most or member.flag_bits & 1:
            raise ValueError(f"{member.filename[:40]}: claims more than it can hold")
    if sum(member.compress_size for member in members) > size:
        raise ValueError("its members claim more bytes than the file has")
    return sum(member.file_size for member in members if member.filename != HEADER)
