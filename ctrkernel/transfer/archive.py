"""What is at a path in a container that runs no command: its archive is opened and looked at.

A container that is stopped or paused, or whose image has no shell, still has the engine's
archive API. The first header of a path's archive says what is there.
"""

from __future__ import annotations

import posixpath
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from ctrkernel.engine.process import Child, Stalled
from ctrkernel.errors import TransferError
from ctrkernel.protocol.tar_stream import Data, FileEnd, Kind, Member, TarError
from ctrkernel.transfer.incoming import Incoming, unsafe
from ctrkernel.transfer.placement import Found
from ctrkernel.transfer.probe import MountPoint, Probe, RemotePath

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.engine import Engine

#: Seconds until the first header has come.
HEADER_TIMEOUT: Final = 30.0
#: Links that are followed one after the other: Linux's own limit (path_resolution(7)).
LINK_LIMIT: Final = 40
#: Bytes of a user or group file that are read.
USERS_LIMIT: Final = 1024 * 1024
#: File systems in memory or made by the kernel that every container has: the engine mounts them
#: when it runs, and its archive API does not show them.
_BUILT_IN = {"/dev": "tmpfs", "/dev/shm": "tmpfs", "/proc": "proc", "/sys": "sysfs"}  # noqa: S108
_KINDS = {Kind.FILE: Found.FILE, Kind.FOLDER: Found.FOLDER, Kind.LINK: Found.LINK}


def probe_by_archive(
    engine: Engine, container: ContainerInfo, paths: Sequence[str], *, users: bool = False
) -> Probe:
    """Look at `paths` through the archive API, and at the mounts as the engine was told of them.

    Args:
        engine: The engine.
        container: Running or not.
        paths: Absolute, without a trailing slash.
        users: Whether the user and group files are wanted.

    Raises:
        TransferError: The engine did not answer in time.
    """
    files = ("/etc/passwd", "/etc/group") if users else ()
    passwd, group = (_text(engine, container, path) for path in files) if users else ("", "")
    return Probe(
        paths=tuple(_look(engine, container, path) for path in paths),
        mounts=_declared_mounts(container),
        by_exec=False,
        passwd=passwd,
        group=group,
    )


def _look(engine: Engine, container: ContainerInfo, path: str) -> RemotePath:
    if path == "/":
        return RemotePath(path=path, found=Found.FOLDER, link=False, parent="/", real="/")
    header = _first_member(engine, container, path)
    if header is None:
        return _look_at_missing(engine, container, path)
    link = header.kind is Kind.LINK
    real = path
    for _ in range(LINK_LIMIT):
        if header is None or header.kind is not Kind.LINK:
            break
        real = posixpath.normpath(posixpath.join(posixpath.dirname(real), header.target))
        header = _first_member(engine, container, real)
    found = Found.MISSING if header is None else _KINDS.get(header.kind, Found.OTHER)
    return RemotePath(
        path=path,
        found=Found.MISSING if found is Found.LINK else found,
        link=link,
        parent=posixpath.dirname(path),
        real=real,
    )


def _look_at_missing(engine: Engine, container: ContainerInfo, path: str) -> RemotePath:
    missing, parent = None, posixpath.dirname(path)
    blocked = False
    while True:
        there = _look(engine, container, parent)
        if there.found is Found.FOLDER:
            break
        missing, blocked = parent, there.found is not Found.MISSING
        if blocked:
            break
        parent = posixpath.dirname(parent)
    if missing is None:
        return RemotePath(
            path=path,
            found=Found.MISSING,
            link=False,
            parent=parent,
            real=path,
            above=there.real or parent,
            rest=posixpath.basename(path),
        )
    return RemotePath(
        path=path,
        found=Found.MISSING,
        link=False,
        parent=None,
        real=None,
        missing=missing,
        blocked=blocked,
        above=there.real or parent,
        rest=path[len(posixpath.dirname(missing)) :].lstrip("/"),
    )


def _first_member(engine: Engine, container: ContainerInfo, path: str) -> Member | None:
    """Return the first header of the archive of `path`; None if there is nothing.

    The client is ended at once: as long as it runs the engine holds the container's lock.
    """
    with _archive(engine, container, path) as incoming:
        event = incoming.next()
    return event if isinstance(event, Member) else None


def _text(engine: Engine, container: ContainerInfo, path: str) -> str:
    """Return the text of a small file; empty if there is none."""
    content = bytearray()
    with _archive(engine, container, path, "-L") as incoming:
        for event in incoming:
            match event:
                case Data(data) if len(content) <= USERS_LIMIT:
                    content += data
                case Member(kind=Kind.FILE):
                    pass
                case FileEnd():
                    return content.decode("utf-8", "surrogateescape")
                case _:
                    break
    return ""


@contextmanager
def _archive(
    engine: Engine, container: ContainerInfo, path: str, *options: str
) -> Iterator[Incoming]:
    try:
        with Child(engine.command("cp", *options, f"{container.id}:{path}", "-")) as child:
            yield Incoming(child, timeout=HEADER_TIMEOUT)
    except Stalled as error:
        raise TransferError(
            f"the engine did not answer about {path} within {HEADER_TIMEOUT:g} s; try again"
        ) from error
    except TarError as error:
        raise unsafe(f"{container.name}:{path}", error) from error


def _declared_mounts(container: ContainerInfo) -> tuple[MountPoint, ...]:
    built_in = [
        MountPoint(path=path, type=kind, read_only=False) for path, kind in _BUILT_IN.items()
    ]
    declared = [
        MountPoint(path=mount.destination, type=mount.type, read_only=not mount.rw)
        for mount in container.mounts
    ]
    root = MountPoint(path="/", type="overlay", read_only=container.read_only)
    return (root, *built_in, *declared)
