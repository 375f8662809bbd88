"""What moves an archive between here and a container: the engine's client, or its socket."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ctrkernel.engine.archive_socket import ArchiveSocket, socket_of
from ctrkernel.engine.process import Child
from ctrkernel.transfer.probe import LARGE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.engine import Engine

Client = Child | ArchiveSocket


def client_for(
    engine: Engine,
    info: ContainerInfo,
    argv: Sequence[str],
    *,
    folder: str | None,
    size: int,
    put: bool,
    cancelled: Callable[[], bool] | None = None,
    inherit: Sequence[int] = (),
) -> Client:
    """Start to move an archive; what is large goes over the engine's socket, where there is one.

    Args:
        engine: The engine.
        info: The container.
        argv: The client that can do it.
        folder: What the engine itself unpacks into, or packs; None if a tar in the container does.
        size: Bytes that will move, as far as is known.
        put: Whether they go into the container.
        cancelled: Asked now and then; true raises ``process.Cancelled``.
        inherit: Descriptors that stay open in a client.
    """
    if folder is not None and size >= LARGE:
        path = socket_of(engine)
        # Who may use the client and not the socket has a client that is more than it seems.
        with contextlib.suppress(OSError):
            if path is not None:
                return ArchiveSocket(path, info.id, folder, put=put, cancelled=cancelled)
    return Child(argv, cancelled=cancelled, inherit=inherit, wide=True)
