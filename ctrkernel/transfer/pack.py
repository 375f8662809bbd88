"""A tree on this machine as a tar stream, in constant memory."""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ctrkernel.errors import TransferError, one_line
from ctrkernel.protocol.tar_pack import ARCHIVE_END, pack_header, padding
from ctrkernel.protocol.tar_stream import BLOCK, Kind, Member

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Bytes of a file that are read at once.
READ_SIZE: Final = 256 * 1024

_KINDS = {
    stat.S_IFREG: Kind.FILE,
    stat.S_IFDIR: Kind.FOLDER,
    stat.S_IFLNK: Kind.LINK,
    stat.S_IFIFO: Kind.FIFO,
}


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a file that is in memory.

    Args:
        data: All of it.
        mode: The file's permission bits.
    """

    data: bytes
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class Root:
    """One source.

    Args:
        path: Its path on this machine; links below it are packed as links.
        name: What it is called in the archive; None packs what is in it, not the folder.
        content: What it is, if it is no path.
    """

    path: str
    name: str | None
    content: Content | None = None


@dataclass(frozen=True, slots=True)
class Extent:
    """How much there is to pack."""

    files: int
    bytes: int


class Packer:
    """The archive of some sources.

    Args:
        roots: The sources.
        stage: A folder that the archive makes first, and in which all of it lies; None for none.
        owner: The uid and gid of everything; None keeps what the files have.
        pax: Keep nanoseconds; see :func:`~ctrkernel.protocol.tar_pack.pack_header`.
    """

    def __init__(
        self,
        roots: Sequence[Root],
        *,
        stage: str | None = None,
        owner: tuple[int, int] | None = None,
        pax: bool = True,
    ) -> None:
        self._roots = roots
        self._stage = stage
        self._owner = owner
        self._pax = pax
        #: What was left out, and why.
        self.notes: list[str] = []

    def measure(self) -> Extent:
        """Count files and bytes; finds a folder that cannot be read before anything is sent.

        Raises:
            TransferError: A folder cannot be read.
        """
        contents = [root.content for root in self._roots if root.content is not None]
        files, size = len(contents), sum(len(content.data) for content in contents)
        linked: set[tuple[int, int]] = set()
        for _, _, found in self._walk():
            if not stat.S_ISREG(found.st_mode):
                continue
            files += 1
            inode = (found.st_dev, found.st_ino)
            if inode not in linked:
                size += found.st_size
            if found.st_nlink > 1:
                linked.add(inode)
        return Extent(files=files, bytes=size)

    def chunks(self) -> Iterator[tuple[bytes, int]]:
        """Yield the archive piece by piece, each with the bytes of file content in it.

        Raises:
            TransferError: A file cannot be read, or changed while it was read.
        """
        self.notes.clear()
        linked: dict[tuple[int, int], str] = {}
        if self._stage is not None:
            uid, gid = self._owner or (0, 0)
            yield self._folder(self._stage, uid, gid), 0
        for root in self._roots:
            if root.content is not None:
                yield from self._content(root, root.content)
        for path, name, found in self._walk():
            kind = _KINDS.get(stat.S_IFMT(found.st_mode))
            if kind is None:
                self.notes.append(f"left out {one_line(path)}: a socket or a device")
                continue
            if kind is Kind.FILE and found.st_nlink > 1:
                inode = (found.st_dev, found.st_ino)
                if inode in linked:
                    yield self._header(name, Kind.HARD_LINK, found, target=linked[inode]), 0
                    continue
                linked[inode] = name
            if kind is Kind.FILE:
                yield from self._file(path, name)
            else:
                target = _read_link(path) if kind is Kind.LINK else ""
                yield self._header(name, kind, found, target=target), 0
        yield ARCHIVE_END, 0

    def _walk(self) -> Iterator[tuple[str, str, os.stat_result]]:
        """Yield path, name in the archive, and status, folders before what is in them."""
        for root in self._roots:
            if root.content is not None:
                continue
            prefix = f"{self._stage}/" if self._stage is not None else ""
            if root.name is None:
                pending = _children(root.path, prefix)
            else:
                pending = [(root.path, prefix + root.name)]
            while pending:
                path, name = pending.pop()
                try:
                    found = os.lstat(path)
                except OSError as error:
                    raise unreadable(path, error) from error
                yield path, name, found
                if stat.S_ISDIR(found.st_mode):
                    pending += _children(path, f"{name}/")

    def _file(self, path: str, name: str) -> Iterator[tuple[bytes, int]]:
        # O_NONBLOCK and O_NOFOLLOW: whoever owns the tree may swap a file for a fifo or a link.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = os.open(path, flags)
        except OSError as error:
            raise unreadable(path, error) from error
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise _changed(path)
            yield self._header(name, Kind.FILE, found, size=found.st_size), 0
            left = found.st_size
            while left:
                data = os.read(descriptor, min(left, READ_SIZE))
                if not data:
                    raise _changed(path)
                left -= len(data)
                yield data, len(data)
        except OSError as error:
            raise unreadable(path, error) from error
        finally:
            os.close(descriptor)
        if found.st_size % BLOCK:
            yield padding(found.st_size), 0

    def _content(self, root: Root, content: Content) -> Iterator[tuple[bytes, int]]:
        uid, gid = self._owner or (0, 0)
        member = Member(
            name=f"{self._stage}/{root.name}" if self._stage is not None else root.name or "",
            kind=Kind.FILE,
            size=len(content.data),
            mode=content.mode,
            mtime_ns=time.time_ns(),
            target="",
            uid=uid,
            gid=gid,
        )
        yield pack_header(member, pax=self._pax), 0
        for at in range(0, member.size, READ_SIZE):
            piece = content.data[at : at + READ_SIZE]
            yield piece, len(piece)
        yield padding(member.size), 0

    def _header(
        self, name: str, kind: Kind, found: os.stat_result, *, size: int = 0, target: str = ""
    ) -> bytes:
        uid, gid = self._owner or (found.st_uid, found.st_gid)
        member = Member(
            name=name,
            kind=kind,
            size=size,
            mode=stat.S_IMODE(found.st_mode),
            mtime_ns=found.st_mtime_ns,
            target=target,
            uid=uid,
            gid=gid,
        )
        return pack_header(member, pax=self._pax)

    def _folder(self, name: str, uid: int, gid: int) -> bytes:
        member = Member(
            name=name,
            kind=Kind.FOLDER,
            size=0,
            mode=0o700,
            mtime_ns=0,
            target="",
            uid=uid,
            gid=gid,
        )
        return pack_header(member, pax=self._pax)


def unreadable(path: str, error: OSError) -> TransferError:
    """Say why a local `path` cannot be read, and what to look at."""
    reason = (error.strerror or str(error)).lower()
    return TransferError(
        f"cannot read {one_line(path)}: {reason}; see `ls -ld` of it, nothing was changed"
    )


def _children(path: str, prefix: str) -> list[tuple[str, str]]:
    """List a folder, last name first: the walk takes from the end."""
    try:
        names = sorted(os.listdir(path), reverse=True)  # noqa: PTH208 - names only
    except OSError as error:
        raise unreadable(path, error) from error
    return [(f"{path.rstrip('/')}/{name}", prefix + name) for name in names]


def _read_link(path: str) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115 - the text as it is
    except OSError as error:
        raise unreadable(path, error) from error


def _changed(path: str) -> TransferError:
    return TransferError(
        f"{one_line(path)} changed while it was read; try again, or copy it aside first"
    )
