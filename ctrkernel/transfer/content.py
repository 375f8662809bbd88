"""Content that is in memory, on its way into one file of a container or out of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ctrkernel.engine.process import Child
from ctrkernel.errors import TransferError, one_line
from ctrkernel.protocol.tar_stream import (
    ArchiveEnd,
    Data,
    FileEnd,
    Kind,
    Member,
    TarError,
)
from ctrkernel.transfer.options import Options
from ctrkernel.transfer.origin import origin_of
from ctrkernel.transfer.paths import container_path
from ctrkernel.transfer.placement import Found, Source
from ctrkernel.transfer.put import deliver
from ctrkernel.transfer.remote import STALL_TIMEOUT, look, stoppable, unpacking
from ctrkernel.transfer.tree import Content, Root

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.engine import Engine
    from ctrkernel.transfer.incoming import Incoming
    from ctrkernel.transfer.summary import TransferSummary

#: Bytes that :func:`get_bytes` takes into memory unless it is told otherwise.
CONTENT_LIMIT: Final = 64 * 1024 * 1024


def put_bytes(
    engine: Engine,
    container: ContainerInfo,
    data: bytes,
    destination: str,
    *,
    base: str,
    home: str | None,
    pid: int = 0,
    user: str | None = None,
    mode: int | None = None,
    on_progress: Callable[[int, int | None], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    stall_timeout: float = STALL_TIMEOUT,
) -> TransferSummary:
    """Put `data` to the file `destination`, which is made or replaced, all or nothing.

    Args:
        engine: The engine.
        container: Where to.
        data: The file's new content.
        destination: The file's path in the container; a folder is refused.
        base: The folder that a relative `destination` starts from.
        home: What ``~`` means in `destination`.
        pid: The shell, in the container; 0 for none.
        user: Who shall own it, as for ``--user``; None is the shell's user, else the container's.
        mode: Its permission bits; None is 644.
        on_progress: Called with the bytes sent and in all.
        cancelled: Asked now and then; true stops the put.
        stall_timeout: Seconds in which not a byte moves before it is given up.

    Raises:
        TransferError: It could not be done; the message says what to do.
        TransferInterrupted: `cancelled` said so.
        ContainerNotFound: The container is gone.
    """
    target = container_path(destination, base=base, home=home)
    source = Source(shown="the content", found=Found.FILE, name="")
    content = Content(data) if mode is None else Content(data, mode=mode)
    return deliver(
        engine,
        container,
        [(source, Root(path="", name=None, content=content))],
        target,
        options=Options(owner=user),
        pid=pid,
        on_progress=on_progress,
        cancelled=cancelled,
        stall_timeout=stall_timeout,
    )


def get_bytes(
    engine: Engine,
    container: ContainerInfo,
    path: str,
    *,
    base: str,
    home: str | None,
    limit: int = CONTENT_LIMIT,
    cancelled: Callable[[], bool] | None = None,
    stall_timeout: float = STALL_TIMEOUT,
) -> bytes:
    """Return the content of the file `path`; links are followed.

    Args:
        engine: The engine.
        container: Where from.
        path: The file's path in the container.
        base: The folder that a relative `path` starts from.
        home: What ``~`` means in `path`.
        limit: Bytes that it may have.
        cancelled: Asked now and then; true stops the get.
        stall_timeout: Seconds in which not a byte moves before it is given up.

    Raises:
        TransferError: There is no such file, it is larger than `limit`, or it cannot be read.
        TransferInterrupted: `cancelled` said so.
        ContainerNotFound: The container is gone.
    """
    typed = container_path(path, base=base, home=home)
    info, probe = look(engine, container, [typed.path])
    origin = origin_of(engine, info, probe, typed, probe.paths[0], follow_link=True)
    where = f"{info.name}:{one_line(origin.path)}"
    if origin.source.found is Found.FOLDER:
        raise TransferError(f"{where} is a folder; name a file, or get it with %ctr_get")
    with (
        stoppable(engine, f"the get of {where}", timeout=stall_timeout),
        Child(origin.argv, cancelled=cancelled) as child,
        unpacking(engine, info, child, where=where, timeout=stall_timeout) as incoming,
    ):
        return _content(incoming, limit=limit, where=where)


def _content(incoming: Incoming, *, limit: int, where: str) -> bytes:
    """Return the content of the first file of an archive."""
    content = bytearray()
    while True:
        match incoming.next():
            case Member(kind=Kind.FILE, size=size):
                if size > limit:
                    raise TransferError(
                        f"{where} has {size} bytes, more than the {limit} that are taken into "
                        "memory; get it into a file with %ctr_get"
                    )
            case Data(piece):
                content += piece
            case FileEnd():
                return bytes(content)
            case Member() | ArchiveEnd():
                raise TarError("it is no single file")
