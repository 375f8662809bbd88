"""Get files out of a container."""

from __future__ import annotations

import os
import posixpath
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ctrkernel.engine.process import Child
from ctrkernel.errors import TransferError, one_line
from ctrkernel.protocol.tar_stream import Data, FileEnd, Kind, Member, TarError, split_name
from ctrkernel.transfer import checksum
from ctrkernel.transfer.container_paths import container_paths
from ctrkernel.transfer.extract import Attributes, Extractor, Limits, rebase
from ctrkernel.transfer.get_choice import Selection, select
from ctrkernel.transfer.options import USUAL, Options
from ctrkernel.transfer.origin import Origin, origin_of, together
from ctrkernel.transfer.owner import local_owner
from ctrkernel.transfer.pack import unreadable
from ctrkernel.transfer.paths import TypedPath, only
from ctrkernel.transfer.placement import Destination, Found, Placement, place
from ctrkernel.transfer.remote import STALL_TIMEOUT, look, stoppable, unpacking
from ctrkernel.transfer.sources import local_paths
from ctrkernel.transfer.stage import LocalStage
from ctrkernel.transfer.summary import TransferSummary
from ctrkernel.transfer.verify import verify_got

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.engine import Engine
    from ctrkernel.transfer.incoming import Incoming
    from ctrkernel.transfer.probe import Probe

#: Sources from which on one tar for all is faster than an archive of the engine for each.
MANY_SOURCES: Final = 4
_SECOND: Final = 1_000_000_000


def get(
    engine: Engine,
    container: ContainerInfo,
    sources: Sequence[str],
    destination: str,
    *,
    base: str,
    home: str | None,
    values: Mapping[str, str] | None = None,
    options: Options = USUAL,
    on_progress: Callable[[int, int | None], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    stall_timeout: float = STALL_TIMEOUT,
    limits: Limits | None = None,
) -> TransferSummary:
    """Get `sources`, in the container, to `destination`, on this machine.

    All that comes is unpacked beside its place and renamed when it is complete, so that a get
    that fails leaves the destination as it was. Devices are left out and set-id bits dropped.

    Args:
        engine: The engine.
        container: Where from.
        sources: Paths in the container; ``folder/.`` means what is in it. In a
            :class:`~ctrkernel.transfer.words.Word` patterns, variables and ``~`` mean what they
            mean; a plain string is a name, but for ``~/``.
        destination: A path on this machine; the same.
        base: The folder that relative `sources` start from.
        home: What ``~`` means in `sources`.
        values: The variables of the shell that `sources` use.
        options: See :class:`~ctrkernel.transfer.options.Options`.
        on_progress: Called with the bytes of content received, and in all where that is known.
        cancelled: Asked now and then; true stops the get.
        stall_timeout: Seconds in which not a byte moves before it is given up.
        limits: How much is accepted.

    Raises:
        TransferError: It could not be done; the message says what to do.
        TransferInterrupted: `cancelled` said so.
        ContainerNotFound: The container is gone.
    """
    started = time.monotonic()
    if not sources:
        raise TransferError("nothing to get; name a file or a folder, and then the destination")
    target = _local_destination(only(local_paths(destination), destination))
    named = container_paths(engine, container, sources, base=base, home=home, values=values or {})
    plan = _plan(engine, container, [one for each in named for one in each], target, options)
    with stoppable(engine, f"the get of {plan.where}", timeout=stall_timeout):
        selection = select(plan, timeout=stall_timeout, cancelled=cancelled)
        if options.dry_run or not selection.any:
            files, moved, notes = selection.files, selection.bytes, selection.notes()
        else:
            files, moved, notes = _fetch(
                plan,
                selection,
                limits=limits or Limits(),
                on_progress=on_progress,
                cancelled=cancelled,
                stall_timeout=stall_timeout,
            )
    return TransferSummary(
        files=files,
        bytes=moved,
        duration=time.monotonic() - started,
        destination=plan.placement.result,
        notes=tuple(notes),
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """A get that can begin: all that was looked at before anything moved."""

    engine: Engine
    info: ContainerInfo
    probe: Probe
    origins: tuple[Origin, ...]
    placement: Placement
    options: Options

    @property
    def where(self) -> str:
        """The first source, for messages."""
        return f"{self.info.name}:{one_line(self.origins[0].path)}"

    @property
    def one_archive(self) -> bool:
        """Whether one tar in the container can send all of it, each source once."""
        paths = [origin.path.rstrip("/") + "/" for origin in self.origins]
        nested = any(a != b and a.startswith(b) for a in paths for b in paths)
        able = self.probe.gnu_tar and self.probe.almighty and "/" not in paths
        return able and not nested


def _plan(
    engine: Engine,
    container: ContainerInfo,
    typed: Sequence[TypedPath],
    target: Destination,
    options: Options,
) -> Plan:
    info, probe = look(engine, container, [one.path for one in typed])
    origins = [
        origin_of(engine, info, probe, one, there, follow_link=options.follow_link)
        for one, there in zip(typed, probe.paths, strict=True)
    ]
    placement = place([origin.source for origin in origins], target, parents=options.parents)
    return Plan(engine, info, probe, tuple(origins), placement, options)


@dataclass(frozen=True, slots=True)
class _Shipment:
    """One archive that comes: its client, and where each of its members goes."""

    argv: list[str]
    #: For the parts of a source's path in the archive, its new name.
    roots: Mapping[tuple[str, ...], str | None]
    by_gnu_tar: bool
    where: str
    mtime_ns: int | None = None
    #: It is one file without holes: nobody has to look for them.
    dense: bool = False

    def place(self, name: str) -> tuple[str, ...]:
        """Return where a member goes."""
        return self._split(name)[1]

    def _split(self, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        parts = split_name(name)
        for count in range(len(parts) + 1):
            if parts[:count] in self.roots:
                return parts[:count], rebase(parts, depth=count, name=self.roots[parts[:count]])
        raise TarError(f"a member was not asked for: {name!r}")


def _shipments(plan: Plan, selection: Selection) -> Iterable[_Shipment]:
    """Return what has to come for `selection`."""
    pairs = list(zip(plan.origins, plan.placement.names, strict=True))
    alone = selection.sources if plan.one_archive else None
    if alone is not None or (len(pairs) >= MANY_SOURCES and plan.one_archive):
        paths = alone if alone is not None else [origin.path for origin, _ in pairs]
        yield _Shipment(
            argv=together(plan.engine, plan.info, paths, alone=alone is not None),
            roots={split_name(f".{origin.path}"): name for origin, name in pairs},
            by_gnu_tar=True,
            where=plan.where,
        )
        return
    for origin, name in pairs:
        # What the engine calls a source's root is its business; it is the first part.
        yield _Shipment(
            argv=origin.argv,
            roots=_AnyRoot(() if origin.path == "/" else (posixpath.basename(origin.path),), name),
            by_gnu_tar=origin.by_gnu_tar,
            where=f"{plan.info.name}:{one_line(origin.path)}",
            mtime_ns=origin.mtime_ns,
            dense=origin.dense,
        )


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


def _fetch(
    plan: Plan,
    selection: Selection,
    *,
    limits: Limits,
    on_progress: Callable[[int, int | None], None] | None,
    cancelled: Callable[[], bool] | None,
    stall_timeout: float,
) -> tuple[int, int, list[str]]:
    """Fetch what was selected; return files, bytes, and what the summary should say."""
    options = plan.options
    tool = checksum.tool_of(plan.probe.tools) if options.verify and plan.probe.by_exec else None
    # One file says its size at once; of a folder nobody knows it.
    one_file = len(plan.origins) == 1 and plan.origins[0].source.found is Found.FILE
    notes: list[str] = []
    with LocalStage(plan.placement.folder) as stage:
        with Extractor(
            stage.path,
            limits=limits,
            attributes=_attributes(options, notes),
            digest=checksum.TOOLS[tool][0] if tool is not None else None,
        ) as extractor:
            for shipment in _shipments(plan, selection):
                receiver = _Receiver(
                    extractor,
                    shipment,
                    on_progress=on_progress,
                    total=None if one_file else selection.total,
                    total_comes=one_file,
                )
                with (
                    Child(
                        shipment.argv, cancelled=cancelled, inherit=[stage.life], wide=True
                    ) as child,
                    unpacking(
                        plan.engine,
                        plan.info,
                        child,
                        where=shipment.where,
                        timeout=stall_timeout,
                        by_gnu_tar=shipment.by_gnu_tar,
                    ) as incoming,
                ):
                    receiver.receive(incoming)
            extractor.finish()
        if options.verify:
            notes += verify_got(plan, extractor, tool, cancelled=cancelled)
        kept = frozenset() if selection.sources is not None else selection.kept
        stage.place(clobber=not options.no_clobber, kept=kept)
    files, moved = extractor.files, extractor.bytes
    if kept:
        files, moved = selection.files, selection.bytes
    return files, moved, [*selection.notes(), *extractor.notes, *notes]


def _attributes(options: Options, notes: list[str]) -> Attributes:
    root = os.geteuid() == 0
    if options.archive and not root:
        notes.append("all of it belongs to you: only root may keep the owners of others")
    return Attributes(
        keep_owner=options.archive and root,
        owner=None if options.owner is None else local_owner(options.owner),
        mode=options.mode,
    )


class _Receiver:
    """Events of an archive become files."""

    def __init__(
        self,
        extractor: Extractor,
        shipment: _Shipment,
        *,
        on_progress: Callable[[int, int | None], None] | None,
        total: int | None,
        total_comes: bool,
    ) -> None:
        self._extractor = extractor
        self._shipment = shipment
        self._on_progress = on_progress
        self._total = total
        self._total_comes = total_comes
        self._told = 0

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

    def _progress(self) -> None:
        if self._on_progress is not None:
            self._on_progress(self._extractor.bytes, self._total)

    def _add(self, member: Member) -> None:
        if self._total_comes and self._total is None:
            self._total = member.size
        place_of = self._shipment.place
        exact = self._shipment.mtime_ns
        if exact is not None and exact // _SECOND == member.mtime_ns // _SECOND:
            member = replace(member, mtime_ns=exact)
        self._extractor.add(
            member,
            place_of(member.name),
            target=place_of(member.target) if member.kind is Kind.HARD_LINK else (),
        )


def _local_destination(typed: TypedPath) -> Destination:
    """Look at a destination on this machine.

    Raises:
        TransferError: It is a link that leads nowhere, or cannot be looked at.
    """
    real = os.path.realpath(typed.path)
    if os.path.islink(typed.path) and not os.path.lexists(real):  # noqa: PTH114 - undecodable names
        raise TransferError(
            f"{one_line(typed.shown)} is a link that leads nowhere; "
            "remove it, or name the file itself"
        )
    missing = None
    part = posixpath.dirname(real)
    while not os.path.isdir(part):  # noqa: PTH112
        missing, part = part, posixpath.dirname(part)
    if os.path.isdir(real):  # noqa: PTH112
        found = Found.FOLDER
    elif os.path.isfile(real):  # noqa: PTH113
        found = Found.FILE
    else:
        found = Found.OTHER if os.path.lexists(real) else Found.MISSING
    if found is Found.MISSING and missing is None and not os.access(part, os.X_OK):
        raise unreadable(part, PermissionError(13, "permission denied"))
    return Destination(
        shown=typed.shown,
        found=found,
        path=real,
        asserts_folder=typed.asserts_folder,
        missing=missing,
        blocked=missing is not None and os.path.lexists(missing),
        above=part,
        rest=os.path.relpath(real, part),
    )
