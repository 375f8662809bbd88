"""One header block of a tar archive: a short way for what every writer of today writes.

What does not fit it (numbers in base 256, old types, signed checksums) goes through ``tarfile``,
which takes three times as long and gives the same (`tests/protocol/test_tar_header.py`).
"""

from __future__ import annotations

import functools
import struct
import tarfile
from typing import Final, NamedTuple

#: Name, mode, uid, gid, size, time, checksum, type, target, magic to minor number, prefix (pax(1)).
_FIELDS: Final = struct.Struct("100s8s8s8s12s12s8sc100s88s155s12x")
#: The checksum's place, and what eight blanks add up to: it counts itself as those.
_CHECKSUM: Final = slice(148, 156)
_BLANKS: Final = 8 * 0x20
_SHORT: Final = frozenset({tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.XHDTYPE})


class Header(NamedTuple):
    """The fields of a header block that say what a member is."""

    name: str
    mode: int
    uid: int
    gid: int
    size: int
    mtime: int
    type: bytes
    target: str


def read_header(block: bytes) -> Header:
    """Read the 512 bytes of `block`.

    Raises:
        tarfile.HeaderError: They are no header.
    """
    name, *numbers, checksum, kind, target, _, prefix = _FIELDS.unpack(block)
    if kind in _SHORT:
        try:
            mode, uid, gid, size, mtime = [_octal(number) for number in numbers]
            right = _octal(checksum) == sum(block) - sum(block[_CHECKSUM]) + _BLANKS
        except ValueError:
            right = False
        if right:
            path = _text(name)
            if kind == tarfile.DIRTYPE:
                path = path.rstrip("/")
            if prefix[0]:
                path = f"{_text(prefix)}/{path}"
            return Header(path, mode, uid, gid, size, mtime, kind, _text(target))
    info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    return Header(
        name=info.name,
        mode=info.mode,
        uid=info.uid,
        gid=info.gid,
        size=info.size,
        mtime=int(info.mtime),
        type=info.type,
        target=info.linkname,
    )


# Modes, owners and times repeat themselves in a tree.
@functools.lru_cache(maxsize=256)
def _octal(field: bytes) -> int:
    digits = field.rstrip(b"\0 ")
    if not digits.isdigit():
        raise ValueError("no plain octal number")
    return int(digits, 8)


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "surrogateescape")
