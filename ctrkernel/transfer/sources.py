"""The sources of a put, as they are on this machine."""

from __future__ import annotations

import os
import posixpath
import shlex
import stat
from typing import TYPE_CHECKING

from ctrkernel.errors import TransferError, one_line
from ctrkernel.transfer.expand import LocalLister, expand
from ctrkernel.transfer.paths import HERE, TypedPath, resolve_local, typed_path
from ctrkernel.transfer.placement import Found, Source
from ctrkernel.transfer.tree import Root, unreadable

if TYPE_CHECKING:
    from collections.abc import Sequence


def local_sources(words: Sequence[str], *, follow_link: bool) -> list[tuple[Source, Root]]:
    """Look at the sources that `words` name; patterns become what they match.

    Raises:
        TransferError: There is no such file, or it is none that can be put.
    """
    return [_source(path, follow_link=follow_link) for word in words for path in local_paths(word)]


def local_paths(word: str) -> list[TypedPath]:
    """Return the paths on this machine that `word` names: one, or those that a pattern matches.

    Raises:
        TransferError: The word is empty, a variable is not set, or nothing matches.
    """
    path = resolve_local(word)
    base = os.getcwd()  # noqa: PTH109 - a Path drops the ending
    found = expand(path, LocalLister(), base=base, where="")
    shown = [path.shown] if not path.is_pattern else found
    return [
        typed_path(name, each, base=base, where=HERE)
        for name, each in zip(shown, found, strict=True)
    ]


def _source(typed: TypedPath, *, follow_link: bool) -> tuple[Source, Root]:
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
    if stat.S_ISREG(found.st_mode) and not os.access(path, os.R_OK):
        raise unreadable(path, PermissionError(13, "permission denied"))
    name = typed.name if typed.name != ".." else posixpath.basename(os.path.realpath(path))
    source = Source(
        shown=typed.shown,
        found=Found.FOLDER if is_folder else Found.FILE,
        name=name,
        contents=is_folder and (typed.contents or not name),
    )
    return source, Root(path=path, name=None)


def _missing(typed: TypedPath) -> TransferError:
    part = typed.path
    while not os.path.lexists(os.path.dirname(part)):  # noqa: PTH120 - as above
        part = os.path.dirname(part)  # noqa: PTH120
    return TransferError(
        f"there is no file {one_line(part)} on this machine; see what is there: "
        f"ls {one_line(shlex.quote(os.path.dirname(part)))}"  # noqa: PTH120
    )
