"""Put files into a container."""

from __future__ import annotations

import stat
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ctrkernel.engine.process import Stalled
from ctrkernel.errors import TransferError
from ctrkernel.transfer import checksum
from ctrkernel.transfer.client import Client, client_for
from ctrkernel.transfer.container_paths import container_paths
from ctrkernel.transfer.options import USUAL, Options
from ctrkernel.transfer.pack import Extent, FileSlice, Packer
from ctrkernel.transfer.paths import TypedPath, only
from ctrkernel.transfer.put_choice import Selection, select
from ctrkernel.transfer.put_plan import Plan, plan_put, receiver
from ctrkernel.transfer.remote import STALL_TIMEOUT, failure, stoppable
from ctrkernel.transfer.route import Route
from ctrkernel.transfer.sources import local_sources
from ctrkernel.transfer.summary import TransferSummary
from ctrkernel.transfer.tree import Root, changed, unreadable
from ctrkernel.transfer.verify import verify_arrived, verify_staged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.engine import Engine
    from ctrkernel.transfer.placement import Source
    from ctrkernel.transfer.remote_stage import RemoteStage

#: Bytes that are collected before they are handed to the client: many files are small.
SEND_SIZE: Final = 256 * 1024
#: Entries from which on tar in the container is faster than the engine's archive, if they are
#: small on average: each costs the engine three times as much (`make bench`).
MANY_ENTRIES: Final = 64
SMALL_ENTRY: Final = 64 * 1024


def put(
    engine: Engine,
    container: ContainerInfo,
    sources: Sequence[str],
    destination: str,
    *,
    base: str,
    home: str | None,
    values: Mapping[str, str] | None = None,
    pid: int = 0,
    options: Options = USUAL,
    on_progress: Callable[[int, int | None], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    stall_timeout: float = STALL_TIMEOUT,
) -> TransferSummary:
    """Put `sources`, on this machine, to `destination`, in the container.

    New content is staged beside its place and renamed, so that a put that fails leaves the
    destination as it was. Where the container cannot run `mv` (it is stopped or paused, or the
    image has no shell) the engine writes in place, as ``docker cp`` does.

    Args:
        engine: The engine.
        container: Where to.
        sources: Paths on this machine; ``folder/.`` means what is in it. In a
            :class:`~ctrkernel.transfer.words.Word` patterns, variables and ``~`` mean what they
            mean; a plain string is a name, but for ``~/``.
        destination: A path in the container; the same.
        base: The folder that a relative `destination` starts from.
        home: What ``~`` means in `destination`.
        values: The variables of the shell that `destination` uses.
        pid: The shell, in the container; 0 for none. What arrives belongs to its user.
        options: See :class:`~ctrkernel.transfer.options.Options`.
        on_progress: Called with the bytes of content sent and in all.
        cancelled: Asked now and then; true stops the put.
        stall_timeout: Seconds in which not a byte moves before it is given up.

    Raises:
        TransferError: It could not be done; the message says what to do.
        TransferInterrupted: `cancelled` said so.
        ContainerNotFound: The container is gone.
    """
    if not sources:
        raise TransferError("nothing to put; name a file or a folder, and then the destination")
    found = local_sources(sources, follow_link=options.follow_link)
    targets = container_paths(
        engine, container, [destination], base=base, home=home, values=values or {}
    )
    return deliver(
        engine,
        container,
        found,
        only(targets[0], destination),
        options=options,
        pid=pid,
        on_progress=on_progress,
        cancelled=cancelled,
        stall_timeout=stall_timeout,
    )


def deliver(
    engine: Engine,
    container: ContainerInfo,
    found: Sequence[tuple[Source, Root]],
    target: TypedPath,
    *,
    options: Options,
    pid: int,
    on_progress: Callable[[int, int | None], None] | None,
    cancelled: Callable[[], bool] | None,
    stall_timeout: float,
) -> TransferSummary:
    """Put what was found to `target`; see :func:`put`. The roots get their names here."""
    started = time.monotonic()
    plan = plan_put(
        engine,
        container,
        [source for source, _ in found],
        target,
        options=options,
        pid=pid,
        into_file=any(root.content is not None for _, root in found),
    )
    roots = [
        replace(root, name=name)
        for (_, root), name in zip(found, plan.placement.names, strict=True)
    ]
    plan = replace(plan, roots=tuple(roots))
    with stoppable(engine, f"the put to {plan.where}", timeout=stall_timeout):
        selection = select(plan, timeout=stall_timeout, cancelled=cancelled)
        notes: list[str] = []
        extent = selection.extent
        if extent.entries and not options.dry_run:
            notes = _deliver(
                plan,
                selection,
                on_progress=on_progress,
                cancelled=cancelled,
                stall_timeout=stall_timeout,
            )
    return TransferSummary(
        files=extent.files,
        bytes=extent.bytes,
        duration=time.monotonic() - started,
        destination=f"{plan.info.name}:{plan.placement.result}",
        notes=(*selection.notes(), *notes),
    )


def _deliver(
    plan: Plan,
    selection: Selection,
    *,
    on_progress: Callable[[int, int | None], None] | None,
    cancelled: Callable[[], bool] | None,
    stall_timeout: float,
) -> list[str]:
    """Send what was selected; return what the summary should say."""
    extent, options, probe = selection.extent, plan.options, plan.probe
    tool = checksum.tool_of(probe.tools) if options.verify and probe.by_exec else None
    stage = plan.stage()
    route = _faster(plan, extent, staged=stage is not None)
    packer = Packer(
        plan.roots,
        stage=None if stage is None else stage.name,
        owner=plan.party.owner,
        mode=options.mode,
        pax=route is Route.ARCHIVE or probe.gnu_tar,
        sparse=route is Route.TAR and probe.gnu_tar,
        wanted=selection.wanted,
        digest=checksum.TOOLS[tool][0] if tool is not None else None,
    )
    # With tar in the container one exec unpacks and places; else the engine unpacks and we place.
    at_once = stage is not None and route is Route.TAR and tool is None
    clobber = not options.no_clobber
    with ExitStack() as stack:
        if stage is not None:
            stack.enter_context(stage)
        if stage is not None and at_once:
            argv = stage.unpack_argv(extent, clobber=clobber)
        else:
            argv = receiver(plan.engine, plan.info, plan.placement.folder, route)
        sender = _Sender(packer, extent, on_progress=on_progress, stall_timeout=stall_timeout)
        inherit = [] if stage is None else [stage.life]
        with client_for(
            plan.engine,
            plan.info,
            argv,
            folder=plan.placement.folder if route is Route.ARCHIVE else None,
            size=extent.bytes,
            put=True,
            cancelled=sender.unless_sent(cancelled),
            inherit=inherit,
        ) as child:
            code = sender.send(child)
        if code:
            raise _failed(plan, stage if at_once else None, code, sender, extent)
        if stage is None:
            sizes = {
                found.name: found.status.st_size
                for found in packer.walk()
                if stat.S_ISREG(found.status.st_mode) and found.status.st_nlink == 1
            }
            return [*packer.notes, *verify_arrived(plan, sizes, timeout=stall_timeout)]
        notes = verify_staged(plan, stage.path, packer.digests, tool, cancelled=cancelled)
        if at_once:
            stage.tidy(sender.said)
        else:
            stage.place(packer.packed, clobber=clobber)
    return [*packer.notes, *notes]


def _faster(plan: Plan, extent: Extent, *, staged: bool) -> Route:
    """Choose tar in the container where both ways are open and it is faster, or keeps more."""
    probe = plan.probe
    able = staged and probe.gnu_tar and "tar" in probe.tools and probe.almighty
    if plan.route is Route.TAR or not able:
        return plan.route
    many = extent.entries >= MANY_ENTRIES and extent.bytes < extent.entries * SMALL_ENTRY
    # The engine fills the holes of a file.
    return Route.TAR if many or extent.sparse else Route.ARCHIVE


def _failed(
    plan: Plan, stage: RemoteStage | None, code: int, sender: _Sender, extent: Extent
) -> TransferError:
    if stage is not None:
        return stage.explain(code, sender.said, sender.complaint, extent)
    doing = f"cannot write to {plan.where}"
    return failure(plan.engine, plan.info, doing=doing, said=sender.complaint)


class _Sender:
    """Feeds an archive to a client."""

    def __init__(
        self,
        packer: Packer,
        extent: Extent,
        *,
        on_progress: Callable[[int, int | None], None] | None,
        stall_timeout: float,
    ) -> None:
        self._packer = packer
        self._extent = extent
        self._on_progress = on_progress
        self._stall_timeout = stall_timeout
        self._sent = 0
        self._complete = False
        #: What the client printed, and what it said on stderr.
        self.said = ""
        self.complaint = ""

    def unless_sent(self, cancelled: Callable[[], bool] | None) -> Callable[[], bool]:
        """Return `cancelled`, which does not count once the other side has all of it."""
        return lambda: not self._complete and cancelled is not None and cancelled()

    def send(self, child: Client) -> int:
        """Send all of it and return the client's exit status.

        Raises:
            TransferError: A file cannot be read, or there is not what was measured.
        """
        if self._feed(child):
            self._complete = True
        child.close_stdin()
        said = bytearray()
        while len(said) < SEND_SIZE and (data := child.read(timeout=self._stall_timeout)):
            said += data
        code = child.wait(timeout=self._stall_timeout)
        self.said, self.complaint = said.decode(errors="replace"), child.complaint
        return code

    def _feed(self, child: Client) -> bool:
        """Write the archive; false if the client no longer reads."""
        waiting = bytearray()
        held = b""
        for piece, content in self._packer.chunks():
            if isinstance(piece, FileSlice):
                waiting += held
                held = b""
                if not (self._write(child, waiting) and self._write_file(child, piece)):
                    return False
                waiting = bytearray()
                self._progress(content, done=piece.size)
                continue
            # The last piece is the end of the archive: it goes when all is known to be right.
            waiting += held
            held = piece
            self._progress(content)
            if len(waiting) >= SEND_SIZE:
                if not self._write(child, waiting):
                    return False
                waiting = bytearray()
        packed = self._packer.packed
        if (packed.files, packed.weight) != (self._extent.files, self._extent.weight):
            raise changed("what is to be put")
        return self._write(child, waiting + held)

    def _write(self, child: Client, data: bytearray) -> bool:
        return not data or child.write(data, timeout=self._stall_timeout)

    def _write_file(self, child: Client, piece: FileSlice) -> bool:
        left = piece.size
        while left:
            try:
                moved = child.write_file(piece.descriptor, left, timeout=self._stall_timeout)
            except OSError as error:
                if isinstance(error, Stalled):
                    raise
                raise unreadable(piece.path, error) from error
            if moved < 0:
                return False
            if not moved:
                raise changed(piece.path)
            left -= moved
            self._progress(moved)
        return True

    def _progress(self, moved: int, *, done: int = 0) -> None:
        self._sent += moved - done
        if self._on_progress is not None and moved:
            self._on_progress(self._sent, self._extent.bytes)
