"""The sources of a get, as they are in the container, and the way that each takes."""

from __future__ import annotations

import posixpath
import shlex
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ctrkernel.engine.process import Child
from ctrkernel.errors import TransferError, one_line
from ctrkernel.transfer.placement import Found, Source
from ctrkernel.transfer.probe import LARGE
from ctrkernel.transfer.remote import STALL_TIMEOUT, unpacking
from ctrkernel.transfer.route import Route, get_route

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.engine import Engine
    from ctrkernel.transfer.incoming import Incoming
    from ctrkernel.transfer.paths import TypedPath
    from ctrkernel.transfer.probe import Probe, RemotePath

#: GNU tar's options to keep nanoseconds; the other times are not asked for.
EXACT: Final = ["--format=posix", "--pax-option=delete=atime,delete=ctime"]


@dataclass(frozen=True, slots=True)
class Origin:
    """A source with the argv that sends its archive.

    Args:
        source: What it is, for :func:`~ctrkernel.transfer.placement.place`.
        path: In the container, without links.
        argv: Prints the archive.
        by_tar: A tar in the container makes it.
        by_gnu_tar: GNU's does.
        mtime_ns: A file's time, where the archive may have whole seconds only.
        dense: It is a file without holes.
        size: Bytes that it has at least, as far as is known.
    """

    source: Source
    path: str
    argv: list[str]
    by_tar: bool
    by_gnu_tar: bool
    mtime_ns: int | None = None
    dense: bool = False
    size: int = 0


def origin_of(
    engine: Engine,
    info: ContainerInfo,
    probe: Probe,
    typed: TypedPath,
    there: RemotePath,
    *,
    follow_link: bool,
    prefer_tar: bool = False,
) -> Origin:
    """Describe a source and choose its way.

    Args:
        engine: The engine.
        info: The container.
        probe: What is known of it.
        typed: The path.
        there: What is at it.
        follow_link: Take what a link leads to.
        prefer_tar: Take tar in the container, if it has one: it locks nothing in the engine.

    Raises:
        TransferError: There is none, or nothing can reach it.
    """
    follow = follow_link or typed.asserts_folder
    shown = f"{info.name}:{one_line(typed.shown)}"
    if there.found is Found.MISSING and (follow or not there.link):
        raise _missing(info, typed, there)
    if there.link and not follow:
        found = Found.LINK
        path = posixpath.join(there.parent or "/", typed.name)
    else:
        found = there.found
        path = there.real or there.path
    is_folder = found is Found.FOLDER
    if typed.asserts_folder and not is_folder:
        raise TransferError(f"{shown} is a file, not a folder; leave out the trailing slash")
    if found is Found.OTHER:
        raise TransferError(f"{shown} is a device, a pipe or a socket; name a file or a folder")
    route = get_route(info, probe, path, is_folder=is_folder, engine_name=engine.name)
    name = typed.name if typed.name != ".." else posixpath.basename(path)
    source = Source(
        shown=typed.shown,
        found=found,
        name=name,
        contents=is_folder and (typed.contents or not name),
    )
    # GNU's tar keeps nanoseconds in a tree, and locks nothing; what is large the engine sends
    # faster.
    large = is_folder and there.holds_large
    wanted = prefer_tar or (is_folder and probe.gnu_tar and probe.almighty and not large)
    by_tar = route is Route.TAR or (wanted and "tar" in probe.tools and path != "/")
    return Origin(
        source=source,
        path=path,
        argv=_sender(engine, info, path, by_tar=by_tar, gnu_tar=probe.gnu_tar),
        by_tar=by_tar,
        by_gnu_tar=by_tar and probe.gnu_tar,
        mtime_ns=there.mtime_ns if found is Found.FILE else None,
        dense=found is Found.FILE and there.dense,
        size=LARGE if large else there.size if found is Found.FILE else 0,
    )


def _sender(
    engine: Engine, info: ContainerInfo, path: str, *, by_tar: bool, gnu_tar: bool
) -> list[str]:
    """Return the argv of the client that prints the archive of `path`, a path without links."""
    if not by_tar:
        return engine.command("cp", f"{info.id}:{'/.' if path == '/' else path}", "-")
    folder, name = posixpath.split(path)
    options = EXACT if gnu_tar else []
    argv = ["tar", *options, "-cf", "-", "-C", folder, f"./{name}"]
    return engine.exec_argv(info.id, argv, user="0")


def alone(engine: Engine, info: ContainerInfo, origin: Origin, path: str) -> Origin:
    """Return the file or link `path`, which lies in `origin`, as a source of its own."""
    name = posixpath.basename(path)
    argv = _sender(engine, info, path, by_tar=origin.by_tar, gnu_tar=origin.by_gnu_tar)
    source = Source(shown=path, found=Found.FILE, name=name)
    return replace(origin, source=source, path=path, argv=argv, mtime_ns=None, dense=False, size=0)


def _missing(info: ContainerInfo, typed: TypedPath, there: RemotePath) -> TransferError:
    if there.link:
        return TransferError(
            f"{info.name}:{one_line(typed.shown)} is a link that leads nowhere; "
            "get it as a link, without following it"
        )
    part = there.missing or there.path
    return TransferError(
        f"there is no file {info.name}:{one_line(part)}; see what is there, in a cell: "
        f"ls {one_line(shlex.quote(posixpath.dirname(part)))}"
    )


def together(
    engine: Engine, info: ContainerInfo, paths: Sequence[str], *, alone: bool = False
) -> list[str]:
    """Return the argv of a client that prints `paths` in one archive, named from the root.

    Args:
        engine: The engine.
        info: A container with GNU's tar.
        paths: Absolute, without links.
        alone: Of a folder only itself, not what is in it.
    """
    options = ["--no-recursion"] if alone else []
    names = [f".{path}" for path in paths]
    argv = ["tar", *EXACT, *options, "-cf", "-", "-C", "/", "--", *names]
    return engine.exec_argv(info.id, argv, user="0")


@contextmanager
def arriving(
    engine: Engine,
    info: ContainerInfo,
    origin: Origin,
    *,
    where: str,
    cancelled: Callable[[], bool] | None,
) -> Iterator[Incoming]:
    """Start what sends a source's archive, and have it read; errors as of :func:`unpacking`.

    Args:
        engine: The engine.
        info: The container that sends.
        origin: The source.
        where: What is read, for messages.
        cancelled: Asked now and then; true stops it.
    """
    with (
        Child(origin.argv, cancelled=cancelled) as child,
        unpacking(
            engine,
            info,
            child,
            where=where,
            timeout=STALL_TIMEOUT,
            by_gnu_tar=origin.by_gnu_tar,
        ) as incoming,
    ):
        yield incoming
