"""The bytes of a tar archive, header by header, so that a tree is packed in constant memory."""

from __future__ import annotations

import tarfile
from typing import Final

from ctrkernel.protocol.tar_stream import BLOCK, Kind, Member

#: The two empty blocks that end an archive.
ARCHIVE_END: Final = bytes(2 * BLOCK)

_TYPES = {
    Kind.FILE: tarfile.REGTYPE,
    Kind.FOLDER: tarfile.DIRTYPE,
    Kind.LINK: tarfile.SYMTYPE,
    Kind.HARD_LINK: tarfile.LNKTYPE,
    Kind.FIFO: tarfile.FIFOTYPE,
}


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
    info = tarfile.TarInfo(member.name)
    info.type = _TYPES[member.kind]
    info.size = member.size
    info.mode = member.mode
    info.uid, info.gid = member.uid, member.gid
    info.linkname = member.target
    seconds, nanoseconds = divmod(member.mtime_ns, 1_000_000_000)
    info.mtime = seconds
    if not pax:
        return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
    if nanoseconds and seconds >= 0:
        info.pax_headers = {"mtime": f"{seconds}.{nanoseconds:09d}"}
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def padding(size: int) -> bytes:
    """Return the zeros that fill the last block of `size` bytes of content."""
    return bytes(-size % BLOCK)
