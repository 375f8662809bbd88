"""What is different between a file or folder here and one in a container.

The container's side is read once, as it streams, and compared piece by piece, so that memory is
constant in the size of files. Links are compared and never followed.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ctrkernel.engine.process import Cancelled
from ctrkernel.errors import TransferError, one_line
from ctrkernel.protocol.tar_stream import Data, FileEnd, Kind, Member, split_name
from ctrkernel.transfer.extract import Limits
from ctrkernel.transfer.origin import arriving, origin_of
from ctrkernel.transfer.remote import look, stoppable
from ctrkernel.transfer.tree import read_link, unreadable

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.engine import Engine
    from ctrkernel.transfer.incoming import Incoming
    from ctrkernel.transfer.paths import TypedPath

#: Bytes of a local file that are read at once.
READ_SIZE: Final = 256 * 1024
_KINDS: Final = {
    stat.S_IFREG: Kind.FILE,
    stat.S_IFDIR: Kind.FOLDER,
    stat.S_IFLNK: Kind.LINK,
    stat.S_IFIFO: Kind.FIFO,
}
#: The parts of a name below the compared folder; none for the file or folder itself.
Parts = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A file's size, and the checksum of its content.

    Args:
        size: Bytes.
        sha256: In hexadecimal digits.
    """

    size: int
    sha256: str


@dataclass(slots=True)
class Comparison:
    """What was found; names are relative, and a folder's ends in a slash.

    Args:
        only_here: What the container's side lacks; a folder stands for all in it.
        only_there: What this side lacks.
        differ: What is on both sides and not the same, with the reason.
        same: How many files and links are the same.
        fingerprints: Here and there, where a single file was compared.
    """

    only_here: list[str] = field(default_factory=list)
    only_there: list[str] = field(default_factory=list)
    differ: dict[str, str] = field(default_factory=dict)
    same: int = 0
    fingerprints: tuple[Fingerprint, Fingerprint] | None = None


def compare(
    engine: Engine,
    container: ContainerInfo,
    here: str,
    there: TypedPath,
    *,
    on_progress: Callable[[int, int | None], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    limits: Limits | None = None,
) -> Comparison:
    """Compare a file with a file, or a folder with a folder.

    Args:
        engine: The engine.
        container: Where `there` is.
        here: A path on this machine, of the same kind as what is at `there`.
        there: A path in the container; a link there is followed, those in a folder are not.
        on_progress: Called with the bytes of content that were compared.
        cancelled: Asked now and then; true stops it.
        limits: How much is read.

    Raises:
        TransferError: One of them cannot be read, or there is too much.
        TransferInterrupted: `cancelled` said so.
    """
    info, probe = look(engine, container, [there.path])
    origin = origin_of(engine, info, probe, there, probe.paths[0], follow_link=True)
    where = f"{info.name}:{one_line(origin.path)}"
    walk = _Walk(here, limits or Limits(), on_progress=on_progress, cancelled=cancelled)
    with (
        stoppable(engine, f"the look at {where}"),
        arriving(engine, info, origin, where=where, cancelled=cancelled) as incoming,
    ):
        _read(incoming, walk, depth=0 if origin.path == "/" else 1)
    walk.finish()
    return walk.found


def _read(incoming: Incoming, walk: _Walk, *, depth: int) -> None:
    """Have an archive compared, whose root has `depth` parts."""
    for event in incoming:
        match event:
            case Member():
                target = event.target
                parts = split_name(event.name)[depth:]
                hard = split_name(target)[depth:] if event.kind is Kind.HARD_LINK else ()
                walk.begin(event, parts, hard)
            case Data(data):
                walk.data(data)
            case FileEnd():
                walk.end()


class _Walk:
    """Compares members as they come with what is on this machine."""

    def __init__(
        self,
        root: str,
        limits: Limits,
        *,
        on_progress: Callable[[int, int | None], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self.found = Comparison()
        self._root = root
        self._limits = limits
        self._on_progress = on_progress
        self._cancelled = cancelled
        self._bytes = 0
        self._seen: set[Parts] = set()
        #: Folders of which only one side has one: what is in them is not told one by one.
        self._apart: set[Parts] = set()
        #: What each file of the container's side is: a hard link is what its target is.
        self._sums: dict[Parts, str] = {}
        self._parts: Parts = ()
        self._sum = hashlib.sha256()
        self._size = 0

    def begin(self, member: Member, parts: Parts, hard: Parts) -> None:
        """Take the next member; `hard` is the target of a hard link."""
        self._parts, self._sum, self._size = parts, hashlib.sha256(), member.size
        if len(self._seen) >= self._limits.members:
            raise TransferError(
                f"there are more than {self._limits.members} files; compare folders one by one"
            )
        self._seen.add(parts)
        if any(parts[:length] in self._apart for length in range(len(parts))):
            return
        kind = Kind.FILE if member.kind is Kind.HARD_LINK else member.kind
        status = _status(self._path(parts), follow=not parts)
        mine = None if status is None else _KINDS.get(stat.S_IFMT(status.st_mode), Kind.DEVICE)
        name = _name(parts, folder=kind is Kind.FOLDER)
        if kind is not mine:
            self._apart.add(parts)
            if mine is None:
                self.found.only_there.append(name)
            else:
                self.found.differ[name] = f"a {mine.value} here, a {kind.value} there"
        elif kind is Kind.LINK:
            self._tell(
                name,
                "links to different places",
                equal=read_link(self._path(parts)) == member.target,
            )
        elif member.kind is Kind.HARD_LINK:
            self._compare(name, parts, self._sums.get(hard, ""), size=None)

    def data(self, data: bytes) -> None:
        """Take a piece of the last member's content."""
        self._sum.update(data)
        self._bytes += len(data)
        if self._limits.bytes is not None and self._bytes > self._limits.bytes:
            raise TransferError(
                f"there are more than {self._limits.bytes} bytes to compare; raise --max-size"
            )
        if self._on_progress is not None:
            self._on_progress(self._bytes, None if self._parts else self._size)

    def end(self) -> None:
        """The last member's content is complete."""
        parts, digest = self._parts, self._sum.hexdigest()
        self._sums[parts] = digest
        if any(parts[:length] in self._apart for length in range(len(parts) + 1)):
            return
        self._compare(_name(parts), parts, digest, size=self._size)

    def finish(self) -> None:
        """Look for what is only here."""
        pending: list[Parts] = [()]
        while pending:
            parts = pending.pop()
            path = self._path(parts)
            status = _status(path, follow=not parts)
            if status is None or not stat.S_ISDIR(status.st_mode) or parts in self._apart:
                continue
            for name in _names(path):
                inner = (*parts, name)
                if inner in self._seen:
                    pending.append(inner)
                    continue
                status = _status(self._path(inner))
                folder = status is not None and stat.S_ISDIR(status.st_mode)
                self.found.only_here.append(_name(inner, folder=folder))
        for names in (self.found.only_here, self.found.only_there):
            names.sort()
        self.found.differ = dict(sorted(self.found.differ.items()))

    def _compare(self, name: str, parts: Parts, digest: str, *, size: int | None) -> None:
        path = self._path(parts)
        status = _status(path, follow=not parts)
        mine = -1 if status is None else status.st_size
        if parts and size is not None and size != mine:
            self._tell(name, "different content", equal=False)
            return
        own = _digest(path, self._cancelled)
        if not parts:
            self.found.fingerprints = Fingerprint(mine, own), Fingerprint(self._size, digest)
        self._tell(name, "different content", equal=own == digest)

    def _tell(self, name: str, reason: str, *, equal: bool) -> None:
        if equal:
            self.found.same += 1
        else:
            self.found.differ[name] = reason

    def _path(self, parts: Parts) -> str:
        return os.path.join(self._root, *parts)  # noqa: PTH118 - names may be undecodable


def _name(parts: Parts, *, folder: bool = False) -> str:
    return "/".join(parts) + ("/" if folder else "")


def _status(path: str, *, follow: bool = False) -> os.stat_result | None:
    try:
        return os.stat(path, follow_symlinks=follow)  # noqa: PTH116 - as above
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise unreadable(path, error) from error


def _names(path: str) -> list[str]:
    try:
        return os.listdir(path)  # noqa: PTH208 - names only
    except OSError as error:
        raise unreadable(path, error) from error


def _digest(path: str, cancelled: Callable[[], bool] | None) -> str:
    """Return the SHA-256 of a local file."""
    total = hashlib.sha256()
    try:
        # O_NONBLOCK: whoever owns the tree may swap a file for a fifo.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            while data := os.read(descriptor, READ_SIZE):
                if cancelled is not None and cancelled():
                    raise Cancelled
                total.update(data)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise unreadable(path, error) from error
    return total.hexdigest()
