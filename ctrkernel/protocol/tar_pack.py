"""The bytes of a tar archive, header by header, so that a tree is packed in constant memory."""

from __future__ import annotations

import functools
import tarfile
from typing import TYPE_CHECKING, Final

from ctrkernel.protocol.tar_stream import BLOCK, Kind, Member

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The two empty blocks that end an archive.
ARCHIVE_END: Final = bytes(2 * BLOCK)

_TYPES = {
    Kind.FILE: tarfile.REGTYPE,
    Kind.FOLDER: tarfile.DIRTYPE,
    Kind.LINK: tarfile.SYMTYPE,
    Kind.HARD_LINK: tarfile.LNKTYPE,
    Kind.FIFO: tarfile.FIFOTYPE,
}
#: What fits into the fields of POSIX's ustar header: names of 100 bytes, numbers in octal digits.
_NAME, _SIZE, _NUMBER, _SECONDS = 100, 8**11, 8**7, 8**11
_SECOND: Final = 1_000_000_000
#: A header before its name and numbers, by type: magic, version, no user, no group, no device.
_TAIL: Final = b"ustar\x0000" + bytes(64) + b"0000000\x000000000\x00" + bytes(167)
#: What the bytes of a header add up to beside its names, numbers and type: its tail, and the
#: checksum, which counts itself as eight blanks (pax(1)).
_FIXED_SUM: Final = sum(_TAIL) + 8 * 0x20


def pack_header(member: Member, *, pax: bool = True) -> bytes:
    """Return the header blocks of `member`.

    Args:
        member: What they describe; its names stand in them as they are.
        pax: Keep nanoseconds, in pax records. Without, GNU's format is written, which busybox
            reads, and the time is cut to whole seconds.

    Raises:
        ValueError: A device: we do not pack them.
    """
    if member.kind not in _TYPES:
        raise ValueError(f"cannot pack a {member.kind.value}")
    seconds, nanoseconds = divmod(member.mtime_ns, _SECOND)
    name = member.name.encode("utf-8", "surrogateescape")
    if member.kind is Kind.FOLDER:
        name += b"/"
    target = member.target.encode("utf-8", "surrogateescape")
    small = (
        len(name) <= _NAME
        and len(target) <= _NAME
        and member.size < _SIZE
        and 0 <= member.uid < _NUMBER
        and 0 <= member.gid < _NUMBER
        and 0 <= seconds < _SECONDS
    )
    # A reader of pax takes a name that is not ASCII from a record; in ustar it has no encoding.
    if small and (not pax or (name + target).isascii()):
        header = _ustar(name, _TYPES[member.kind], member, target, seconds)
        if not (pax and nanoseconds):
            return header
        return _times(seconds, nanoseconds) + header
    info = tarfile.TarInfo(member.name)
    info.type = _TYPES[member.kind]
    info.size = member.size
    info.mode = member.mode
    info.uid, info.gid = member.uid, member.gid
    info.linkname = member.target
    info.mtime = seconds
    if not pax:
        return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
    if nanoseconds and seconds >= 0:
        info.pax_headers = {"mtime": f"{seconds}.{nanoseconds:09d}"}
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def pack_sparse(member: Member, pieces: Sequence[tuple[int, int]]) -> bytes:
    """Return the header blocks and the map of a file with holes; its pieces follow, then padding.

    GNU's sparse format 1.0 ("Storing Sparse Files" in the manual of tar).

    Args:
        member: A file; its size is the whole one.
        pieces: Offset and length of what is no hole, in order.
    """
    numbers = [len(pieces), *(number for piece in pieces for number in piece)]
    sparse_map = b"".join(b"%d\n" % number for number in numbers)
    sparse_map += padding(len(sparse_map))
    seconds, nanoseconds = divmod(member.mtime_ns, _SECOND)
    info = tarfile.TarInfo(f"GNUSparseFile.0/{member.name[-64:]}")
    info.size = len(sparse_map) + sum(length for _, length in pieces)
    info.mode = member.mode
    info.uid, info.gid = member.uid, member.gid
    info.mtime = seconds
    info.pax_headers = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": member.name,
        "GNU.sparse.realsize": str(member.size),
    }
    if nanoseconds and seconds >= 0:
        info.pax_headers["mtime"] = f"{seconds}.{nanoseconds:09d}"
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape") + sparse_map


def padding(size: int) -> bytes:
    """Return the zeros that fill the last block of `size` bytes of content."""
    return bytes(-size % BLOCK)


def _ustar(name: bytes, kind: bytes, member: Member, target: bytes, seconds: int) -> bytes:
    numbers = b"%07o\0%07o\0%07o\0%011o\0%011o\0" % (
        member.mode & 0o7777,
        member.uid,
        member.gid,
        member.size,
        seconds,
    )
    return _joined(name, numbers, kind, target)


def _times(seconds: int, nanoseconds: int) -> bytes:
    record = b"mtime=%d.%09d\n" % (seconds, nanoseconds)
    length = len(record) + 3  # two digits and a blank
    record = b"%d %s" % (length, record)
    return _records_header(length) + record.ljust(BLOCK, b"\0")


@functools.lru_cache(maxsize=16)
def _records_header(length: int) -> bytes:
    numbers = b"0000000\x000000000\x000000000\x00%011o\x0000000000000\x00" % length
    return _joined(b"././@PaxHeader", numbers, tarfile.XHDTYPE, b"")


def _joined(name: bytes, numbers: bytes, kind: bytes, target: bytes) -> bytes:
    """Join a header and put its checksum in."""
    total = sum(name) + sum(numbers) + kind[0] + sum(target) + _FIXED_SUM
    return b"%s%s%06o\0 %s%s%s" % (
        name.ljust(_NAME, b"\0"),
        numbers,
        total,
        kind,
        target.ljust(_NAME, b"\0"),
        _TAIL,
    )
