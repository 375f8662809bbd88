"""Trees on this machine that are to be packed, and what can go wrong when they are read."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ctrkernel.errors import TransferError, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a file that is in memory.

    Args:
        data: All of it.
        mode: The file's permission bits.
    """

    data: bytes
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class Root:
    """One source.

    Args:
        path: Its path on this machine; links below it are packed as links.
        name: What it is called in the archive; None packs what is in it, not the folder. Folders
            in the name are made.
        content: What it is, if it is no path.
    """

    path: str
    name: str | None
    content: Content | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A file, folder or link to pack: its path, its name in the archive, and its status."""

    path: str
    name: str
    status: os.stat_result


def walk(roots: Sequence[Root], wanted: Callable[[Found], bool] | None = None) -> Iterator[Found]:
    """Yield what is at and below some sources, folders before what is in them.

    Args:
        roots: The sources; what is content in memory is left out.
        wanted: Says whether one is yielded; what is in a folder is looked at all the same.

    Raises:
        TransferError: A folder cannot be read.
    """
    for root in roots:
        if root.content is not None:
            continue
        own = [(root.path, root.name or "")]
        pending = own if root.name is not None else _children(root.path, "")
        while pending:
            path, name = pending.pop()
            try:
                status = os.lstat(path)
            except OSError as error:
                raise unreadable(path, error) from error
            found = Found(path, name, status)
            if wanted is None or wanted(found):
                yield found
            if stat.S_ISDIR(status.st_mode):
                pending += _children(path, f"{name}/")


def read_link(path: str) -> str:
    """Return what a link on this machine says.

    Raises:
        TransferError: It cannot be read.
    """
    try:
        return os.readlink(path)  # noqa: PTH115 - the text as it is
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: str, error: OSError) -> TransferError:
    """Say why a local `path` cannot be read, and what to look at."""
    reason = (error.strerror or str(error)).lower()
    return TransferError(
        f"cannot read {one_line(path)}: {reason}; see `ls -ld` of it, nothing was changed"
    )


def changed(path: str) -> TransferError:
    """Say that a file has another size than at the start."""
    return TransferError(
        f"{one_line(path)} changed while it was read; try again, or copy it aside first"
    )


def without_size(path: str) -> TransferError:
    """Say that a file has content and claims to be empty, as those in ``/proc`` do."""
    return TransferError(
        f"{one_line(path)} has content but no size, as files in /proc have; "
        "copy it to a file first, such as with `cat … > /tmp/copy`, and put that"
    )


def _children(path: str, prefix: str) -> list[tuple[str, str]]:
    """List a folder, last name first: the walk takes from the end."""
    try:
        names = sorted(os.listdir(path), reverse=True)  # noqa: PTH208 - names only
    except OSError as error:
        raise unreadable(path, error) from error
    above = path.rstrip("/") + "/"
    return [(above + name, prefix + name) for name in names]
