"""Members of a foreign archive, checked and written anew, for another container.

What comes out of a container is hostile until shown otherwise. Nothing but plain files, folders
and links below the destination is passed on: no name that climbs, nothing through a link, no
device, no set-id bit.
"""

from __future__ import annotations

import time
from dataclasses import replace as changed
from typing import TYPE_CHECKING

from ctrkernel.errors import TransferError, one_line
from ctrkernel.protocol.tar_pack import pack_header, padding
from ctrkernel.protocol.tar_stream import Data, FileEnd, Kind, Member, TarError, split_name
from ctrkernel.transfer import checksum
from ctrkernel.transfer.pack import Extent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ctrkernel.transfer.extract import Limits
    from ctrkernel.transfer.options import Mode
    from ctrkernel.transfer.pack import Digest

#: A name, part by part.
Parts = tuple[str, ...]
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
        tools: Those of :data:`~ctrkernel.transfer.checksum.TOOLS` whose checksums are wanted.
    """

    def __init__(
        self,
        *,
        stage: str | None,
        owner: tuple[int, int] | None,
        pax: bool,
        limits: Limits,
        mode: Mode | None = None,
        tools: Sequence[str] = (),
    ) -> None:
        self._mode = mode
        self._tools = tools
        self._stage = stage
        self._owner = owner
        self._pax = pax
        self._limits = limits
        #: Returns where a member goes, by its name.
        self.place: Callable[[str], Parts] = split_name
        self._wanted: Callable[[Parts], bool] | None = None
        self._total_known = False
        self._members = 0
        self._size = 0
        #: The content that comes is nobody's.
        self._dropping = False
        self._sums: dict[str, Digest] = {}
        self._current: Parts = ()
        #: Links that were passed on, with what they point at: nothing may lie behind one.
        self._links: dict[Parts, str] = {}
        #: Files that came and were not wanted.
        self._dropped: set[Parts] = set()
        #: What the sources before the present one brought.
        self._earlier: frozenset[Parts] = frozenset()
        #: Files that were passed on, with their sizes: a hard link leads to one of them.
        self.sizes: dict[Parts, int] = {}
        #: Those of them that share their content with another.
        self._linked: set[Parts] = set()
        #: Their checksums, by the tool that makes the same.
        self._digests: dict[str, dict[Parts, str]] = {tool: {} for tool in tools}
        #: Hard links to a file that was not wanted: their content has to be sent for. The first
        #: name of each, and the other members that are the same file.
        self.late: dict[Parts, list[Member]] = {}
        self.bytes = 0
        self.total: int | None = None
        self.notes: list[str] = []

    @property
    def files(self) -> int:
        """How many files were passed on."""
        return len(self.sizes)

    @property
    def own_sizes(self) -> dict[Parts, int]:
        """Sizes of the files that share their content with no other."""
        return {place: size for place, size in self.sizes.items() if place not in self._linked}

    @property
    def extent(self) -> Extent:
        """How much was passed on."""
        return Extent(files=self.files, bytes=self.bytes, weight=sum(self.sizes.values()))

    def sums(self, tool: str | None) -> Mapping[Parts, str]:
        """Return the checksums of the files that were passed on, as `tool` makes them."""
        return self._digests.get(tool or "", {})

    def begin(self, above: Sequence[str] = ()) -> bytes:
        """Return what the new archive begins with: the stage, and folders `above` what comes."""
        made = [] if self._stage is None else [self._folder(self._stage, 0o700)]
        made += [self._folder(self._full(split_name(name)), 0o755) for name in above]
        return b"".join(made)

    def _folder(self, name: str, mode: int) -> bytes:
        uid, gid = self._owner or (0, 0)
        folder = Member(name, Kind.FOLDER, 0, mode, time.time_ns(), "", uid, gid)
        return pack_header(folder, pax=self._pax)

    def next_source(
        self,
        place: Callable[[str], Parts],
        *,
        wanted: Callable[[Parts], bool] | None = None,
        total_known: bool = False,
    ) -> None:
        """Take note that the members of another source come.

        Args:
            place: Returns where a member goes, by its name; raises TarError if it goes nowhere.
            wanted: Says whether what is no folder is passed on; None for all of it.
            total_known: It is one file, whose size is all there is.
        """
        self.place, self._wanted, self._total_known = place, wanted, total_known
        self._earlier = frozenset(self.sizes) | frozenset(self._links)
        self.late = {}
        self._dropped = set()

    def pack(self, event: Member | Data | FileEnd) -> bytes:
        """Return the bytes that the new archive has for an event of the foreign one.

        Raises:
            TarError: It must not be passed on.
            TransferError: There is too much.
        """
        match event:
            case Data():
                if self._dropping:
                    return b""
                data = event.data
                self.bytes += len(data)
                if self._limits.bytes is not None and self.bytes > self._limits.bytes:
                    raise TransferError(
                        f"there are more than {self._limits.bytes} bytes; raise the limit"
                    )
                for digest in self._sums.values():
                    digest.update(data)
                return data
            case FileEnd():
                if self._dropping:
                    return b""
                for tool, digest in self._sums.items():
                    self._digests[tool][self._current] = digest.hexdigest()
                return padding(self._size)
            case Member():
                return self._member(event)

    def _member(self, member: Member) -> bytes:
        self._members += 1
        if self._members > self._limits.members:
            raise TransferError(
                f"there are more than {self._limits.members} files; copy folders one by one"
            )
        parts = self.place(member.name)
        self._size = member.size
        self._dropping = False
        if not parts:
            if member.kind is not Kind.FOLDER:
                raise TarError("a member that is no folder has no name")
            return b""
        self._refuse_twice(member, parts)
        self._refuse_behind_link(parts)
        match member.kind:
            case Kind.FOLDER:
                pass
            case _ if self._wanted is not None and not self._wanted(parts):
                self._dropping = True
                self._dropped.add(parts)
                return b""
            case Kind.DEVICE:
                shown = one_line("/".join(split_name(member.name)))
                self.notes.append(f"left out {shown}: a device")
                return b""
            case Kind.LINK:
                return self._link(member, parts, member.target)
            case Kind.HARD_LINK:
                return self._hard_link(member, parts)
            case Kind.FILE:
                self._begin_file(member, parts)
        return self._header(member, parts, target="")

    def _begin_file(self, member: Member, parts: Parts) -> None:
        self._current = parts
        self.sizes[parts] = member.size
        self._sums = {tool: checksum.TOOLS[tool][0]() for tool in self._tools}
        if self._total_known and self.total is None:
            self.total = member.size

    def _refuse_twice(self, member: Member, parts: Parts) -> None:
        if parts in self._earlier and member.kind is not Kind.FOLDER:
            name = one_line("/".join(parts), limit=60)
            raise TransferError(f"two sources would both become {name}; copy them one by one")

    def _hard_link(self, member: Member, parts: Parts) -> bytes:
        leads_to = self.place(member.target)
        if leads_to in self._links:  # a link of two names: the second is another link
            return self._link(member, parts, self._links[leads_to])
        if leads_to in self._dropped:
            self.late.setdefault(leads_to, []).append(member)
            return b""
        if leads_to not in self.sizes:
            raise TarError(f"a hard link to {member.target!r}, which is no file of it")
        self.sizes[parts] = self.sizes[leads_to]
        self._linked |= {parts, leads_to}
        for digests in self._digests.values():
            digests[parts] = digests[leads_to]
        return self._header(member, parts, target=self._full(leads_to))

    def _link(self, member: Member, parts: Parts, target: str) -> bytes:
        self._links[parts] = target
        if parts in self.sizes:
            raise TarError(f"{'/'.join(parts)!r} comes both as a file and as a link")
        return self._header(changed(member, kind=Kind.LINK), parts, target=target)

    def _header(self, member: Member, parts: Parts, *, target: str) -> bytes:
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

    def _full(self, parts: Parts) -> str:
        return "/".join(parts if self._stage is None else (self._stage, *parts))

    def _refuse_behind_link(self, parts: Parts) -> None:
        for length in range(1, len(parts) + 1):
            if parts[:length] in self._links:
                raise TarError(f"{'/'.join(parts)!r} leads through a link")
