"""A look at what is at a path in a container: the beginning of a file, or a folder's entries.

No more is fetched than is wanted: the client that sends a file is ended as soon as enough came.
"""

from __future__ import annotations

import posixpath
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ctrkernel.errors import one_line
from ctrkernel.protocol.tar_stream import (
    ArchiveEnd,
    Data,
    FileEnd,
    Kind,
    Member,
    TarError,
    split_name,
)
from ctrkernel.transfer.origin import Origin, arriving, origin_of
from ctrkernel.transfer.placement import Found
from ctrkernel.transfer.remote import failure, look, stoppable
from ctrkernel.transfer.route import SIZELESS, mount_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.engine import Engine
    from ctrkernel.transfer.incoming import Incoming
    from ctrkernel.transfer.paths import TypedPath

#: Bytes after which a file's beginning is known well enough to say how much of it is wanted.
SAMPLE: Final = 4096
#: Entries of a folder that are listed.
ENTRIES_LIMIT: Final = 1000
#: Bytes of a folder's archive that are read for its entries, where nothing can be run inside.
LISTING_LIMIT: Final = 64 * 1024 * 1024
#: Seconds for a listing.
LISTING_TIMEOUT: Final = 30.0

#: $1 is a folder, $2 how many entries are wanted. Printed, each ended by NUL: kind, name and a
#: link's target for each entry, an empty field if there are more, a dot, and what `stat` says, a
#: line for each. A dot guards the newlines at the end of a target.
_LIST_SCRIPT: Final = r"""
LC_ALL=C; export LC_ALL
folder=$1 most=$2 n=0 nl='
'
cd -- "$folder" || exit
set --
for e in * .[!.]* ..?*; do
  [ -e "$e" ] || [ -h "$e" ] || continue
  n=$((n + 1))
  if [ "$n" -gt "$most" ]; then printf '\0'; break; fi
  t=
  if [ -h "$e" ]; then k=l; t=$(readlink -- "$e" && echo .) || t=; t=${t%"$nl."}
  elif [ -d "$e" ]; then k=d; elif [ -f "$e" ]; then k=f; else k=o; fi
  printf '%s\0%s\0%s\0' "$k" "$e" "$t"
  set -- "$@" "./$e"
done
printf '.\0'
[ "$#" -eq 0 ] || stat -c '%f %s %Y' -- "$@" 2>/dev/null
exit 0
"""
_KINDS = {"d": Found.FOLDER, "f": Found.FILE, "l": Found.LINK, "o": Found.OTHER}


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a file.

    Args:
        path: In the container, without links.
        content: Its first bytes, or all.
        size: Bytes of the whole; None where nobody knows, as in ``/proc``.
        member: Owner, mode and time; None in ``/proc``.
    """

    path: str
    content: bytes
    size: int | None
    member: Member | None

    @property
    def complete(self) -> bool:
        """Whether `content` is all of it, as far as is known."""
        return self.size is not None and len(self.content) >= self.size


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a folder.

    Args:
        name: The name.
        found: What it is; links are not followed.
        target: Where a link points; else empty.
        size: Bytes; None where it is no file, or nobody could say.
        mode: Permission bits, or None.
        mtime: Seconds since 1970, or None.
    """

    name: str
    found: Found
    target: str = ""
    size: int | None = None
    mode: int | None = None
    mtime: int | None = None


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder's entries, by name.

    Args:
        path: In the container, without links.
        entries: At most :data:`ENTRIES_LIMIT`.
        complete: Whether there are no more.
    """

    path: str
    entries: tuple[Entry, ...]
    complete: bool = True


def peek(
    engine: Engine,
    container: ContainerInfo,
    typed: TypedPath,
    *,
    limit: Callable[[bytes, int | None], int],
    cancelled: Callable[[], bool] | None = None,
    on_progress: Callable[[int, int | None], None] | None = None,
) -> Head | Folder:
    """Look at a file or a folder; links are followed.

    Args:
        engine: The engine.
        container: Where.
        typed: The path.
        limit: Called once with the first bytes, :data:`SAMPLE` of them if there are so many, and
            the size: says how many bytes are wanted.
        cancelled: Asked now and then; true stops it.
        on_progress: Called with the bytes received, and with those that are wanted.

    Raises:
        TransferError: There is nothing, or nothing can reach it; a device has no content.
        TransferInterrupted: `cancelled` said so.
    """
    info, probe = look(engine, container, [typed.path])
    there = probe.paths[0]
    real = there.real or there.path
    where = f"{info.name}:{one_line(typed.shown)}"
    with stoppable(engine, f"the look at {where}"):
        if (
            there.found is Found.FILE
            and probe.by_exec
            and mount_of(probe.mounts, real).type in SIZELESS
        ):
            return _printed(engine, info, real, limit=limit, cancelled=cancelled)
        if there.found is Found.FOLDER and probe.by_exec:
            return _listed(engine, info, real, cancelled=cancelled)
        origin = origin_of(engine, info, probe, typed, there, follow_link=True)
        with arriving(engine, info, origin, where=where, cancelled=cancelled) as incoming:
            if origin.source.found is Found.FOLDER:
                return _listed_by_archive(origin, incoming)
            return _head(origin, incoming, limit=limit, on_progress=on_progress)


def _head(
    origin: Origin,
    incoming: Incoming,
    *,
    limit: Callable[[bytes, int | None], int],
    on_progress: Callable[[int, int | None], None] | None,
) -> Head:
    member: Member | None = None
    content = bytearray()
    wanted: int | None = None
    while True:
        match incoming.next():
            case Member() as first if member is None and first.kind is Kind.FILE:
                member = first
            case Data(data) if member is not None:
                content += data
            case FileEnd() if member is not None:
                break
            case _:
                raise TarError("it is no single file")
        if wanted is None and member is not None and len(content) >= min(SAMPLE, member.size):
            wanted = limit(bytes(content[:SAMPLE]), member.size)
        if wanted is not None:
            if on_progress is not None:
                on_progress(len(content), min(wanted, member.size))
            if len(content) >= wanted:
                break
    return Head(origin.path, bytes(content[:wanted]), member.size, member)


def _printed(
    engine: Engine,
    info: ContainerInfo,
    path: str,
    *,
    limit: Callable[[bytes, int | None], int],
    cancelled: Callable[[], bool] | None,
) -> Head:
    """Read a file that has no size by a command in the container."""
    wanted = limit(b"", None)
    argv = engine.exec_argv(info.id, ["head", "-c", str(wanted), "--", path], user="0")
    done = engine.run(argv[1:], timeout=LISTING_TIMEOUT, cancelled=cancelled)
    if done.exit_code:
        doing = f"cannot read {info.name}:{one_line(path)}"
        raise failure(engine, info, doing=doing, said=done.message)
    return Head(path, done.stdout[:wanted], None, None)


def _listed(
    engine: Engine, info: ContainerInfo, path: str, *, cancelled: Callable[[], bool] | None
) -> Folder:
    argv = ["sh", "-c", _LIST_SCRIPT, "sh", path, str(ENTRIES_LIMIT)]
    command = engine.exec_argv(info.id, argv, user="0", env={"CDPATH": ""})
    done = engine.run(command[1:], timeout=LISTING_TIMEOUT, cancelled=cancelled)
    if done.exit_code:
        doing = f"cannot list {info.name}:{one_line(path)}"
        raise failure(engine, info, doing=doing, said=done.message)
    return parse_listing(path, done.stdout.decode("utf-8", "surrogateescape"))


def parse_listing(path: str, printed: str) -> Folder:
    """Read what the listing's script printed."""
    *fields, told = printed.split("\0")
    end = fields.pop() if fields else ""
    complete = end == "." and len(fields) % 3 == 0
    details: list[str | None] = [*told.splitlines()]
    rows = [fields[at : at + 3] for at in range(0, len(fields) - 2, 3)]
    if len(details) != len(rows):  # there is no `stat`, or a file went away
        details = [None] * len(rows)
    entries = [_entry(row, detail) for row, detail in zip(rows, details, strict=True)]
    return Folder(path, tuple(sorted(entries, key=lambda entry: entry.name)), complete)


def _entry(row: list[str], detail: str | None) -> Entry:
    kind, name, target = row
    found = _KINDS[kind]
    if detail is None:
        return Entry(name, found, target)
    mode, size, mtime = detail.split(" ")
    is_file = found is Found.FILE
    return Entry(
        name, found, target, int(size) if is_file else None, stat.S_IMODE(int(mode, 16)), int(mtime)
    )


def _listed_by_archive(origin: Origin, incoming: Incoming) -> Folder:
    """List a folder by the headers of its archive, as far as the limits go."""
    depth = 0 if origin.path == "/" else 1
    entries: dict[str, Entry] = {}
    complete = False
    while incoming.received < LISTING_LIMIT and len(entries) < ENTRIES_LIMIT:
        match incoming.next():
            case ArchiveEnd():
                complete = True
                break
            case Member() as member:
                parts = split_name(member.name)[depth:]
                if len(parts) == 1:
                    entries[parts[0]] = _described(parts[0], member)
                elif parts:
                    entries.setdefault(parts[0], Entry(parts[0], Found.FOLDER))
    listed = sorted(entries.values(), key=lambda entry: entry.name)
    return Folder(posixpath.normpath(origin.path), tuple(listed), complete)


def _described(name: str, member: Member) -> Entry:
    found = {
        Kind.FILE: Found.FILE,
        Kind.HARD_LINK: Found.FILE,
        Kind.FOLDER: Found.FOLDER,
        Kind.LINK: Found.LINK,
    }.get(member.kind, Found.OTHER)
    return Entry(
        name,
        found,
        member.target if found is Found.LINK else "",
        member.size if member.kind is Kind.FILE else None,
        member.mode & 0o7777,
        member.mtime_ns // 1_000_000_000,
    )
