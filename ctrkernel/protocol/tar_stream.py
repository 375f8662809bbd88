"""A tar archive as it arrives, in pieces of any size: a parser without I/O for hostile input.

The format is POSIX pax and its older kin (ustar, GNU): see pax(1) and the Go package
``archive/tar``, which the engines write with. What neither the engines nor tar write for a file
system tree (sparse maps, multi-volume parts, unknown types) is refused, not guessed. Which
names are acceptable is decided here too: :func:`split_name`.

One header block at a time is read by :mod:`.tar_header`; the stream reader of ``tarfile`` is not
used, because its handling of sizes and names has had holes (CVE-2025-8194, CVE-2025-4517).
"""

from __future__ import annotations

import enum
import tarfile
from dataclasses import dataclass
from typing import Final

from ctrkernel.protocol.tar_header import Header, read_header

#: Bytes of a tar block.
BLOCK: Final = 512
#: Bytes that an extended header may have: a path and a link of 4,096 bytes each, times a margin.
EXTENDED_LIMIT: Final = 1024 * 1024
#: Bytes of one :class:`Data` event at most.
DATA_LIMIT: Final = 1024 * 1024
#: pax records that change what a member is in ways that we do not follow.
_SPARSE_PREFIX = "GNU.sparse."


class TarError(ValueError):
    """The stream is no tar archive, or one that must not be unpacked."""


class Kind(enum.Enum):
    """What a member is."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    HARD_LINK = "hard link"
    FIFO = "fifo"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Member:
    """The header of one member.

    Args:
        name: As it stands in the archive; undecodable bytes are surrogates.
        kind: What it is.
        size: Bytes of :class:`Data` that follow; 0 for all but files.
        mode: Permission bits, set-id bits included.
        mtime_ns: Modification time in nanoseconds since 1970.
        target: Where a link points; for a hard link the name of another member.
        uid: The owner's number.
        gid: The group's number.
    """

    name: str
    kind: Kind
    size: int
    mode: int
    mtime_ns: int
    target: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Data:
    """A piece of the content of the file whose :class:`Member` came last."""

    data: bytes


@dataclass(frozen=True, slots=True)
class FileEnd:
    """The content of the last file is complete."""


@dataclass(frozen=True, slots=True)
class ArchiveEnd:
    """The archive is complete; what follows is padding."""


@dataclass(frozen=True, slots=True)
class NeedData:
    """Nothing more can be said before :meth:`TarStream.receive_data`."""


Event = Member | Data | FileEnd | ArchiveEnd | NeedData

_NEED_DATA = NeedData()
_FILE_END = FileEnd()
_EMPTY = bytes(BLOCK)
_KINDS = {
    tarfile.REGTYPE: Kind.FILE,
    tarfile.AREGTYPE: Kind.FILE,
    tarfile.CONTTYPE: Kind.FILE,
    tarfile.DIRTYPE: Kind.FOLDER,
    tarfile.SYMTYPE: Kind.LINK,
    tarfile.LNKTYPE: Kind.HARD_LINK,
    tarfile.FIFOTYPE: Kind.FIFO,
    tarfile.CHRTYPE: Kind.DEVICE,
    tarfile.BLKTYPE: Kind.DEVICE,
}
_EXTENDED = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)


class TarStream:
    """Turn the bytes of an archive into events.

    Feed it with :meth:`receive_data`, ask with :meth:`next_event` until it answers
    :class:`NeedData`; tell it the end with :meth:`receive_eof`.
    """

    def __init__(self) -> None:
        #: Whether the blocks came that end an archive, and not just the stream's end.
        self.terminated = False
        self._buffer = bytearray()
        #: The piece that came last, while it is nothing but content: a large file is not copied.
        self._fresh = b""
        self._eof = False
        self._ended = False
        self._in_file = False
        self._left = 0  # bytes of content still to come
        self._padding = 0  # bytes to drop before the next header
        self._extended: tuple[bytes, int] | None = None  # type and size of a header being read
        self._records: dict[str, str] = {}  # what extended headers say of the next member

    def receive_data(self, data: bytes) -> None:
        """Take the next piece of the stream."""
        if self._ended:
            return
        if self._in_file and not self._buffer and not self._fresh:
            self._fresh = data
            return
        self._merge()
        self._buffer += data

    def receive_eof(self) -> None:
        """Take note that nothing more comes."""
        self._eof = True

    @property
    def content_left(self) -> int:
        """Bytes of content that have not come and may be taken past the parser, if any."""
        waiting = self._in_file and not self._buffer and not self._fresh
        return self._left if waiting else 0

    def pass_over(self, count: int) -> None:
        """Take note that `count` bytes of :attr:`content_left` went past."""
        if count > self.content_left:
            raise ValueError("no such content is expected")
        self._left -= count

    def next_event(self) -> Event:
        """Say what comes next.

        Raises:
            TarError: The stream is damaged, ends early, or holds what we refuse.
        """
        while True:
            if self._ended:
                return ArchiveEnd()
            if self._in_file:
                return self._content()
            if not self._drop_padding():
                return self._need_data()
            if self._extended is not None:
                if not self._read_extended():
                    return self._need_data()
            elif len(self._buffer) >= BLOCK:
                block = bytes(self._buffer[:BLOCK])
                del self._buffer[:BLOCK]
                member = self._header(block)
                if member is not None:
                    return member
            elif self._eof and not self._buffer and not self._records:
                # Some writers leave the two empty blocks out; GNU tar accepts that too.
                self._ended = True
            else:
                return self._need_data()

    def _drop_padding(self) -> bool:
        if not self._padding:
            return True
        dropped = min(self._padding, len(self._buffer))
        del self._buffer[:dropped]
        self._padding -= dropped
        return not self._padding

    def _need_data(self) -> Event:
        if self._eof:
            raise TarError("the archive ends early")
        return _NEED_DATA

    def _content(self) -> Event:
        if not self._left:
            self._in_file = False
            self._merge()
            return _FILE_END
        if self._fresh and len(self._fresh) <= self._left:
            piece, self._fresh = self._fresh, b""
            self._left -= len(piece)
            return Data(piece)
        self._merge()
        if not self._buffer:
            return self._need_data()
        with memoryview(self._buffer) as view:
            piece = bytes(view[: min(self._left, DATA_LIMIT)])
        del self._buffer[: len(piece)]
        self._left -= len(piece)
        return Data(piece)

    def _merge(self) -> None:
        if self._fresh:
            self._buffer += self._fresh
            self._fresh = b""

    def _header(self, block: bytes) -> Member | None:
        """Read a header block; None if it was an extended header or the end."""
        if block == _EMPTY:
            self._ended = self.terminated = True
            self._buffer.clear()
            return None
        try:
            info = read_header(block)
        except tarfile.HeaderError as error:
            raise TarError(f"the archive is damaged: {error}") from error
        if info.size < 0:
            raise TarError("a member has a negative size")
        if info.type in _EXTENDED:
            if info.size > EXTENDED_LIMIT:
                raise TarError(f"an extended header has {info.size} bytes")
            self._extended = (info.type, info.size)
            return None
        kind = _KINDS.get(info.type)
        if kind is None:
            raise TarError(f"a member has the unknown type {info.type!r}")
        member = self._member(info, kind)
        self._records = {}
        # Other kinds have no content, whatever size they state: Go's archive/tar reads so too.
        if kind is Kind.FILE:
            self._in_file = True
            self._left = member.size
            self._padding = -member.size % BLOCK
        return member

    def _member(self, info: Header, kind: Kind) -> Member:
        records = self._records
        if any(key.startswith(_SPARSE_PREFIX) for key in records):
            raise TarError("a member is stored as a sparse file")
        mtime = records.get("mtime")
        name = records.get("path", info.name)
        if kind is Kind.FOLDER:
            name = name.rstrip("/") or name
        return Member(
            name=name,
            kind=kind,
            size=_number(records.get("size"), info.size) if kind is Kind.FILE else 0,
            mode=info.mode & 0o7777,
            mtime_ns=info.mtime * 1_000_000_000 if mtime is None else _nanoseconds(mtime),
            target=records.get("linkpath", info.target),
            uid=_number(records.get("uid"), info.uid),
            gid=_number(records.get("gid"), info.gid),
        )

    def _read_extended(self) -> bool:
        assert self._extended is not None
        kind, size = self._extended
        if len(self._buffer) < size:
            return False
        content = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._padding = -size % BLOCK
        self._extended = None
        if kind == tarfile.GNUTYPE_LONGNAME:
            self._records.setdefault("path", _text(content.split(b"\0", 1)[0]))
        elif kind == tarfile.GNUTYPE_LONGLINK:
            self._records.setdefault("linkpath", _text(content.split(b"\0", 1)[0]))
        elif kind != tarfile.XGLTYPE:
            # A global header speaks for all that follow: no writer of trees needs that, and
            # it could rename everything. It is read over.
            self._records.update(_pax_records(content))
        return True


def split_name(name: str) -> tuple[str, ...]:
    """Split a member's name into the parts of a path below the destination.

    ``./a//b/`` is ``("a", "b")``, and ``./`` is ``()``.

    Raises:
        TarError: The name is absolute, climbs with ``..``, or holds a NUL.
    """
    if name.startswith("/"):
        raise TarError(f"a member's name is absolute: {name!r}")
    parts = tuple(part for part in name.split("/") if part not in {"", "."})
    if ".." in parts:
        raise TarError(f"a member's name leaves the destination: {name!r}")
    if "\0" in name:
        raise TarError(f"a member's name holds a NUL: {name!r}")
    return parts


def _pax_records(content: bytes) -> dict[str, str]:
    """Read records of the form ``length key=value newline`` (pax(1), extended header)."""
    records = {}
    at = 0
    while at < len(content):
        blank = content.find(b" ", at, at + 20)
        digits = content[at:blank]
        if blank < 0 or not digits.isdigit():
            raise TarError("an extended header is damaged")
        end = at + int(digits)
        record = content[blank + 1 : end]
        key, equals, value = record.partition(b"=")
        if end > len(content) or not equals or not record.endswith(b"\n"):
            raise TarError("an extended header is damaged")
        records[_text(key)] = _text(value[:-1])
        at = end
    return records


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _number(value: str | None, default: int) -> int:
    if value is None:
        return default
    if not (value.isascii() and value.isdigit() and len(value) <= 20):  # noqa: PLR2004 - 2**64 has 20 digits
        raise TarError(f"an extended header holds no number: {value[:40]!r}")
    return int(value)


def _nanoseconds(value: str) -> int:
    """Read a pax time, seconds with a fraction of any length, without losing digits."""
    whole, _, fraction = value.partition(".")
    digits = whole.removeprefix("-")
    if not (digits.isdigit() and digits.isascii() and len(digits) <= 20):  # noqa: PLR2004 - as above
        raise TarError(f"an extended header holds no time: {value[:40]!r}")
    if fraction and not (fraction.isdigit() and fraction.isascii()):
        raise TarError(f"an extended header holds no time: {value[:40]!r}")
    magnitude = int(digits) * 1_000_000_000 + int(fraction[:9].ljust(9, "0"))
    return -magnitude if whole.startswith("-") else magnitude
