"""What puts and gets share: a look at the container, and why its side failed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from ctrkernel.engine.process import Cancelled, Stalled
from ctrkernel.errors import CtrKernelError, TransferError, TransferInterrupted, one_line
from ctrkernel.protocol.tar_stream import TarError
from ctrkernel.transfer.archive import probe_by_archive
from ctrkernel.transfer.incoming import Incoming, unsafe
from ctrkernel.transfer.placement import Destination, Found
from ctrkernel.transfer.probe import Probe, probe_by_exec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.engine import Engine
    from ctrkernel.transfer.client import Client
    from ctrkernel.transfer.paths import TypedPath
    from ctrkernel.transfer.probe import RemotePath

#: Seconds in which not a byte moves before a transfer is given up. As long as a copy out runs the
#: engine holds the container's lock, and other commands on that container wait.
STALL_TIMEOUT: Final = 60.0
#: GNU tar's status for "a file changed while it was read": it came, as it was at some moment.
_CHANGED: Final = 1


def look(
    engine: Engine,
    container: ContainerInfo,
    paths: Sequence[str],
    *,
    users: bool = False,
    pid: int = 0,
    weigh: bool = False,
) -> tuple[ContainerInfo, Probe]:
    """Look at `paths` in `container` as it is now, by exec where that is possible.

    Args:
        engine: The engine.
        container: As it was a moment ago; where its exec works it is not asked for again.
        paths: Absolute, without a trailing slash.
        users: Whether the user and group files are wanted.
        pid: A process in the container whose user is wanted; 0 for none.
        weigh: Whether large files in folders are looked for.

    Raises:
        ContainerNotFound: The container is gone.
        TransferError: The engine did not answer in time.
    """
    if container.running:
        probe = probe_by_exec(engine, container, paths, users=users, pid=pid, weigh=weigh)
        if probe is not None:
            return container, probe
    info = engine.inspect(container.id)
    probe = None
    if info.running:
        probe = probe_by_exec(engine, info, paths, users=users, pid=pid, weigh=weigh)
    return info, probe or probe_by_archive(engine, info, paths, users=users)


def destination_of(info: ContainerInfo, typed: TypedPath, there: RemotePath) -> Destination:
    """Describe a put's destination for :func:`~ctrkernel.transfer.placement.place`.

    Raises:
        TransferError: It is a link that leads nowhere.
    """
    if there.link and there.found is Found.MISSING:
        raise TransferError(
            f"{info.name}:{one_line(typed.shown)} is a link that leads nowhere; "
            "remove it, or name the file itself"
        )
    return Destination(
        shown=typed.shown,
        found=there.found,
        path=there.real or there.path,
        asserts_folder=typed.asserts_folder,
        missing=there.missing,
        blocked=there.blocked,
        where=f"{info.name}:",
        above=there.above,
        rest=there.rest,
    )


def failure(engine: Engine, info: ContainerInfo, *, doing: str, said: str) -> TransferError:
    """Say why the container's side of a transfer failed.

    Args:
        engine: The engine.
        info: The container as it was at the start: if its state changed, that is the reason.
        doing: What failed, such as ``cannot write to web:/srv``.
        said: What the engine or tar said, for when the container is well.
    """
    wrong = changed(engine, info)
    if wrong is not None:
        return TransferError(f"{doing}: {wrong}")
    reason = one_line(said, limit=200) or "the engine did not say why"
    return TransferError(f"{doing}: {reason}; look at it with `ls -ld` and `df -h` in a cell")


def changed(engine: Engine, info: ContainerInfo) -> CtrKernelError | None:
    """Say what is wrong with a container that is not in the state any more that it was in."""
    try:
        state = engine.inspect(info.id).state
        return engine.diagnose(info.id) if state != info.state else None
    except CtrKernelError as error:
        return error


@contextmanager
def stoppable(engine: Engine, what: str, *, timeout: float = STALL_TIMEOUT) -> Iterator[None]:
    """Say in one line that something was stopped, or stood still.

    Args:
        engine: The engine.
        what: What is done, such as ``the put to web:/srv``.
        timeout: Seconds after which it counts as stalled.

    Raises:
        TransferInterrupted: It was cancelled.
        TransferError: It stalled.
    """
    try:
        yield
    except Cancelled as error:
        raise TransferInterrupted(f"{what} was interrupted; try again") from error
    except Stalled as error:
        raise TransferError(
            f"{what} moved no byte for {timeout:g} s and was given up; "
            f"see what `{engine.name} info` says"
        ) from error


@contextmanager
def unpacking(
    engine: Engine,
    info: ContainerInfo,
    child: Client,
    *,
    where: str,
    timeout: float,
    by_gnu_tar: bool = False,
) -> Iterator[Incoming]:
    """Have an archive read, and see to it that all of it came.

    The archive may be left before its end; then nobody asks how its client fared.

    Args:
        engine: The engine.
        info: The container that sends.
        child: The client that prints the archive.
        where: What is read, for messages.
        timeout: Seconds that may pass without a byte.
        by_gnu_tar: GNU tar makes the archive.

    Raises:
        TransferError: The archive is damaged, or whoever sends it failed.
        process.Stalled: Nothing came in time.
        process.Cancelled: The child's ``cancelled`` said so.
    """
    incoming = Incoming(child, timeout=timeout)
    damage: TarError | None = None
    try:
        yield incoming
    except TarError as error:
        if not child.ended:
            raise unsafe(where, error) from error
        damage = error
    if damage is None and not incoming.ended:
        return
    code = child.wait(timeout=timeout)
    # An exec that failed has tar's status for a change too, but no archive.
    whole = damage is None and incoming.terminated
    if code and not (by_gnu_tar and code == _CHANGED and whole):
        said = child.complaint
        raise failure(engine, info, doing=f"cannot read {where}", said=said) from damage
    if damage is not None:
        # Over its socket the engine cannot say that it had to leave off: it hangs up.
        if changed(engine, info) is not None:
            raise failure(engine, info, doing=f"cannot read {where}", said="") from damage
        raise unsafe(where, damage) from damage
