"""Members of a foreign archive, checked and written anew, for another container.

What comes out of a container is hostile until shown otherwise. Nothing but plain files, folders
and links below the destination is passed on: no name that climbs, nothing through a link, no
device, no set-id bit.
"""

from __future__ import annotations

from dataclasses import replace as changed
from typing import TYPE_CHECKING

from ctrkernel.errors import TransferError, one_line
from ctrkernel.protocol.tar_pack import pack_header, padding
from ctrkernel.protocol.tar_stream import Data, FileEnd, Kind, Member, TarError, split_name
from ctrkernel.transfer.extract import Limits, rebase

if TYPE_CHECKING:
    from ctrkernel.transfer.options import Mode

#: Permission bits that go along: set-id and sticky bits do not.
_MODE = 0o777


class Repacker:
    """Members of a foreign archive, checked and written anew; knows no I/O.

    Args:
        stage: A folder that the archive makes first, and in which all of it lies; None for none.
        owner: The uid and gid of everything; None keeps what the members have.
        pax: Keep nanoseconds; see :func:`~ctrkernel.protocol.tar_pack.pack_header`.
        limits: How much is accepted.
        mode: What permissions become; None keeps them. Set-id bits go all the same.
    """

    def __init__(
        self,
        *,
        stage: str | None,
        owner: tuple[int, int] | None,
        pax: bool,
        limits: Limits,
        mode: Mode | None = None,
    ) -> None:
        self._mode = mode
        self._stage = stage
        self._owner = owner
        self._pax = pax
        self._limits = limits
        self._depth = 1
        self._name: str | None = None
        self._total_known = False
        self._members = 0
        self._size = 0
        #: Links that were passed on, with what they point at: nothing may lie behind one.
        self._links: dict[tuple[str, ...], str] = {}
        #: Files that were passed on: a hard link leads to one of them.
        self._files: set[tuple[str, ...]] = set()
        self.files = 0
        self.bytes = 0
        self.total: int | None = None
        self.notes: list[str] = []

    def begin(self) -> bytes:
        """Return what the new archive begins with."""
        if self._stage is None:
            return b""
        uid, gid = self._owner or (0, 0)
        folder = Member(self._stage, Kind.FOLDER, 0, 0o700, 0, "", uid, gid)
        return pack_header(folder, pax=self._pax)

    def next_source(self, *, depth: int, name: str | None, total_known: bool) -> None:
        """Take note that the members of another source come.

        Args:
            depth: How many parts the root of its names has.
            name: The root's new name; None for what is in it.
            total_known: It is one file, whose size is all there is.
        """
        self._depth, self._name, self._total_known = depth, name, total_known

    def pack(self, event: Member | Data | FileEnd) -> bytes:
        """Return the bytes that the new archive has for an event of the foreign one.

        Raises:
            TarError: It must not be passed on.
            TransferError: There is too much.
        """
        match event:
            case Data(data):
                self.bytes += len(data)
                if self._limits.bytes is not None and self.bytes > self._limits.bytes:
                    raise TransferError(
                        f"there are more than {self._limits.bytes} bytes; raise the limit"
                    )
                return data
            case FileEnd():
                return padding(self._size)
            case Member():
                return self._member(event)

    def _member(self, member: Member) -> bytes:
        self._members += 1
        if self._members > self._limits.members:
            raise TransferError(
                f"there are more than {self._limits.members} files; copy folders one by one"
            )
        parts = self._rebased(member.name)
        self._size = member.size
        if not parts:
            if member.kind is not Kind.FOLDER:
                raise TarError("a member that is no folder has no name")
            return b""
        self._refuse_behind_link(parts)
        match member.kind:
            case Kind.DEVICE:
                shown = one_line("/".join(split_name(member.name)))
                self.notes.append(f"left out {shown}: a device")
                return b""
            case Kind.LINK:
                return self._link(member, parts, member.target)
            case Kind.HARD_LINK:
                return self._hard_link(member, parts)
            case Kind.FILE:
                self.files += 1
                self._files.add(parts)
                if self._total_known and self.total is None:
                    self.total = member.size
        return self._header(member, parts, target="")

    def _hard_link(self, member: Member, parts: tuple[str, ...]) -> bytes:
        leads_to = self._rebased(member.target)
        if leads_to in self._links:  # a link of two names: the second is another link
            return self._link(member, parts, self._links[leads_to])
        if leads_to not in self._files:
            raise TarError(f"a hard link to {member.target!r}, which is no file of it")
        self.files += 1
        self._files.add(parts)
        return self._header(member, parts, target=self._full(leads_to))

    def _link(self, member: Member, parts: tuple[str, ...], target: str) -> bytes:
        self._links[parts] = target
        if parts in self._files:
            raise TarError(f"{'/'.join(parts)!r} comes both as a file and as a link")
        return self._header(changed(member, kind=Kind.LINK), parts, target=target)

    def _header(self, member: Member, parts: tuple[str, ...], *, target: str) -> bytes:
        uid, gid = self._owner or (member.uid, member.gid)
        mode = member.mode
        if self._mode is not None and member.kind is not Kind.LINK:
            mode = self._mode.apply(mode, folder=member.kind is Kind.FOLDER)
        new = changed(
            member,
            name=self._full(parts),
            mode=mode & _MODE,
            target=target,
            uid=uid,
            gid=gid,
        )
        return pack_header(new, pax=self._pax)

    def _rebased(self, name: str) -> tuple[str, ...]:
        return rebase(split_name(name), depth=self._depth, name=self._name)

    def _full(self, parts: tuple[str, ...]) -> str:
        return "/".join(parts if self._stage is None else (self._stage, *parts))

    def _refuse_behind_link(self, parts: tuple[str, ...]) -> None:
        for length in range(1, len(parts) + 1):
            if parts[:length] in self._links:
                raise TarError(f"{'/'.join(parts)!r} leads through a link")
