"""Get files out of a container."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ctrkernel.errors import TransferError, one_line
from ctrkernel.transfer import checksum
from ctrkernel.transfer.choice import Choice
from ctrkernel.transfer.client import client_for
from ctrkernel.transfer.container_paths import container_paths
from ctrkernel.transfer.destination import local_destination
from ctrkernel.transfer.extract import Attributes, Extractor, Limits
from ctrkernel.transfer.get_choice import Here, Selection, choose, listed
from ctrkernel.transfer.options import USUAL, Options
from ctrkernel.transfer.origin import Origin, origin_of
from ctrkernel.transfer.owner import local_owner
from ctrkernel.transfer.paths import only
from ctrkernel.transfer.placement import Found, place
from ctrkernel.transfer.remote import STALL_TIMEOUT, look, stoppable, unpacking
from ctrkernel.transfer.shipment import Receiver, shipments
from ctrkernel.transfer.sources import local_paths
from ctrkernel.transfer.stage import LocalStage
from ctrkernel.transfer.summary import TransferSummary
from ctrkernel.transfer.verify import verify_got

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.engine import Engine
    from ctrkernel.transfer.paths import TypedPath
    from ctrkernel.transfer.placement import Destination, Placement
    from ctrkernel.transfer.probe import Probe


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
    target = local_destination(only(local_paths(destination), destination))
    named = container_paths(engine, container, sources, base=base, home=home, values=values or {})
    plan = _plan(engine, container, [one for each in named for one in each], target, options)
    with stoppable(engine, f"the get of {plan.where}", timeout=stall_timeout):
        selection = _select(plan, timeout=stall_timeout, cancelled=cancelled)
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
    info, probe = look(engine, container, [one.path for one in typed], weigh=True)
    origins = [
        origin_of(engine, info, probe, one, there, follow_link=options.follow_link)
        for one, there in zip(typed, probe.paths, strict=True)
    ]
    placement = place([origin.source for origin in origins], target, parents=options.parents)
    return Plan(engine, info, probe, tuple(origins), placement, options)


def _select(plan: Plan, *, timeout: float, cancelled: Callable[[], bool] | None) -> Selection:
    if not plan.options.choosy:
        return Selection()
    there = listed(plan, timeout=timeout, cancelled=cancelled)
    here = Here(plan.placement.folder)
    return choose(plan, there, here, Choice(plan.options), cancelled=cancelled)


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
    paths: dict[tuple[str, ...], str] = {}
    with LocalStage(plan.placement.folder) as stage:
        with Extractor(
            stage.path,
            limits=limits,
            attributes=_attributes(options, notes),
            digest=checksum.TOOLS[tool][0] if tool is not None else None,
        ) as extractor:
            for shipment in shipments(plan, selection):
                receiver = Receiver(
                    extractor,
                    shipment,
                    on_progress=on_progress,
                    total=None if one_file else selection.total,
                    total_comes=one_file,
                    paths=paths if tool is not None else None,
                )
                with (
                    client_for(
                        plan.engine,
                        plan.info,
                        shipment.argv,
                        folder=shipment.path,
                        size=shipment.size,
                        put=False,
                        cancelled=cancelled,
                        inherit=[stage.life],
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
                receiver.require_content()
            extractor.finish()
        if options.verify:
            digests = {paths[place]: digest for place, digest in extractor.digests.items()}
            notes += verify_got(plan.engine, plan.info, digests, tool, cancelled=cancelled)
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
