"""Files from one container into another, streamed: nothing touches this machine's disk.

The archive that one container sends is taken apart, checked and made anew (:mod:`.repack`), and
goes into the other as a put does: staged, and renamed when all has come.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass
from dataclasses import replace as changed
from typing import TYPE_CHECKING

from ctrkernel.engine.process import Child
from ctrkernel.errors import TransferError, one_line
from ctrkernel.protocol.tar_pack import ARCHIVE_END
from ctrkernel.transfer.extract import Limits
from ctrkernel.transfer.options import USUAL, Options
from ctrkernel.transfer.origin import Origin, origin_of
from ctrkernel.transfer.owner import owner_of
from ctrkernel.transfer.party import needs_users
from ctrkernel.transfer.placement import Found, place
from ctrkernel.transfer.put import SEND_SIZE, receiver
from ctrkernel.transfer.remote import (
    STALL_TIMEOUT,
    destination_of,
    failure,
    look,
    stoppable,
    unpacking,
)
from ctrkernel.transfer.remote_stage import RemoteStage
from ctrkernel.transfer.repack import Repacker
from ctrkernel.transfer.route import Route, put_route
from ctrkernel.transfer.summary import TransferSummary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.engine import Engine
    from ctrkernel.protocol.tar_stream import Data, FileEnd, Member
    from ctrkernel.transfer.paths import TypedPath


@dataclass(frozen=True, slots=True)
class Remote:
    """A path in a container.

    Args:
        container: Where.
        path: The path.
    """

    container: ContainerInfo
    path: TypedPath


def relay(
    engine: Engine,
    sources: Sequence[Remote],
    destination: Remote,
    *,
    options: Options = USUAL,
    on_progress: Callable[[int, int | None], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    stall_timeout: float = STALL_TIMEOUT,
    limits: Limits | None = None,
) -> TransferSummary:
    """Copy `sources` to `destination`, by the rules of :func:`~ctrkernel.transfer.put.put`.

    Args:
        engine: The engine.
        sources: In any containers; ``folder/.`` means what is in it.
        destination: Where to; in a container of the sources too.
        options: See :class:`~ctrkernel.transfer.options.Options`; what chooses among files, and
            ``verify``, is not heeded.
        on_progress: Called with the bytes of content moved, and in all where that is known.
        cancelled: Asked now and then; true stops it.
        stall_timeout: Seconds in which not a byte moves before it is given up.
        limits: How much is accepted.

    Raises:
        TransferError: It could not be done; the destination is as it was.
        TransferInterrupted: `cancelled` said so.
        ContainerNotFound: A container is gone.
    """
    started = time.monotonic()
    user = destination.container.user
    users = needs_users(destination.container, options)
    info, probe = look(engine, destination.container, [destination.path.path], users=users)
    origins = [_origin(engine, source, info, follow_link=options.follow_link) for source in sources]
    target = destination_of(info, destination.path, probe.paths[0])
    placement = place([origin.source for _, origin in origins], target, parents=options.parents)
    _refuse_into_itself(info, origins, placement.folder)
    route = put_route(info, probe, placement.folder, engine_name=engine.name)
    if any(source.container.id == info.id for source, _ in origins):
        # The engine locks a container for as long as an archive goes in or out through it, and
        # the other way would wait for that: tar in the container needs no lock.
        route = Route.TAR
    stage = None
    if probe.by_exec and {"mv", "rm"} <= probe.tools:
        stage = RemoteStage(
            engine, info, folder=placement.folder, user=user or "0", boot=probe.boot
        )
    repacker = Repacker(
        stage=None if stage is None else stage.name,
        owner=None
        if options.archive
        else owner_of(options.owner or user, passwd=probe.passwd, group=probe.group),
        mode=options.mode,
        pax=route is Route.ARCHIVE or probe.gnu_tar,
        limits=limits or Limits(),
    )
    only_file = len(origins) == 1 and origins[0][1].source.found is Found.FILE
    where = f"{info.name}:{one_line(placement.folder)}"
    with (
        stoppable(engine, f"the copy to {where}", timeout=stall_timeout),
        stage or nullcontext(),
    ):
        argv = receiver(engine, info, placement.folder, route)
        with Child(argv, cancelled=cancelled) as writer:
            sink = _Sink(writer, repacker, on_progress, timeout=stall_timeout)
            sink.write(repacker.begin())
            for (source, origin), name in zip(origins, placement.names, strict=True):
                repacker.next_source(
                    depth=0 if origin.path == "/" else 1, name=name, total_known=only_file
                )
                with Child(origin.argv, cancelled=cancelled) as reader:
                    _pass_on(engine, (source, origin), reader, sink=sink)
                if sink.broken:
                    break
            sink.finish(ARCHIVE_END)
            if writer.wait(timeout=stall_timeout) or sink.broken:
                raise failure(engine, info, doing=f"cannot write to {where}", said=writer.complaint)
        if stage is not None:
            stage.place()
    return TransferSummary(
        files=repacker.files,
        bytes=repacker.bytes,
        duration=time.monotonic() - started,
        destination=f"{info.name}:{placement.result}",
        notes=tuple(repacker.notes),
    )


class _Sink:
    """Bytes on their way into the other container, gathered: many files are small."""

    def __init__(
        self,
        child: Child,
        repacker: Repacker,
        on_progress: Callable[[int, int | None], None] | None,
        *,
        timeout: float,
    ) -> None:
        self._child = child
        self._repacker = repacker
        self._on_progress = on_progress
        self._waiting = bytearray()
        self.timeout = timeout
        #: The child takes no more; its exit status says why.
        self.broken = False

    def pack(self, event: Member | Data | FileEnd) -> None:
        """Take an event of the foreign archive."""
        self.write(self._repacker.pack(event))

    def write(self, data: bytes) -> None:
        """Take bytes; they are sent when there are enough."""
        self._waiting += data
        if len(self._waiting) >= SEND_SIZE:
            self._send()

    def finish(self, data: bytes) -> None:
        """Send what is left and then `data`."""
        self._waiting += data
        self._send()

    def _send(self) -> None:
        if not self.broken:
            self.broken = not self._child.write(self._waiting, timeout=self.timeout)
        self._waiting = bytearray()
        if self._on_progress is not None:
            self._on_progress(self._repacker.bytes, self._repacker.total)


def _origin(
    engine: Engine, source: Remote, into: ContainerInfo, *, follow_link: bool
) -> tuple[Remote, Origin]:
    info, probe = look(engine, source.container, [source.path.path])
    same = info.id == into.id
    origin = origin_of(
        engine,
        info,
        probe,
        source.path,
        probe.paths[0],
        follow_link=follow_link,
        prefer_tar=same,
    )
    if same and not origin.by_tar:
        raise TransferError(
            f"both places are in {info.name}, which has no tar to copy with; "
            "copy inside it, in a cell: cp -a"
        )
    return changed(source, container=info), origin


def _refuse_into_itself(
    info: ContainerInfo, origins: Sequence[tuple[Remote, Origin]], folder: str
) -> None:
    for source, origin in origins:
        inside = f"{folder}/".startswith(f"{origin.path.rstrip('/')}/")
        if source.container.id == info.id and origin.source.found is Found.FOLDER and inside:
            raise TransferError(
                f"{info.name}:{one_line(folder)} lies in {one_line(origin.path)}, "
                "and a folder cannot be copied into itself; name another place"
            )


def _pass_on(engine: Engine, found: tuple[Remote, Origin], reader: Child, *, sink: _Sink) -> None:
    """Move one source's archive from its container to the other."""
    source, origin = found
    with unpacking(
        engine,
        source.container,
        reader,
        where=f"{source.container.name}:{one_line(origin.path)}",
        timeout=sink.timeout,
        by_gnu_tar=origin.by_gnu_tar,
    ) as incoming:
        for event in incoming:
            sink.pack(event)
            if sink.broken:
                return
