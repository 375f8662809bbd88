"""The archives in which the sources of a get come, and what becomes of each one's members."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from ctrkernel.errors import TransferError, one_line
from ctrkernel.protocol.tar_stream import Data, FileEnd, Kind, Member, TarError, split_name
from ctrkernel.transfer.extract import rebase
from ctrkernel.transfer.listing import RemoteLister
from ctrkernel.transfer.origin import together
from ctrkernel.transfer.placement import Found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ctrkernel.transfer.extract import Extractor
    from ctrkernel.transfer.get import Plan
    from ctrkernel.transfer.get_choice import Selection
    from ctrkernel.transfer.incoming import Incoming
    from ctrkernel.transfer.origin import Origin

#: Sources from which on one tar for all is faster than an archive of the engine for each.
MANY_SOURCES: Final = 4
_SECOND: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Shipment:
    """One archive that comes: its client, and where each of its members is from and goes."""

    argv: list[str]
    #: For the parts of a source's path in the archive, its new name.
    roots: Mapping[tuple[str, ...], str | None]
    by_gnu_tar: bool
    where: str
    #: The source's path; empty where members are named from the container's root.
    source: str = ""
    #: Modification times by the place of a member, where the archive has whole seconds only.
    times: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    #: It is one file without holes: nobody has to look for them.
    dense: bool = False
    #: What the engine itself packs; None if a tar in the container does.
    path: str | None = None
    #: Bytes that come at least.
    size: int = 0

    def place(self, name: str) -> tuple[str, ...]:
        """Return where a member goes."""
        return self._split(name)[1]

    def path_of(self, name: str) -> str:
        """Return the path in the container of a member."""
        parts = split_name(name)
        if not self.source:
            return posixpath.join("/", *parts)
        return posixpath.join(self.source, *parts[len(self._split(name)[0]) :])

    def exact(self, member: Member) -> Member:
        """Return a member with its time to the nanosecond, where the archive lacks it."""
        time = self.times.get(self.place(member.name)) if self.times else None
        if time is None or time // _SECOND != member.mtime_ns // _SECOND:
            return member
        return replace(member, mtime_ns=time)

    def _split(self, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        parts = split_name(name)
        for count in range(len(parts) + 1):
            if parts[:count] in self.roots:
                return parts[:count], rebase(parts, depth=count, name=self.roots[parts[:count]])
        raise TarError(f"a member was not asked for: {name!r}")


def shipments(plan: Plan, selection: Selection) -> Iterable[Shipment]:
    """Return what has to come for `selection`."""
    pairs = list(zip(plan.origins, plan.placement.names, strict=True))
    alone = selection.sources if plan.one_archive else None
    if alone is not None or (len(pairs) >= MANY_SOURCES and plan.one_archive):
        paths = alone if alone is not None else [origin.path for origin, _ in pairs]
        yield Shipment(
            argv=together(plan.engine, plan.info, paths, alone=alone is not None),
            roots={split_name(f".{origin.path}"): name for origin, name in pairs},
            by_gnu_tar=True,
            where=plan.where,
        )
        return
    for origin, name in pairs:
        # What the engine calls a source's root is its business; it is the first part.
        yield Shipment(
            argv=origin.argv,
            roots=_AnyRoot(() if origin.path == "/" else (posixpath.basename(origin.path),), name),
            by_gnu_tar=origin.by_gnu_tar,
            where=f"{plan.info.name}:{one_line(origin.path)}",
            source=origin.path,
            times=_times(plan, origin, name),
            dense=origin.dense,
            path=None if origin.by_tar else origin.path,
            size=origin.size,
        )


def _times(plan: Plan, origin: Origin, name: str | None) -> dict[tuple[str, ...], int]:
    """Return the times of a source's files to the nanosecond, where its archive lacks them."""
    root = () if name is None else tuple(name.split("/"))
    if origin.source.found is not Found.FOLDER:
        return {} if origin.mtime_ns is None else {root: origin.mtime_ns}
    # A folder comes by the engine although tar could send it: it holds a large file.
    if origin.by_tar or not origin.size or "find" not in plan.probe.tools:
        return {}
    listed = RemoteLister(plan.engine, plan.info).trees([origin.path])
    begin = origin.path.rstrip("/")
    return {
        (*root, *split_name(path[len(begin) :].lstrip("/"))): entry.mtime_ns
        for path, entry in listed.items()
    }


class _AnyRoot(dict[tuple[str, ...], str | None]):
    """The one root of an archive, whatever it is called."""

    def __init__(self, root: tuple[str, ...], name: str | None) -> None:
        super().__init__({root: name})
        self._depth = len(root)
        self._name = name

    def __contains__(self, parts: object) -> bool:
        return isinstance(parts, tuple) and len(parts) == self._depth

    def __missing__(self, parts: tuple[str, ...]) -> str | None:
        return self._name


class Receiver:
    """Events of an archive become files."""

    def __init__(
        self,
        extractor: Extractor,
        shipment: Shipment,
        *,
        on_progress: Callable[[int, int | None], None] | None,
        total: int | None,
        total_comes: bool,
        paths: dict[tuple[str, ...], str] | None = None,
    ) -> None:
        self._paths = paths
        self._extractor = extractor
        self._shipment = shipment
        self._on_progress = on_progress
        self._total = total
        self._total_comes = total_comes
        self._told = 0
        self._came = False

    def receive(self, incoming: Incoming) -> None:
        """Take all of an archive.

        Raises:
            TarError: The archive is damaged, or not one that we unpack.
            TransferError: Something cannot be written here.
        """
        past = self._shipment.dense and self._extractor.plain
        for event in incoming:
            match event:
                case Data(piece):
                    self._extractor.write(piece)
                case Member() as member:
                    self._came = True
                    self._add(member)
                case FileEnd():
                    self._extractor.end_file()
            # Many files come with one piece: a line for each would take longer than the files.
            if incoming.received != self._told:
                self._told = incoming.received
                self._progress()
            while past and incoming.content_left:
                if not incoming.pass_content(self._extractor.take):
                    break
                self._progress()

    def require_content(self) -> None:
        """Refuse an archive that was whole, and had nothing in it.

        Raises:
            TransferError: It was so.
        """
        if not self._came:
            raise TransferError(
                f"the archive of {self._shipment.where} is empty; see whether it is still there"
            )

    def _progress(self) -> None:
        if self._on_progress is not None:
            self._on_progress(self._extractor.bytes, self._total)

    def _add(self, member: Member) -> None:
        if self._total_comes and self._total is None:
            self._total = member.size
        place_of = self._shipment.place
        place = place_of(member.name)
        if self._paths is not None:
            self._paths[place] = self._shipment.path_of(member.name)
        self._extractor.add(
            self._shipment.exact(member),
            place,
            target=place_of(member.target) if member.kind is Kind.HARD_LINK else (),
        )
