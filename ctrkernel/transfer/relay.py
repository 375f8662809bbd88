"""Files from one container into another, streamed: nothing touches this machine's disk.

The archive that one container sends is taken apart, checked and made anew (:mod:`.repack`), and
goes into the other as a put does: staged, and renamed when all has come.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass
from dataclasses import replace as changed
from typing import TYPE_CHECKING, TypeVar

from ctrkernel.engine.process import Child
from ctrkernel.errors import TransferError, one_line
from ctrkernel.protocol.tar_pack import ARCHIVE_END
from ctrkernel.protocol.tar_stream import Member, split_name
from ctrkernel.transfer import checksum
from ctrkernel.transfer.extract import Limits
from ctrkernel.transfer.get import Plan as GetPlan
from ctrkernel.transfer.get_choice import Selection
from ctrkernel.transfer.options import USUAL, Options
from ctrkernel.transfer.origin import alone, origin_of
from ctrkernel.transfer.placement import Found, Placement, above
from ctrkernel.transfer.put import SEND_SIZE
from ctrkernel.transfer.put_plan import Plan, plan_put, receiver
from ctrkernel.transfer.relay_choice import select
from ctrkernel.transfer.remote import STALL_TIMEOUT, failure, look, stoppable, unpacking
from ctrkernel.transfer.repack import Parts, Repacker
from ctrkernel.transfer.route import Route
from ctrkernel.transfer.shipment import shipments
from ctrkernel.transfer.summary import TransferSummary
from ctrkernel.transfer.verify import verify_arrived, verify_got, verify_staged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.engine import Engine
    from ctrkernel.protocol.tar_stream import Data, FileEnd
    from ctrkernel.transfer.origin import Origin
    from ctrkernel.transfer.paths import TypedPath
    from ctrkernel.transfer.shipment import Shipment


_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Remote:
    """A path in a container.

    Args:
        engine: The engine that has the container.
        container: Where.
        path: The path.
        pid: The shell, in the container; 0 for none. What arrives belongs to its user.
    """

    engine: Engine
    container: ContainerInfo
    path: TypedPath
    pid: int = 0


def relay(
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
        sources: In any containers, of any engines; ``folder/.`` means what is in it.
        destination: Where to; in a container of the sources too.
        options: See :class:`~ctrkernel.transfer.options.Options`.
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
    plan, found = _plan(sources, destination, options)
    with stoppable(plan.engine, f"the copy to {plan.where}", timeout=stall_timeout):
        selections, notes = select(plan, found, timeout=stall_timeout, cancelled=cancelled)
        files = sum(each.files for each in selections)
        moved = sum(each.bytes for each in selections)
        if any(each.any for each in selections) and not options.dry_run:
            repacker, said = _deliver(
                plan,
                list(zip(found, selections, strict=True)),
                limits or Limits(),
                on_progress,
                cancelled=cancelled,
                timeout=stall_timeout,
            )
            files, moved = repacker.files, repacker.bytes
            notes += [*repacker.notes, *said]
    return TransferSummary(
        files=files,
        bytes=moved,
        duration=time.monotonic() - started,
        destination=f"{plan.info.name}:{plan.placement.result}",
        notes=tuple(notes),
    )


def _plan(
    sources: Sequence[Remote], destination: Remote, options: Options
) -> tuple[Plan, list[GetPlan]]:
    """Look at all places; return how the copy goes in, and how each source comes out."""
    looked = [_look(source, destination, follow_link=options.follow_link) for source in sources]
    plan = plan_put(
        destination.engine,
        destination.container,
        [origin.source for each in looked for origin in each.origins],
        destination.path,
        options=options,
        pid=destination.pid,
    )
    found = [
        changed(each, placement=Placement(plan.placement.folder, (name,)), options=options)
        for each, name in zip(looked, plan.placement.names, strict=True)
    ]
    for each in found:
        if each.info.id == plan.info.id:
            _refuse_into_itself(plan, each.origins[0])
            # The engine locks a container for as long as an archive goes in or out through it,
            # and the other way would wait for that: tar in the container needs no lock.
            plan = changed(plan, route=Route.TAR)
    return plan, found


def _look(source: Remote, destination: Remote, *, follow_link: bool) -> GetPlan:
    """Look at a source; where it goes is not known yet."""
    engine = source.engine
    info, probe = look(engine, source.container, [source.path.path])
    same = info.id == destination.container.id
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
    return GetPlan(engine, info, probe, (origin,), Placement("/", (None,)), USUAL)


def _refuse_into_itself(plan: Plan, origin: Origin) -> None:
    folder = plan.placement.folder
    inside = f"{folder}/".startswith(f"{origin.path.rstrip('/')}/")
    if origin.source.found is Found.FOLDER and inside:
        raise TransferError(
            f"{plan.where} lies in {one_line(origin.path)}, "
            "and a folder cannot be copied into itself; name another place"
        )


def _deliver(
    plan: Plan,
    sources: Sequence[tuple[GetPlan, Selection]],
    limits: Limits,
    on_progress: Callable[[int, int | None], None] | None,
    *,
    cancelled: Callable[[], bool] | None,
    timeout: float,
) -> tuple[Repacker, list[str]]:
    """Copy what was selected of `sources`; return what was passed on, and what a summary says."""
    options = plan.options
    tool = _tool(plan) if options.verify else None
    tools = [_tool(source) if options.verify else None for source, _ in sources]
    stage = plan.stage()
    repacker = Repacker(
        stage=None if stage is None else stage.name,
        owner=plan.party.owner,
        mode=options.mode,
        pax=plan.route is Route.ARCHIVE or plan.probe.gnu_tar,
        limits=limits,
        tools=sorted({each for each in (tool, *tools) if each is not None}),
    )
    if options.choosy:
        repacker.total = sum(selection.bytes for _, selection in sources)
    only_file = len(sources) == 1 and sources[0][0].origins[0].source.found is Found.FILE
    with stage or nullcontext():
        argv = receiver(plan.engine, plan.info, plan.placement.folder, plan.route)
        inherit = [] if stage is None else [stage.life]
        with Child(argv, cancelled=cancelled, inherit=inherit) as writer:
            sink = _Sink(writer, repacker, on_progress, cancelled=cancelled, timeout=timeout)
            sink.write(repacker.begin(above(plan.placement.names)))
            paths = [_send(*each, sink, total_known=only_file) for each in sources]
            sink.finish(ARCHIVE_END)
            if writer.wait(timeout=timeout) or sink.broken:
                doing, said = f"cannot write to {plan.where}", writer.complaint
                raise failure(plan.engine, plan.info, doing=doing, said=said)
        notes: list[str] = []
        if options.verify:
            for (source, _), by, came in zip(sources, tools, paths, strict=True):
                made = repacker.sums(by)
                sums = {path: made[place] for place, path in came.items() if place in made}
                notes += verify_got(source.engine, source.info, sums, by, cancelled=cancelled)
        if stage is None:
            notes += verify_arrived(plan, _named(repacker.own_sizes), timeout=timeout)
        else:
            sums = _named(repacker.sums(tool))
            notes += verify_staged(plan, stage.path, sums, tool, cancelled=cancelled)
            stage.place(repacker.extent, clobber=not options.no_clobber)
    return repacker, list(dict.fromkeys(notes))


def _tool(plan: Plan | GetPlan) -> str | None:
    return checksum.tool_of(plan.probe.tools) if plan.probe.by_exec else None


def _named(by_place: Mapping[Parts, _T]) -> dict[str, _T]:
    return {"/".join(place): value for place, value in by_place.items()}


class _Sink:
    """Bytes on their way into the other container, gathered: many files are small."""

    def __init__(
        self,
        child: Child,
        repacker: Repacker,
        on_progress: Callable[[int, int | None], None] | None,
        *,
        cancelled: Callable[[], bool] | None,
        timeout: float,
    ) -> None:
        self._child = child
        self.repacker = repacker
        self._on_progress = on_progress
        self._waiting = bytearray()
        self.cancelled = cancelled
        self.timeout = timeout
        #: The child takes no more; its exit status says why.
        self.broken = False

    def pack(self, event: Member | Data | FileEnd) -> None:
        """Take an event of the foreign archive."""
        self.write(self.repacker.pack(event))

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
            self._on_progress(self.repacker.bytes, self.repacker.total)


def _send(
    source: GetPlan, selection: Selection, sink: _Sink, *, total_known: bool
) -> dict[Parts, str]:
    """Move what was selected of one source; return the path of each place, if it is verified."""
    paths: dict[Parts, str] = {}
    if not selection.any:
        return paths
    by_name = selection.sources is not None
    kept = frozenset[Parts]() if by_name else frozenset(map(split_name, selection.kept))
    for shipment in shipments(source, selection):
        sink.repacker.next_source(
            shipment.place,
            wanted=(lambda place: place not in kept) if kept else None,
            total_known=total_known and not source.options.choosy,
        )
        _pass_on(source, shipment, sink, paths)
        for members in sink.repacker.late.values():
            _send_late(source, shipment, members, sink, paths)
    return paths


def _send_late(
    source: GetPlan,
    shipment: Shipment,
    members: Sequence[Member],
    sink: _Sink,
    paths: dict[Parts, str],
) -> None:
    """Move a file whose content came under another name, which was not wanted."""
    first, *others = members
    place = shipment.place(first.name)
    path = shipment.path_of(first.name)
    only = alone(source.engine, source.info, source.origins[0], path)
    for each in shipments(changed(source, origins=(only,)), Selection()):
        sink.repacker.next_source(lambda _: place)
        _pass_on(source, each, sink, paths)
    sink.repacker.next_source(shipment.place)
    for other in others:
        sink.pack(changed(other, target=first.name))
        paths[shipment.place(other.name)] = shipment.path_of(other.name)


def _pass_on(source: GetPlan, shipment: Shipment, sink: _Sink, paths: dict[Parts, str]) -> None:
    """Move one archive from its container to the other."""
    verify = source.options.verify
    with (
        Child(shipment.argv, cancelled=sink.cancelled) as reader,
        unpacking(
            source.engine,
            source.info,
            reader,
            where=shipment.where,
            timeout=sink.timeout,
            by_gnu_tar=shipment.by_gnu_tar,
        ) as incoming,
    ):
        for event in incoming:
            if isinstance(event, Member):
                if verify:
                    paths[sink.repacker.place(event.name)] = shipment.path_of(event.name)
                sink.pack(shipment.exact(event))
            else:
                sink.pack(event)
            if sink.broken:
                return
