"""Trees on this machine, and content in memory, as one tar stream in constant memory."""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from ctrkernel.errors import one_line
from ctrkernel.protocol.tar_pack import ARCHIVE_END, pack_header, pack_sparse, padding
from ctrkernel.protocol.tar_stream import BLOCK, Kind, Member
from ctrkernel.transfer.holes import data_in
from ctrkernel.transfer.placement import above
from ctrkernel.transfer.tree import changed, read_link, unreadable, walk, without_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ctrkernel.transfer.options import Mode
    from ctrkernel.transfer.tree import Content, Found, Root

#: Bytes of a file that are read at once; of a larger one the pieces go without being read.
READ_SIZE: Final = 256 * 1024

_KINDS = {
    stat.S_IFREG: Kind.FILE,
    stat.S_IFDIR: Kind.FOLDER,
    stat.S_IFLNK: Kind.LINK,
    stat.S_IFIFO: Kind.FIFO,
}


class Digest(Protocol):
    """A checksum being computed, as hashlib has them."""

    def update(self, data: bytes, /) -> None:
        """Take the next bytes."""

    def hexdigest(self) -> str:
        """Return it in hexadecimal."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much there is to pack.

    Args:
        files: Regular files; of hard links each name.
        bytes: Of content that travels; of hard links once, of holes nothing.
        entries: Folders and links too.
        weight: Bytes as a listing shows them: each name's whole size.
        sparse: Files with holes.
    """

    files: int
    bytes: int
    entries: int = 0
    weight: int = 0
    sparse: int = 0


@dataclass(frozen=True, slots=True)
class FileSlice:
    """A piece of a file that is not read here; the descriptor is closed with the next chunk."""

    descriptor: int
    size: int
    path: str


class Packer:
    """The archive of some sources.

    Args:
        roots: The sources.
        stage: A folder that the archive makes first, and in which all of it lies; None for none.
        owner: The uid and gid of everything; None keeps what the files have.
        mode: What permissions become; None keeps them.
        pax: Keep nanoseconds; see :func:`~ctrkernel.protocol.tar_pack.pack_header`.
        sparse: Leave holes out, in GNU's format.
        wanted: Says of a name in the archive, without the stage, whether it is packed.
        digest: Makes a checksum for each file; None for none.
    """

    def __init__(
        self,
        roots: Sequence[Root],
        *,
        stage: str | None = None,
        owner: tuple[int, int] | None = None,
        mode: Mode | None = None,
        pax: bool = True,
        sparse: bool = False,
        wanted: Callable[[Found], bool] | None = None,
        digest: Callable[[], Digest] | None = None,
    ) -> None:
        self._roots = roots
        self._prefix = f"{stage}/" if stage is not None else ""
        self._owner = owner
        self._mode = mode
        self._pax = pax
        self._sparse = sparse
        self._wanted = wanted
        self._digest = digest
        #: What was left out, and why.
        self.notes: list[str] = []
        #: What was packed so far; all of it at the end.
        self.packed = Extent(files=0, bytes=0)
        #: The checksum of each file, by its name without the stage.
        self.digests: dict[str, str] = {}

    def measure(self) -> Extent:
        """Count files and bytes; finds a folder that cannot be read before anything is sent.

        Raises:
            TransferError: A folder cannot be read.
        """
        files = size = entries = weight = sparse = 0
        linked: set[tuple[int, int]] = set()
        for root in self._roots:
            if root.content is not None:
                files, entries = files + 1, entries + 1
                size, weight = size + len(root.content.data), weight + len(root.content.data)
        for found in self.walk():
            entries += 1
            status = found.status
            if not stat.S_ISREG(status.st_mode):
                continue
            files += 1
            weight += status.st_size
            if status.st_nlink > 1:
                inode = (status.st_dev, status.st_ino)
                if inode in linked:
                    continue
                linked.add(inode)
            size += status.st_size
            sparse += _may_be_sparse(status)
        return Extent(files=files, bytes=size, entries=entries, weight=weight, sparse=sparse)

    def chunks(self) -> Iterator[tuple[bytes | FileSlice, int]]:
        """Yield the archive piece by piece, each with the bytes of file content in it.

        Raises:
            TransferError: A file cannot be read, or changed while it was read.
        """
        self.notes.clear()
        self.digests.clear()
        self.packed = Extent(files=0, bytes=0)
        if beginning := self._beginning():
            yield beginning, 0
        for root in self._roots:
            if root.content is not None:
                yield from self._content(root.name or "", root.content)
        linked: dict[tuple[int, int], str] = {}
        for found in self.walk():
            status = found.status
            kind = _KINDS.get(stat.S_IFMT(status.st_mode))
            if kind is None:
                self.notes.append(f"left out {one_line(found.path)}: a socket or a device")
                continue
            if kind is not Kind.FILE:
                target = read_link(found.path) if kind is Kind.LINK else ""
                yield self._header(found.name, kind, status, target=target), 0
                continue
            if status.st_nlink > 1:
                inode = (status.st_dev, status.st_ino)
                if inode in linked:
                    target = self._prefix + linked[inode]
                    yield self._header(found.name, Kind.HARD_LINK, status, target=target), 0
                    self._count(status.st_size, 0)
                    if self._digest is not None:
                        self.digests[found.name] = self.digests[linked[inode]]
                    continue
                linked[inode] = found.name
            yield from self._file(found.path, found.name)
        yield ARCHIVE_END, 0

    def walk(self) -> Iterator[Found]:
        """Yield what is packed, folders before what is in them."""
        return walk(self._roots, self._wanted)

    def _beginning(self) -> bytes:
        """Return the headers of the folders that all of it lies in."""
        made = [self._folder(self._prefix[:-1], 0o700)] if self._prefix else []
        names = [root.name for root in self._roots]
        made += [self._folder(self._prefix + name, 0o755) for name in above(names)]
        return b"".join(made)

    def _file(self, path: str, name: str) -> Iterator[tuple[bytes | FileSlice, int]]:
        # O_NONBLOCK and O_NOFOLLOW: whoever owns the tree may swap a file for a fifo or a link.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = os.open(path, flags)
        except OSError as error:
            raise unreadable(path, error) from error
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise changed(path)
            if not found.st_size and os.read(descriptor, 1):
                raise without_size(path)
            if self._sparse and _may_be_sparse(found):
                yield from self._sparse_file(descriptor, path, name, found)
            else:
                yield self._header(name, Kind.FILE, found, size=found.st_size), 0
                yield from self._read(descriptor, path, name, found.st_size)
                if found.st_size % BLOCK:
                    yield padding(found.st_size), 0
            self._count(found.st_size, found.st_size)
        except OSError as error:
            raise unreadable(path, error) from error
        finally:
            os.close(descriptor)

    def _read(
        self, descriptor: int, path: str, name: str, size: int
    ) -> Iterator[tuple[bytes | FileSlice, int]]:
        if self._digest is None and size > READ_SIZE:
            yield FileSlice(descriptor, size, path), size
            return
        digest = self._digest() if self._digest is not None else None
        left = size
        while left:
            data = os.read(descriptor, min(left, READ_SIZE))
            if not data:
                raise changed(path)
            left -= len(data)
            if digest is not None:
                digest.update(data)
            yield data, len(data)
        if digest is not None:
            self.digests[name] = digest.hexdigest()

    def _sparse_file(
        self, descriptor: int, path: str, name: str, found: os.stat_result
    ) -> Iterator[tuple[bytes | FileSlice, int]]:
        pieces = data_in(descriptor, found.st_size)
        member = self._member(self._prefix + name, Kind.FILE, found, size=found.st_size)
        yield pack_sparse(member, pieces), 0
        total = at = 0
        digest = self._digest() if self._digest is not None else None
        for offset, length in pieces:
            os.lseek(descriptor, offset, os.SEEK_SET)
            if digest is None:
                yield FileSlice(descriptor, length, path), length
            else:
                _add_zeros(digest, offset - at)
                left = length
                while left:
                    data = os.read(descriptor, min(left, READ_SIZE))
                    if not data:
                        raise changed(path)
                    left -= len(data)
                    digest.update(data)
                    yield data, len(data)
            total, at = total + length, offset + length
        if digest is not None:
            _add_zeros(digest, found.st_size - at)
            self.digests[name] = digest.hexdigest()
        yield padding(total), found.st_size - total

    def _content(self, name: str, content: Content) -> Iterator[tuple[bytes, int]]:
        uid, gid = self._owner or (0, 0)
        size = len(content.data)
        mode = content.mode if self._mode is None else self._mode.apply(content.mode, folder=False)
        member = Member(
            name=self._prefix + name,
            kind=Kind.FILE,
            size=size,
            mode=mode,
            mtime_ns=time.time_ns(),
            target="",
            uid=uid,
            gid=gid,
        )
        yield pack_header(member, pax=self._pax), 0
        for at in range(0, size, READ_SIZE):
            piece = content.data[at : at + READ_SIZE]
            yield piece, len(piece)
        yield padding(size), 0
        self._count(size, size)
        if self._digest is not None:
            digest = self._digest()
            digest.update(content.data)
            self.digests[name] = digest.hexdigest()

    def _count(self, weight: int, sent: int) -> None:
        so_far = self.packed
        self.packed = Extent(
            files=so_far.files + 1, bytes=so_far.bytes + sent, weight=so_far.weight + weight
        )

    def _header(
        self, name: str, kind: Kind, found: os.stat_result, *, size: int = 0, target: str = ""
    ) -> bytes:
        member = self._member(self._prefix + name, kind, found, size=size, target=target)
        return pack_header(member, pax=self._pax)

    def _member(
        self, name: str, kind: Kind, found: os.stat_result, *, size: int = 0, target: str = ""
    ) -> Member:
        uid, gid = self._owner or (found.st_uid, found.st_gid)
        mode = stat.S_IMODE(found.st_mode)
        if self._mode is not None and kind is not Kind.LINK:
            mode = self._mode.apply(mode, folder=kind is Kind.FOLDER)
        return Member(
            name=name,
            kind=kind,
            size=size,
            mode=mode,
            mtime_ns=found.st_mtime_ns,
            target=target,
            uid=uid,
            gid=gid,
        )

    def _folder(self, name: str, mode: int) -> bytes:
        uid, gid = self._owner or (0, 0)
        member = Member(
            name=name,
            kind=Kind.FOLDER,
            size=0,
            mode=mode,
            mtime_ns=time.time_ns(),
            target="",
            uid=uid,
            gid=gid,
        )
        return pack_header(member, pax=self._pax)


def _may_be_sparse(status: os.stat_result) -> bool:
    # A small file is not worth a map; st_blocks counts 512 bytes on every system (stat(2)).
    return status.st_size > READ_SIZE and status.st_blocks * 512 < status.st_size


def _add_zeros(digest: Digest, count: int) -> None:
    zeros = bytes(min(count, READ_SIZE))
    while count:
        digest.update(zeros[:count])
        count -= min(count, len(zeros))
