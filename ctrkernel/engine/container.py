"""What an engine says about a container, in the few words that the rest of the code needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ctrkernel.engine.ports import Port, parse_ports
from ctrkernel.engine.times import moment
from ctrkernel.errors import ContainerNotRunning

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Podman's words for states that Docker knows under another name.
_SAME_STATE = {"stopped": "exited", "configured": "created", "initialized": "created"}

_START = "type `{cli} start {name}`, or in a notebook %ctr_start {name}"
#: What to do about each state other than ``running``; ``{cli}`` is the engine's name.
_NEXT_STEP = {
    "created": f"is created but was never started; {_START}",
    "exited": f"is stopped (exit status {{exit_code}}); {_START}",
    "paused": "is paused; type `{cli} unpause {name}`, or in a notebook %ctr_unpause {name}",
    "restarting": "is restarting; wait until it is up, or see why with `{cli} logs {name}`",
    "removing": "is being removed; choose another one from `{cli} ps`",
    "dead": "is dead and cannot be started; remove it with `{cli} rm -f {name}`",
}


@dataclass(frozen=True, slots=True)
class Mount:
    """One mount of a container, as the engine was told of it.

    Args:
        type: ``bind``, ``volume``, ``tmpfs`` or another word of the engine's.
        source: The host's path or the volume's name; empty for a tmpfs.
        destination: The absolute path in the container.
        rw: False if it is mounted read-only.
    """

    type: str
    source: str
    destination: str
    rw: bool


@dataclass(frozen=True, slots=True)
class ContainerInfo:
    """A container as the engine describes it at one moment.

    Args:
        id: The full id.
        name: Without Docker's leading slash.
        image: The image as it was named when the container was made.
        image_id: The image's id.
        state: ``running``, ``paused``, ``exited``, ``created``, ``restarting``, ``removing`` or
            ``dead``.
        exit_code: Of the main process, once it has ended.
        pid: Of the main process on the engine's host; 0 if there is none.
        user: As configured: a name, a uid, either with a group, or empty for root.
        workdir: Where an exec starts; empty means ``/``.
        mounts: Binds, volumes, and tmpfs mounts, in the engine's order.
        read_only: Whether the root file system is mounted read-only.
        created: When it was made, as the engine writes it (RFC 3339).
        labels: Compose's project and service stand here.
        health: ``starting``, ``healthy``, ``unhealthy``, or None without a health check.
        ports: Its ports, published or not.
        started: When its main process last started, as the engine writes it; empty for never.
        finished: When that last ended; empty for never.
    """

    id: str
    name: str
    image: str
    image_id: str
    state: str
    exit_code: int
    pid: int
    user: str
    workdir: str
    mounts: tuple[Mount, ...] = ()
    read_only: bool = False
    created: str = ""
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    health: str | None = None
    ports: tuple[Port, ...] = ()
    started: str = ""
    finished: str = ""

    @property
    def running(self) -> bool:
        """Whether an exec can start in it."""
        return self.state == "running"

    @property
    def tmpfs(self) -> tuple[str, ...]:
        """The paths that are memory: the archive API does not see what lies there."""
        return tuple(mount.destination for mount in self.mounts if mount.type == "tmpfs")

    @property
    def compose(self) -> tuple[str, str] | None:
        """Compose's project and service, for a container that compose made."""
        project = self.labels.get("com.docker.compose.project")
        service = self.labels.get("com.docker.compose.service")
        return (project, service) if project and service else None


def not_running(info: ContainerInfo, cli: str) -> ContainerNotRunning | None:
    """Say why `info` takes no exec and what to type, or None if it does.

    Args:
        info: The container.
        cli: The engine's name, as a person types it.
    """
    if info.running:
        return None
    step = _NEXT_STEP.get(info.state, "is in state '{state}'; look at it with `{cli} ps -a`")
    said = step.format(cli=cli, name=info.name, exit_code=info.exit_code, state=info.state)
    return ContainerNotRunning(f"container {info.name} {said}")


def parse_inspect(document: Mapping[str, Any]) -> ContainerInfo:
    """Read one element of what ``docker container inspect`` or Podman's prints.

    Docker: Engine API, ``ContainerInspect``; Podman: ``define.InspectContainerData``, which
    follows it but for the name's slash, ``ImageName``, and a few state words.
    """
    state = document.get("State") or {}
    config = document.get("Config") or {}
    host = document.get("HostConfig") or {}
    network = document.get("NetworkSettings") or {}
    status = str(state.get("Status", "")).lower()
    health = (state.get("Health") or state.get("Healthcheck") or {}).get("Status") or None
    return ContainerInfo(
        id=str(document["Id"]),
        name=str(document.get("Name", "")).lstrip("/"),
        image=str(config.get("Image") or document.get("ImageName") or ""),
        image_id=str(document.get("Image") or ""),
        state=_SAME_STATE.get(status, status),
        exit_code=int(state.get("ExitCode") or 0),
        pid=int(state.get("Pid") or 0),
        user=str(config.get("User") or ""),
        workdir=str(config.get("WorkingDir") or ""),
        mounts=_mounts(document.get("Mounts") or [], host.get("Tmpfs") or {}),
        read_only=bool(host.get("ReadonlyRootfs")),
        created=str(document.get("Created") or ""),
        labels=dict(config.get("Labels") or {}),
        health=None if health == "none" else health,
        # A container that does not run has no ports, only the wish for them.
        ports=parse_ports(network.get("Ports") or host.get("PortBindings") or {}),
        started=_happened(state.get("StartedAt")),
        finished=_happened(state.get("FinishedAt")),
    )


def _happened(text: object) -> str:
    return str(text) if moment(str(text)) is not None else ""


def _mounts(listed: list[Mapping[str, Any]], tmpfs: Mapping[str, str]) -> tuple[Mount, ...]:
    """Join the mounts with ``--tmpfs``, which engines list apart, as path to options."""
    mounts = [
        Mount(
            type=str(mount.get("Type", "")),
            source=str(mount.get("Name") or mount.get("Source") or ""),
            destination=str(mount.get("Destination", "")),
            rw=bool(mount.get("RW", True)),
        )
        for mount in listed
    ]
    known = {mount.destination for mount in mounts}
    mounts += [
        Mount(type="tmpfs", source="", destination=path, rw="ro" not in options.split(","))
        for path, options in tmpfs.items()
        if path not in known
    ]
    return tuple(mounts)
