"""Unpack the archive of a container, which is hostile until shown otherwise, into one folder.

Every name is opened part by part below a descriptor of that folder, and no link is ever
followed, so nothing is written outside it whatever the names and links say. Devices are left
out, set-id bits are dropped, and the files belong to whoever unpacks them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from ctrkernel.errors import TransferError, one_line
from ctrkernel.protocol.tar_stream import Kind, Member, TarError
from ctrkernel.transfer.holes import write_with_holes

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctrkernel.transfer.options import Mode
    from ctrkernel.transfer.pack import Digest

_OPEN_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
#: The mode of a folder that an archive uses without naming it.
_IMPLIED_MODE: Final = 0o755


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an archive may hold before it is refused.

    Args:
        members: Files, folders and links together; the default is that of a large home folder.
        bytes: Of content, holes included; the default is more than most disks have left.
    """

    members: int = 2_000_000
    bytes: int = 1_000_000_000_000


@dataclass(frozen=True, slots=True)
class Attributes:
    """What becomes of owners and permissions.

    Args:
        keep_owner: Numeric owners are kept; only root may.
        owner: Uid and gid of everything, if it is not the caller; -1 leaves one as it is.
        mode: What permissions become; set-id bits go all the same.
    """

    keep_owner: bool = False
    owner: tuple[int, int] | None = None
    mode: Mode | None = None


class Extractor:
    """Write members below a folder; a context manager, which closes what it opened.

    Args:
        folder: A folder of our own, into which nobody else writes.
        limits: See :class:`Limits`.
        attributes: See :class:`Attributes`.
        digest: Makes a checksum for each file; None for none.
    """

    def __init__(
        self,
        folder: str,
        *,
        limits: Limits,
        attributes: Attributes | None = None,
        digest: Callable[[], Digest] | None = None,
    ) -> None:
        self._root = os.open(folder, _OPEN_FOLDER)
        self._limits = limits
        self._attributes = attributes or Attributes()
        self._digest = digest
        self._open_digest: Digest | None = None
        self._open_parts: tuple[str, ...] = ()
        self._at = 0
        self._parent: tuple[tuple[str, ...], int] | None = None
        self._file: int | None = None
        self._open_member: Member | None = None
        self._folders: dict[tuple[str, ...], Member | None] = {}
        self._members = 0
        #: Regular files that were written.
        self.files = 0
        #: Bytes that were written.
        self.bytes = 0
        #: What was left out or should be known.
        self.notes: list[str] = []
        #: The checksum of each file, by where it lies.
        self.digests: dict[tuple[str, ...], str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close_file()
        self._forget_parent()
        os.close(self._root)

    def add(self, member: Member, parts: tuple[str, ...], *, target: tuple[str, ...] = ()) -> None:
        """Make `member`; a file's content follows by :meth:`write` and :meth:`end_file`.

        Args:
            member: Its header.
            parts: Where it shall lie below the folder; empty is the folder itself.
            target: For a hard link, where its target lies below the folder.

        Raises:
            TarError: The member would write through a link, or contradicts an earlier one.
            TransferError: It cannot be written here, or there are too many.
        """
        self._members += 1
        if self._members > self._limits.members:
            raise TransferError(
                f"there are more than {self._limits.members} files; raise --max-files, or get its "
                "folders one by one"
            )
        if not parts:
            if member.kind is not Kind.FOLDER:
                raise TarError("a member that is no folder has no name")
            return
        if member.kind is Kind.FILE:
            self._require_room(member.size)  # a hole of a terabyte takes an hour to come
        try:
            self._make(member, parts, target)
        except OSError as error:
            raise _unwritable(parts, error) from error

    def write(self, data: bytes) -> None:
        """Write a piece of the file that was added last.

        Raises:
            TransferError: It cannot be written, or there is too much.
        """
        assert self._file is not None
        self._grow(len(data))
        try:
            write_with_holes(self._file, data, self._at)
        except OSError as error:
            raise _unwritable((), error) from error
        self._at += len(data)
        if self._open_digest is not None:
            self._open_digest.update(data)

    @property
    def plain(self) -> bool:
        """Whether nothing wants to see a file's content, so that :meth:`take` may be used."""
        return self._digest is None

    def take(self, move: Callable[[int, int], int]) -> int:
        """Let `move` write the next piece of the file that was added last.

        Args:
            move: Given a descriptor and an offset, writes there, and says how much.

        Returns:
            What it wrote.

        Raises:
            TransferError: As for :meth:`write`.
        """
        assert self._file is not None
        assert self._open_digest is None
        try:
            moved = move(self._file, self._at)
        except TimeoutError:
            raise
        except OSError as error:
            raise _unwritable((), error) from error
        self._at += moved
        self._grow(moved)
        return moved

    def _grow(self, count: int) -> None:
        self._require_room(count)
        self.bytes += count

    def _require_room(self, count: int) -> None:
        if self.bytes + count > self._limits.bytes:
            raise TransferError(
                f"there are more than {self._limits.bytes} bytes; raise --max-size to get them"
            )

    def end_file(self) -> None:
        """Complete the file that was added last."""
        assert self._file is not None
        assert self._open_member is not None
        if self._open_digest is not None:
            self.digests[self._open_parts] = self._open_digest.hexdigest()
        try:
            # A hole at the end was not written.
            if os.lseek(self._file, 0, os.SEEK_END) != self._at:
                os.ftruncate(self._file, self._at)
            self._finish(self._file, self._open_member)
        except OSError as error:
            raise _unwritable((), error) from error
        finally:
            self._close_file()

    def finish(self) -> None:
        """Give the folders their modes and times, the innermost first.

        Raises:
            TransferError: That is not possible here.
        """
        self._forget_parent()
        for parts in sorted(self._folders, key=len, reverse=True):
            member = self._folders[parts]
            try:
                descriptor = self._open(parts)
                try:
                    if member is None:
                        os.fchmod(descriptor, _IMPLIED_MODE)
                    else:
                        self._finish(descriptor, member)
                finally:
                    os.close(descriptor)
            except OSError as error:
                raise _unwritable(parts, error) from error

    def _make(self, member: Member, parts: tuple[str, ...], target: tuple[str, ...]) -> None:
        if member.kind is Kind.DEVICE:
            self.notes.append(f"left out {one_line(member.name)}: a device")
            return
        parent, name = self._open_parent(parts), parts[-1]
        if member.kind is Kind.FOLDER:
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=parent)
            self._require_folder(parts, parent)
            self._folders[parts] = member
            return
        if member.kind is Kind.FILE:
            self._close_file()
            try:
                self._file = os.open(name, _CREATE, 0o600, dir_fd=parent)
            except FileExistsError:
                self._clear(name, parent)
                self._file = os.open(name, _CREATE, 0o600, dir_fd=parent)
            self._open_member, self._open_parts, self._at = member, parts, 0
            self._open_digest = self._digest() if self._digest is not None else None
            self.files += 1
            return
        self._clear(name, parent)
        match member.kind:
            case Kind.LINK:
                os.symlink(member.target, name, dir_fd=parent)
                with contextlib.suppress(OSError, OverflowError):
                    times = (member.mtime_ns, member.mtime_ns)
                    os.utime(name, ns=times, dir_fd=parent, follow_symlinks=False)
                if (owner := self._owner(member)) is not None:
                    os.chown(name, *owner, dir_fd=parent, follow_symlinks=False)
                if member.target.startswith("/"):
                    self.notes.append(
                        f"{one_line(member.name)} is a link to {one_line(member.target)}, "
                        "which here is a file of this machine"
                    )
            case Kind.HARD_LINK:
                self._link(target, name, parent)
            case _:
                os.mkfifo(name, 0o600, dir_fd=parent)
                # It is not opened, which would wait for its other end.
                os.chmod(name, member.mode & 0o777, dir_fd=parent)
                with contextlib.suppress(OverflowError):
                    os.utime(name, ns=(member.mtime_ns, member.mtime_ns), dir_fd=parent)

    def _finish(self, descriptor: int, member: Member) -> None:
        """Give a file or folder its owner, its permissions and its time."""
        owner, changed = self._owner(member), self._attributes.mode
        if owner is not None:
            os.fchown(descriptor, *owner)
        mode = member.mode
        if changed is not None:
            mode = changed.apply(mode, folder=member.kind is Kind.FOLDER)
        os.fchmod(descriptor, mode & 0o777)
        _set_time(descriptor, member.mtime_ns)

    def _owner(self, member: Member) -> tuple[int, int] | None:
        if self._attributes.keep_owner:
            return member.uid, member.gid
        return self._attributes.owner

    def _link(self, target: tuple[str, ...], name: str, parent: int) -> None:
        if not target:
            raise TarError("a hard link has no target")
        folder = self._open(target[:-1])
        try:
            if not stat.S_ISREG(os.lstat(target[-1], dir_fd=folder).st_mode):
                raise TarError(f"a hard link to {'/'.join(target)!r}, which is no file")
            os.link(target[-1], name, src_dir_fd=folder, dst_dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError as error:
            raise TarError(f"a hard link to {'/'.join(target)!r}, which is not there") from error
        finally:
            os.close(folder)
        self.files += 1

    def _clear(self, name: str, parent: int) -> None:
        """Remove what an earlier member of the same name left: the last one counts."""
        try:
            found = os.lstat(name, dir_fd=parent)
        except FileNotFoundError:
            return
        if stat.S_ISDIR(found.st_mode):
            raise TarError(f"{name!r} comes both as a folder and as something else")
        os.unlink(name, dir_fd=parent)

    def _require_folder(self, parts: tuple[str, ...], parent: int) -> None:
        if not stat.S_ISDIR(os.lstat(parts[-1], dir_fd=parent).st_mode):
            raise TarError(f"{'/'.join(parts)!r} comes both as a folder and as something else")

    def _open_parent(self, parts: tuple[str, ...]) -> int:
        """Return a descriptor of the folder in which `parts` lies; it is kept for the next one."""
        wanted = parts[:-1]
        if self._parent is not None and self._parent[0] == wanted:
            return self._parent[1]
        self._forget_parent()
        descriptor = self._open(wanted, make=True)
        self._parent = (wanted, descriptor)
        return descriptor

    def _open(self, parts: tuple[str, ...], *, make: bool = False) -> int:
        """Open a folder below the root, part by part, never through a link."""
        descriptor = os.dup(self._root)
        try:
            for at, part in enumerate(parts):
                try:
                    inner = os.open(part, _OPEN_FOLDER, dir_fd=descriptor)
                except FileNotFoundError:
                    if not make:
                        raise
                    os.mkdir(part, 0o700, dir_fd=descriptor)
                    self._folders[parts[: at + 1]] = None
                    inner = os.open(part, _OPEN_FOLDER, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = inner
        except OSError as error:
            os.close(descriptor)
            if error.errno in {errno.ENOTDIR, errno.ELOOP}:
                raise TarError(f"{'/'.join(parts)!r} leads through a link or a file") from error
            raise
        return descriptor

    def _forget_parent(self) -> None:
        if self._parent is not None:
            os.close(self._parent[1])
            self._parent = None

    def _close_file(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def rebase(parts: tuple[str, ...], *, depth: int, name: str | None) -> tuple[str, ...]:
    """Give a member's path its new beginning.

    Args:
        parts: As in the archive, whose members all lie below one root.
        depth: How many parts the root has: one, or none for the archive of ``/``.
        name: The root's new name, folders above it included; None for what is in it.
    """
    rest = parts[depth:]
    return rest if name is None else (*name.split("/"), *rest)


def _set_time(descriptor: int, mtime_ns: int) -> None:
    # A time beyond what the file system can hold is not worth the file.
    with contextlib.suppress(OverflowError):
        os.utime(descriptor, ns=(mtime_ns, mtime_ns))


def _unwritable(parts: tuple[str, ...], error: OSError) -> TransferError:
    name = f" {one_line('/'.join(parts))}" if parts else ""
    reason = (error.strerror or str(error)).lower()
    return TransferError(
        f"cannot write{name} here: {reason}; see `df -h .` and `ls -ld .`, nothing was changed"
    )
