"""Put files into a container."""

from __future__ import annotations

import os
import posixpath
import shlex
import stat
import time
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ctrkernel.engine.process import Cancelled, Child, Stalled
from ctrkernel.errors import TransferError, TransferInterrupted, one_line
from ctrkernel.transfer.owner import needs_user_files, owner_of
from ctrkernel.transfer.pack import Packer, Root, unreadable
from ctrkernel.transfer.paths import TypedPath, container_path, local_path
from ctrkernel.transfer.placement import Found, Source, place
from ctrkernel.transfer.remote import STALL_TIMEOUT, destination_of, failure, look
from ctrkernel.transfer.route import Route, put_route
from ctrkernel.transfer.stage import RemoteStage
from ctrkernel.transfer.summary import TransferSummary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.engine import Engine

#: Bytes that are collected before they are handed to the client: many files are small.
SEND_SIZE: Final = 256 * 1024


def put(
    engine: Engine,
    container: ContainerInfo,
    sources: Sequence[str],
    destination: str,
    *,
    base: str,
    home: str | None,
    archive: bool = False,
    follow_link: bool = False,
    user: str | None = None,
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
        sources: Paths on this machine; ``folder/.`` means what is in it.
        destination: A path in the container.
        base: The folder that a relative `destination` starts from.
        home: What ``~`` means in `destination`.
        archive: Keep the files' numeric owners; else they belong to `user`.
        follow_link: Put what a source that is a link leads to; links in folders stay links.
        user: As for ``--user``; None is the container's own.
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
    found = [_source(local_path(source), follow_link=follow_link) for source in sources]
    return deliver(
        engine,
        container,
        [(source, Root(path=path, name=None)) for source, path in found],
        container_path(destination, base=base, home=home),
        archive=archive,
        user=user,
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
    archive: bool,
    user: str | None,
    on_progress: Callable[[int, int | None], None] | None,
    cancelled: Callable[[], bool] | None,
    stall_timeout: float,
) -> TransferSummary:
    """Put what was found to `target`; see :func:`put`. The roots get their names here."""
    started = time.monotonic()
    whose = container.user if user is None else user
    users = not archive and needs_user_files(whose)
    info, probe = look(engine, container, [target.path], users=users)
    destination = destination_of(info, target, probe.paths[0])
    if destination.found is Found.FOLDER and any(root.content is not None for _, root in found):
        raise TransferError(f"{info.name}:{one_line(target.shown)} is a folder; name a file")
    placement = place([source for source, _ in found], destination)
    route = put_route(info, probe, placement.folder, engine_name=engine.name)
    stage = None
    if probe.by_exec and {"mv", "rm"} <= probe.tools:
        stage = RemoteStage(engine, info, folder=placement.folder, user=whose or "0")
    owner = None if archive else owner_of(whose, passwd=probe.passwd, group=probe.group)
    roots = [
        replace(root, name=name) for (_, root), name in zip(found, placement.names, strict=True)
    ]
    packer = Packer(
        roots,
        stage=None if stage is None else stage.name,
        owner=owner,
        pax=route is Route.ARCHIVE or probe.gnu_tar,
    )
    extent = packer.measure()
    argv = receiver(engine, info, placement.folder, route)
    where = f"{info.name}:{one_line(placement.folder)}"
    try:
        with stage or nullcontext():
            with Child(argv, cancelled=cancelled) as child:
                progress = _with_total(on_progress, extent.bytes)
                code = _send(child, packer, on_progress=progress, stall_timeout=stall_timeout)
            if code:
                said = child.complaint
                raise failure(engine, info, doing=f"cannot write to {where}", said=said)
            if stage is not None:
                stage.place()
    except Cancelled as error:
        raise TransferInterrupted(f"the put to {where} was interrupted; try again") from error
    except Stalled as error:
        raise TransferError(
            f"the put to {where} moved no byte for {stall_timeout:g} s and was given up; "
            f"see what `{engine.name} info` says"
        ) from error
    return TransferSummary(
        files=extent.files,
        bytes=extent.bytes,
        duration=time.monotonic() - started,
        destination=f"{info.name}:{placement.result}",
        notes=tuple(packer.notes),
    )


def _source(typed: TypedPath, *, follow_link: bool) -> tuple[Source, str]:
    """Look at a source; return it with the path to pack."""
    try:
        found = os.lstat(typed.path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _missing(typed) from error
    except OSError as error:
        raise unreadable(typed.path, error) from error
    path = typed.path
    if stat.S_ISLNK(found.st_mode) and (follow_link or typed.asserts_folder):
        path = os.path.realpath(path)
        try:
            found = os.stat(path)  # noqa: PTH116 - names may be undecodable
        except OSError as error:
            raise TransferError(
                f"{one_line(typed.shown)} is a link that leads nowhere; "
                "put it as a link, without following it"
            ) from error
    is_folder = stat.S_ISDIR(found.st_mode)
    if typed.asserts_folder and not is_folder:
        raise TransferError(
            f"{one_line(typed.shown)} is a file, not a folder; leave out the trailing slash"
        )
    if not (is_folder or stat.S_IFMT(found.st_mode) in {stat.S_IFREG, stat.S_IFLNK, stat.S_IFIFO}):
        raise TransferError(
            f"{one_line(typed.shown)} is a device or a socket; name a file or a folder"
        )
    name = typed.name if typed.name != ".." else posixpath.basename(os.path.realpath(path))
    source = Source(
        shown=typed.shown,
        found=Found.FOLDER if is_folder else Found.FILE,
        name=name,
        contents=is_folder and (typed.contents or not name),
    )
    return source, path


def _missing(typed: TypedPath) -> TransferError:
    part = typed.path
    while not os.path.lexists(os.path.dirname(part)):  # noqa: PTH120 - as above
        part = os.path.dirname(part)  # noqa: PTH120
    return TransferError(
        f"there is no file {one_line(part)} on this machine; see what is there: "
        f"ls {one_line(shlex.quote(os.path.dirname(part)))}"  # noqa: PTH120
    )


def receiver(engine: Engine, info: ContainerInfo, folder: str, route: Route) -> list[str]:
    """Return the argv of the client that reads a tar archive and unpacks it in `folder`."""
    if route is Route.TAR:
        # As root, like the archive API: only root can give files away.
        argv = ["tar", "-xpf", "-", "-C", folder]
        return engine.exec_argv(info.id, argv, interactive=True, user="0")
    # Podman gives everything to the container's root unless told not to; Docker does not.
    options = ["--archive=false"] if engine.name == "podman" else []
    return engine.command("cp", *options, "-", f"{info.id}:{folder}")


def _send(
    child: Child,
    packer: Packer,
    *,
    on_progress: Callable[[int], None],
    stall_timeout: float,
) -> int:
    """Feed the archive to the client; return its exit status."""
    sent = 0
    waiting = bytearray()
    for piece, content in packer.chunks():
        waiting += piece
        sent += content
        if len(waiting) >= SEND_SIZE:
            if not child.write(waiting, timeout=stall_timeout):
                break
            waiting = bytearray()
            on_progress(sent)
    else:
        child.write(waiting, timeout=stall_timeout)
        on_progress(sent)
    return child.wait(timeout=stall_timeout)


def _with_total(
    on_progress: Callable[[int, int | None], None] | None, total: int
) -> Callable[[int], None]:
    def progress(sent: int) -> None:
        if on_progress is not None:
            on_progress(sent, total)

    return progress
