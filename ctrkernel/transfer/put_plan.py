"""All that is looked at in a container before anything moves into it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ctrkernel.errors import TransferError, one_line
from ctrkernel.transfer.party import Party, needs_users, party_of, require_writable
from ctrkernel.transfer.placement import Found, Placement, Source, place
from ctrkernel.transfer.remote import destination_of, look
from ctrkernel.transfer.remote_stage import RemoteStage
from ctrkernel.transfer.route import Route, put_route

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.engine import Engine
    from ctrkernel.transfer.options import Options
    from ctrkernel.transfer.paths import TypedPath
    from ctrkernel.transfer.probe import Probe
    from ctrkernel.transfer.tree import Root


@dataclass(frozen=True, slots=True)
class Plan:
    """A put that can begin: all that was looked at before anything moved.

    Args:
        engine: The engine.
        info: The container.
        probe: What is known of it.
        party: Who puts.
        placement: Where the sources land.
        route: The way in.
        options: What was asked.
        roots: What comes from this machine.
    """

    engine: Engine
    info: ContainerInfo
    probe: Probe
    party: Party
    placement: Placement
    route: Route
    options: Options
    roots: tuple[Root, ...] = ()

    @property
    def where(self) -> str:
        """The destination folder, for messages."""
        return f"{self.info.name}:{one_line(self.placement.folder)}"

    def stage(self) -> RemoteStage | None:
        """Return a stage beside the place; None where the container cannot move what is in it."""
        if not (self.probe.by_exec and {"mv", "rm"} <= self.probe.tools):
            return None
        return RemoteStage(
            self.engine,
            self.info,
            folder=self.placement.folder,
            user=self.party.user or self.info.user or "0",
            boot=self.probe.boot,
        )


def plan_put(
    engine: Engine,
    container: ContainerInfo,
    sources: Sequence[Source],
    target: TypedPath,
    *,
    options: Options,
    pid: int = 0,
    into_file: bool = False,
) -> Plan:
    """Look at where `sources` shall go.

    Args:
        engine: The engine.
        container: Where to.
        sources: What will come.
        target: The destination.
        options: What was asked.
        pid: The shell, in the container; 0 for none.
        into_file: The destination is a file's own path: a folder is refused.

    Raises:
        TransferError: They cannot go there; the message says what to do.
        ContainerNotFound: The container is gone.
    """
    users = needs_users(container, options)
    info, probe = look(engine, container, [target.path], users=users, pid=pid)
    party = party_of(info, probe, options)
    destination = destination_of(info, target, probe.paths[0])
    if into_file and destination.found is Found.FOLDER:
        raise TransferError(f"{info.name}:{one_line(target.shown)} is a folder; name a file")
    placement = place(sources, destination, parents=options.parents)
    route = put_route(info, probe, placement.folder, engine_name=engine.name)
    require_writable(engine, info, party, placement.folder)
    return Plan(engine, info, probe, party, placement, route, options)


def receiver(engine: Engine, info: ContainerInfo, folder: str, route: Route) -> list[str]:
    """Return the argv of the client that reads a tar archive and unpacks it in `folder`."""
    if route is Route.TAR:
        # As root, like the archive API: only root can give files away.
        argv = ["tar", "-xpf", "-", "-C", folder]
        return engine.exec_argv(info.id, argv, interactive=True, user="0")
    # Podman gives everything to the container's root unless told not to; Docker does not.
    options = ["--archive=false"] if engine.name == "podman" else []
    return engine.command("cp", *options, "-", f"{info.id}:{folder}")
