"""What lies in folders of a container: names for patterns, sizes and times for comparisons.

By one exec of ``find`` each; GNU's says all of it, with busybox's ``stat`` helps. Where nothing
can be run, the headers of the engine's archive say the same, at the price of reading it.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ctrkernel.engine.process import Child
from ctrkernel.errors import TransferError, one_line
from ctrkernel.protocol.tar_stream import Kind, Member, TarError, split_name
from ctrkernel.transfer.incoming import Incoming, unsafe
from ctrkernel.transfer.remote import changed, failure, stoppable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ctrkernel.engine.container import ContainerInfo
    from ctrkernel.engine.engine import Engine
    from ctrkernel.transfer.probe import Probe

#: Seconds for listing a tree: a million files on a slow disk.
LIST_TIMEOUT: Final = 300.0
#: Bytes of the words of one exec: far below what Linux takes (execve(2)), for the engines add some.
WORDS_LIMIT: Final = 256 * 1024
_SECOND: Final = 1_000_000_000
_FIELDS: Final = 4

#: $1 is what to list: names, below, folders, or trees. The rest are paths that begin with `/`.
_SCRIPT: Final = r"""
LC_ALL=C; export LC_ALL
what=$1; shift
case $what in
names) find "$@" -mindepth 1 -maxdepth 1 -print0 ;;
below) find "$@" -mindepth 1 -name '.*' -prune -o -mindepth 1 -type d -print0 ;;
folders) find "$@" -maxdepth 0 -type d -print0 ;;
trees)
  if find / -maxdepth 0 -printf '' 2>/dev/null; then
    find "$@" -printf '%y\0%s\0%T@\0%p\0'
  else
    find "$@" -print0; printf '\0'; find "$@" -exec stat -c '%f %s %Y' {} +
  fi ;;
esac 2>/dev/null
printf '\0end'
"""
_MODES: Final = {0o100000: Kind.FILE, 0o040000: Kind.FOLDER, 0o120000: Kind.LINK}
_LETTERS: Final = {"f": Kind.FILE, "d": Kind.FOLDER, "l": Kind.LINK}


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, folder or link of a container.

    Args:
        kind: What it is; devices and sockets are :attr:`Kind.DEVICE`.
        size: Bytes.
        mtime_ns: Modification time.
    """

    kind: Kind
    size: int
    mtime_ns: int


class RemoteLister:
    """The folders of a container, as root sees them.

    Args:
        engine: The engine.
        container: A running container.
    """

    def __init__(self, engine: Engine, container: ContainerInfo) -> None:
        self._engine = engine
        self._container = container

    def names(self, folders: Sequence[str]) -> dict[str, list[str]]:
        """Return the names in each of `folders`."""
        return self._inside("names", folders)

    def below(self, folders: Sequence[str]) -> dict[str, list[str]]:
        """Return, relative to each of `folders`, the folders below it, hidden ones left out."""
        return self._inside("below", folders)

    def folders(self, paths: Sequence[str]) -> list[str]:
        """Return those of `paths` that are folders."""
        slashed = {f"{path.rstrip('/')}/": path for path in paths}
        return [slashed[path] for path in self._run("folders", list(slashed)) if path in slashed]

    def trees(self, paths: Sequence[str]) -> dict[str, Entry]:
        """Return everything at and below `paths`, by path; what is not there is left out.

        Raises:
            TransferError: The image has no ``find``.
        """
        found: dict[str, Entry] = {}
        for words in batches(paths):
            fields = self._run("trees", words)
            found.update(_parse(fields))
        return found

    def _inside(self, what: str, folders: Sequence[str]) -> dict[str, list[str]]:
        # With a slash behind it a link is the folder that it leads to.
        slashed = {f"{folder.rstrip('/')}/": folder for folder in folders}
        found: dict[str, list[str]] = {folder: [] for folder in folders}
        for words in batches(list(slashed)):
            begins = sorted(words, key=len, reverse=True)
            for path in self._run(what, words):
                for begin in begins if len(begins) > 1 else words:
                    if path.startswith(begin):
                        found[slashed[begin]].append(path[len(begin) :])
                        break
        return {folder: sorted(names) for folder, names in found.items()}

    def _run(self, what: str, words: Sequence[str]) -> list[str]:
        argv = ["sh", "-c", _SCRIPT, "sh", what, *words]
        command = self._engine.exec_argv(self._container.id, argv, user="0")
        done = self._engine.run(command[1:], timeout=LIST_TIMEOUT)
        fields = done.stdout.decode("utf-8", "surrogateescape").split("\0")
        if len(fields) < 2 or fields.pop() != "end":  # noqa: PLR2004 - the script's last words
            raise TransferError(
                f"{self._container.name} cannot list its files: the image has no `find`; "
                "name the files without a pattern, --update, --no-clobber and --dry-run"
            )
        if fields and not fields[-1]:
            fields.pop()
        return fields


def list_trees(
    engine: Engine,
    container: ContainerInfo,
    probe: Probe,
    paths: Sequence[str],
    *,
    timeout: float,
    cancelled: Callable[[], bool] | None,
) -> dict[str, Entry]:
    """Return everything at and below `paths`, by path, in whichever way the container allows.

    Raises:
        TransferError: It cannot be listed, or the engine stalls.
        TransferInterrupted: `cancelled` said so.
    """
    if probe.by_exec and "find" in probe.tools:
        return RemoteLister(engine, container).trees(paths)
    return trees_by_archive(engine, container, paths, timeout=timeout, cancelled=cancelled)


def trees_by_archive(
    engine: Engine,
    container: ContainerInfo,
    paths: Sequence[str],
    *,
    timeout: float,
    cancelled: Callable[[], bool] | None,
) -> dict[str, Entry]:
    """Return what :meth:`RemoteLister.trees` does, from the engine's archives of `paths`.

    Raises:
        TransferError: An archive is damaged, or the engine stalls.
        TransferInterrupted: `cancelled` said so.
    """
    found: dict[str, Entry] = {}
    for path in paths:
        where = f"{container.name}:{one_line(path)}"
        argv = engine.command("cp", f"{container.id}:{path}", "-")
        with (
            stoppable(engine, f"the listing of {where}", timeout=timeout),
            Child(argv, cancelled=cancelled) as child,
        ):
            incoming = Incoming(child, timeout=timeout)
            try:
                found.update(_entries(incoming, path))
            except TarError as error:
                raise unsafe(where, error) from error
            failed = child.wait(timeout=timeout) != 0
            # Nothing at all came: there is no such path, or there is no container any more.
            if failed and (incoming.received or changed(engine, container) is not None):
                doing, said = f"cannot list {where}", child.complaint
                raise failure(engine, container, doing=doing, said=said)
    return found


def _entries(incoming: Incoming, path: str) -> Iterator[tuple[str, Entry]]:
    found: dict[tuple[str, ...], Entry] = {}
    for member in incoming:
        if isinstance(member, Member):
            parts = split_name(member.name)
            entry = Entry(member.kind, member.size, member.mtime_ns)
            if member.kind is Kind.HARD_LINK:  # it is what its other name is
                entry = found.get(split_name(member.target), entry)
            found[parts] = entry
            yield posixpath.join(path, *parts[1:]), entry


def _parse(fields: Sequence[str]) -> Iterator[tuple[str, Entry]]:
    if "" in fields:
        at = len(fields) - 1 - fields[::-1].index("")
        lines = fields[at + 1].splitlines() if at + 1 < len(fields) else []
        names = fields[:at]
        if len(lines) != len(names):
            raise TransferError("files came and went while they were listed; try again")
        for name, line in zip(names, lines, strict=True):
            mode, size, seconds = line.split()
            kind = _MODES.get(int(mode, 16) & 0o170000, Kind.DEVICE)
            yield name, Entry(kind, int(size), int(seconds) * _SECOND)
        return
    for at in range(0, len(fields) - _FIELDS + 1, _FIELDS):
        letter, size, time, path = fields[at : at + _FIELDS]
        whole, _, fraction = time.partition(".")
        mtime_ns = int(whole) * _SECOND + int(fraction[:9].ljust(9, "0"))
        yield path, Entry(_LETTERS.get(letter, Kind.DEVICE), int(size), mtime_ns)


def batches(paths: Sequence[str]) -> Iterator[list[str]]:
    """Cut `paths` into lists that fit on a command line."""
    batch: list[str] = []
    size = 0
    for path in paths:
        size += len(path) * 4 + 1
        if batch and size > WORDS_LIMIT:
            yield batch
            batch, size = [], len(path) * 4 + 1
        batch.append(path)
    if batch:
        yield batch
