"""Which way the bytes take: the engine's archive API, or tar inside the container.

The archive API mounts the container's file system and its volumes anew, so it does not see what
only the running container has: a put into a tmpfs there succeeds and is nowhere to be found, a
get brings what lies below the mount. So the mounts are looked at first.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from ctrkernel.engine.raw_words import is_utf8
from ctrkernel.errors import TransferError, one_line

if TYPE_CHECKING:
    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.transfer.probe import MountPoint, Probe

#: Files that the engine mounts into every container, and that its archive API knows.
_ENGINE_FILES = frozenset({"/etc/hostname", "/etc/hosts", "/etc/resolv.conf"})
#: File systems whose files have no size to put into an archive.
SIZELESS = frozenset({"proc", "sysfs", "cgroup", "cgroup2", "debugfs", "tracefs"})
#: Mounts below these are the system's; nobody puts files there.
_SYSTEM = ("/dev", "/proc", "/sys")


class Route(enum.Enum):
    """The way the bytes take."""

    ARCHIVE = "archive"
    TAR = "tar"


def put_route(container: ContainerInfo, probe: Probe, folder: str, *, engine_name: str) -> Route:
    """Choose the way into `folder`, a path without links.

    Raises:
        TransferError: Nothing can be written there, or nothing can reach it.
    """
    mount = mount_of(probe.mounts, folder)
    where = f"{container.name}:{one_line(folder)}"
    if mount.read_only:
        raise TransferError(f"{where} is on a read-only file system; {_writable(probe.mounts)}")
    if mount.type in SIZELESS:
        raise TransferError(
            f"{where} is on {mount.type}, which takes no files; name another folder"
        )
    _require_name(probe, folder, where)
    by_archive = _shown_by_archive(container, mount) and is_utf8(folder)
    if by_archive and not container.read_only:
        return Route.ARCHIVE
    if "tar" in probe.tools:
        return Route.TAR
    if _shown_by_archive(container, mount):
        return Route.ARCHIVE
    raise _out_of_reach(container, probe, where, mount, engine_name)


def get_route(
    container: ContainerInfo, probe: Probe, path: str, *, is_folder: bool, engine_name: str
) -> Route:
    """Choose the way out of `path`, a path without links.

    Raises:
        TransferError: Nothing can reach it.
    """
    mount = mount_of(probe.mounts, path)
    where = f"{container.name}:{one_line(path)}"
    if mount.type in SIZELESS:
        raise TransferError(
            f"{where} is on {mount.type}, whose files have no size; "
            "copy it to a file first, such as with `cat … > /tmp/copy` in a cell, and get that"
        )
    _require_name(probe, path, where)
    hidden = not _shown_by_archive(container, mount) or not is_utf8(path)
    inside = path.rstrip("/") + "/"
    # What is mounted below a folder belongs to it; for `/` that would be /proc and all.
    below = is_folder and any(
        other.path.startswith(inside) and not _shown_by_archive(container, other)
        for other in probe.mounts
        if not _is_system(other.path)
    )
    if (hidden or below) and "tar" in probe.tools and path != "/":
        return Route.TAR
    if hidden:
        raise _out_of_reach(container, probe, where, mount, engine_name)
    return Route.ARCHIVE


def mount_of(mounts: tuple[MountPoint, ...], path: str) -> MountPoint:
    """Return the mount on which `path` lies: the longest that contains it, the last of equals."""
    covering = [
        mount
        for mount in mounts
        if path == mount.path or path.startswith(mount.path.rstrip("/") + "/")
    ]
    return max(reversed(covering), key=lambda mount: len(mount.path))


def _shown_by_archive(container: ContainerInfo, mount: MountPoint) -> bool:
    if mount.path == "/" or mount.path in _ENGINE_FILES:
        return True
    declared = {one.destination.rstrip("/") for one in container.mounts if one.type != "tmpfs"}
    return mount.path in declared


def _require_name(probe: Probe, path: str, where: str) -> None:
    """Refuse what only the engine could reach: it takes such a name for another."""
    if not is_utf8(path) and "tar" not in probe.tools:
        raise TransferError(
            f"the name of {where} is no UTF-8, and only tar in the container could reach it; "
            "rename it, or copy the folder that it is in"
        )


def _is_system(path: str) -> bool:
    return any(path == one or path.startswith(f"{one}/") for one in _SYSTEM)


def _writable(mounts: tuple[MountPoint, ...]) -> str:
    found = [
        mount.path
        for mount in mounts
        if not mount.read_only
        and not _is_system(mount.path)
        and mount.path not in _ENGINE_FILES
        and mount_of(mounts, mount.path) == mount
    ]
    if not found:
        return "nothing in this container can be written; mount a volume into it"
    return f"what can be written: {', '.join(found[:5])}"


def _out_of_reach(
    container: ContainerInfo, probe: Probe, where: str, mount: MountPoint, engine_name: str
) -> TransferError:
    if container.state == "paused":
        next_step = f"type `{engine_name} unpause {container.name}`"
    elif not container.running:
        next_step = f"type `{engine_name} start {container.name}`"
    elif probe.by_exec:
        next_step = "the image has no tar: install it, or mount a volume there"
    else:
        next_step = "the image has no shell: name another folder, or mount a volume there"
    return TransferError(
        f"{where} is on a {mount.type} that only a command in the container can reach; {next_step}"
    )
