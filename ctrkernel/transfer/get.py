"""Get files out of a container."""

from __future__ import annotations

import os
import posixpath
import shlex
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ctrkernel.engine.process import Cancelled, Child, Stalled
from ctrkernel.errors import TransferError, TransferInterrupted, one_line
from ctrkernel.protocol.tar_stream import (
    ArchiveEnd,
    Data,
    FileEnd,
    Kind,
    Member,
    NeedData,
    TarError,
    TarStream,
    split_name,
)
from ctrkernel.transfer.extract import Extractor, Limits, rebase
from ctrkernel.transfer.pack import unreadable
from ctrkernel.transfer.paths import TypedPath, container_path, local_path
from ctrkernel.transfer.placement import Destination, Found, Source, place
from ctrkernel.transfer.remote import STALL_TIMEOUT, failure, look
from ctrkernel.transfer.route import Route, get_route
from ctrkernel.transfer.stage import LocalStage
from ctrkernel.transfer.summary import TransferSummary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.engine import Engine
    from ctrkernel.transfer.probe import Probe, RemotePath

#: GNU tar's status for "a file changed while it was read": it came, as it was at some moment.
_CHANGED = 1


@dataclass(frozen=True, slots=True)
class Origin:
    """A source with the argv that sends its archive.

    Args:
        source: What it is, for :func:`~ctrkernel.transfer.placement.place`.
        path: In the container, without links.
        argv: Prints the archive.
        by_tar: A tar in the container makes it.
        by_gnu_tar: GNU's does.
    """

    source: Source
    path: str
    argv: list[str]
    by_tar: bool
    by_gnu_tar: bool


def get(
    engine: Engine,
    container: ContainerInfo,
    sources: Sequence[str],
    destination: str,
    *,
    base: str,
    home: str | None,
    archive: bool = False,
    follow_link: bool = False,
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
        sources: Paths in the container; ``folder/.`` means what is in it.
        destination: A path on this machine.
        base: The folder that relative `sources` start from.
        home: What ``~`` means in `sources`.
        archive: Taken for symmetry: what is got belongs to the caller either way, as with
            ``docker cp``.
        follow_link: Get what a source that is a link leads to; links in folders stay links.
        on_progress: Called with the bytes of content received, and in all where that is known.
        cancelled: Asked now and then; true stops the get.
        stall_timeout: Seconds in which not a byte moves before it is given up.
        limits: How much is accepted.

    Raises:
        TransferError: It could not be done; the message says what to do.
        TransferInterrupted: `cancelled` said so.
        ContainerNotFound: The container is gone.
    """
    del archive
    started = time.monotonic()
    if not sources:
        raise TransferError("nothing to get; name a file or a folder, and then the destination")
    typed = [container_path(source, base=base, home=home) for source in sources]
    target = _local_destination(local_path(destination))
    info, probe = look(engine, container, [one.path for one in typed])
    origins = [
        origin_of(engine, info, probe, one, there, follow_link=follow_link)
        for one, there in zip(typed, probe.paths, strict=True)
    ]
    placement = place([origin.source for origin in origins], target)
    where = f"{info.name}:{one_line(origins[0].path)}"
    try:
        with LocalStage(placement.folder) as stage:
            with Extractor(stage.path, limits=limits or Limits()) as extractor:
                for origin, name in zip(origins, placement.names, strict=True):
                    where = f"{info.name}:{one_line(origin.path)}"
                    receiver = _Receiver(
                        extractor,
                        depth=0 if origin.path == "/" else 1,
                        name=name,
                        on_progress=on_progress,
                        # One file says its size at once; of a folder nobody knows it.
                        total_known=len(origins) == 1 and origin.source.found is Found.FILE,
                    )
                    with Child(origin.argv, cancelled=cancelled) as child:
                        _receive(engine, info, origin, child, receiver, timeout=stall_timeout)
                extractor.finish()
            stage.place()
    except Cancelled as error:
        raise TransferInterrupted(f"the get of {where} was interrupted; try again") from error
    except Stalled as error:
        raise TransferError(
            f"the get of {where} moved no byte for {stall_timeout:g} s and was given up; "
            f"see what `{engine.name} info` says"
        ) from error
    return TransferSummary(
        files=extractor.files,
        bytes=extractor.bytes,
        duration=time.monotonic() - started,
        destination=placement.result,
        notes=tuple(extractor.notes),
    )


class _Receiver:
    """Events of an archive become files; knows nothing of where the bytes come from."""

    def __init__(
        self,
        extractor: Extractor,
        *,
        depth: int,
        name: str | None,
        on_progress: Callable[[int, int | None], None] | None,
        total_known: bool,
    ) -> None:
        self._stream = TarStream()
        self._extractor = extractor
        self._depth = depth
        self._name = name
        self._on_progress = on_progress
        self._total_known = total_known
        self._total: int | None = None

    def receive(self, data: bytes) -> bool:
        """Take the next bytes, none at the end; true once the archive is complete.

        Raises:
            TarError: The archive is damaged, or not one that we unpack.
            TransferError: Something cannot be written here.
        """
        if data:
            self._stream.receive_data(data)
        else:
            self._stream.receive_eof()
        complete = self._take_events()
        if self._on_progress is not None:
            self._on_progress(self._extractor.bytes, self._total)
        return complete

    def _take_events(self) -> bool:
        while True:
            match self._stream.next_event():
                case Data(piece):
                    self._extractor.write(piece)
                case Member() as member:
                    self._add(member)
                case FileEnd():
                    self._extractor.end_file()
                case NeedData():
                    return False
                case ArchiveEnd():
                    return True

    def _add(self, member: Member) -> None:
        if self._total_known and self._total is None:
            self._total = member.size
        self._extractor.add(
            member,
            self._place(member.name),
            target=self._place(member.target) if member.kind is Kind.HARD_LINK else (),
        )

    def _place(self, name: str) -> tuple[str, ...]:
        return rebase(split_name(name), depth=self._depth, name=self._name)


def _receive(
    engine: Engine,
    info: ContainerInfo,
    origin: Origin,
    child: Child,
    receiver: _Receiver,
    *,
    timeout: float,
) -> None:
    where = f"{info.name}:{one_line(origin.path)}"
    child.close_stdin()
    damage: TarError | None = None
    try:
        while not receiver.receive(child.read(timeout=timeout)):
            pass
    except TarError as error:
        if not child.ended:
            raise unsafe(where, error) from error
        damage = error
    code = child.wait(timeout=timeout)
    if code and not (origin.by_gnu_tar and code == _CHANGED and damage is None):
        raise failure(engine, info, doing=f"cannot read {where}", said=child.complaint) from damage
    if damage is not None:
        raise unsafe(where, damage) from damage


def unsafe(where: str, error: TarError) -> TransferError:
    """Say that an archive is damaged, or hostile."""
    return TransferError(
        f"what came from {where} is not unpacked: {one_line(str(error), limit=160)}; "
        "look at it with `ls -la` in a cell"
    )


def origin_of(
    engine: Engine,
    info: ContainerInfo,
    probe: Probe,
    typed: TypedPath,
    there: RemotePath,
    *,
    follow_link: bool,
    prefer_tar: bool = False,
) -> Origin:
    """Describe a source and choose its way.

    Args:
        engine: The engine.
        info: The container.
        probe: What is known of it.
        typed: The path.
        there: What is at it.
        follow_link: Take what a link leads to.
        prefer_tar: Take tar in the container, if it has one: it locks nothing in the engine.

    Raises:
        TransferError: There is none, or nothing can reach it.
    """
    follow = follow_link or typed.asserts_folder
    shown = f"{info.name}:{one_line(typed.shown)}"
    if there.found is Found.MISSING and (follow or not there.link):
        raise _missing(info, typed, there)
    if there.link and not follow:
        found = Found.LINK
        path = posixpath.join(there.parent or "/", typed.name)
    else:
        found = there.found
        path = there.real or there.path
    is_folder = found is Found.FOLDER
    if typed.asserts_folder and not is_folder:
        raise TransferError(f"{shown} is a file, not a folder; leave out the trailing slash")
    if found is Found.OTHER:
        raise TransferError(f"{shown} is a device, a pipe or a socket; name a file or a folder")
    route = get_route(info, probe, path, is_folder=is_folder, engine_name=engine.name)
    name = typed.name if typed.name != ".." else posixpath.basename(path)
    source = Source(
        shown=typed.shown,
        found=found,
        name=name,
        contents=is_folder and (typed.contents or not name),
    )
    by_tar = route is Route.TAR or (prefer_tar and "tar" in probe.tools and path != "/")
    return Origin(
        source=source,
        path=path,
        argv=_sender(engine, info, path, by_tar=by_tar, gnu_tar=probe.gnu_tar),
        by_tar=by_tar,
        by_gnu_tar=by_tar and probe.gnu_tar,
    )


def _sender(
    engine: Engine, info: ContainerInfo, path: str, *, by_tar: bool, gnu_tar: bool
) -> list[str]:
    """Return the argv of the client that prints the archive of `path`, a path without links."""
    if not by_tar:
        return engine.command("cp", f"{info.id}:{'/.' if path == '/' else path}", "-")
    folder, name = posixpath.split(path)
    options = ["--format=posix"] if gnu_tar else []  # keeps nanoseconds
    argv = ["tar", *options, "-cf", "-", "-C", folder, f"./{name}"]
    return engine.exec_argv(info.id, argv, user="0")


def _missing(info: ContainerInfo, typed: TypedPath, there: RemotePath) -> TransferError:
    if there.link:
        return TransferError(
            f"{info.name}:{one_line(typed.shown)} is a link that leads nowhere; "
            "get it as a link, without following it"
        )
    part = there.missing or there.path
    return TransferError(
        f"there is no file {info.name}:{one_line(part)}; see what is there, in a cell: "
        f"ls {one_line(shlex.quote(posixpath.dirname(part)))}"
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
    )
