"""Patterns become names: the algorithm for either side, and this machine's."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from ctrkernel.errors import TransferError, one_line
from ctrkernel.transfer.patterns import matching

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ctrkernel.transfer.patterns import Part, Path

#: Names that a part may be which no folder lists.
_UNLISTED = frozenset({"", ".", ".."})


class Lister(Protocol):
    """One side's folders. A folder that cannot be listed is empty, as for a shell."""

    def names(self, folders: Sequence[str]) -> dict[str, list[str]]:
        """Return the names in each of `folders`."""

    def below(self, folders: Sequence[str]) -> dict[str, list[str]]:
        """Return, relative to each of `folders`, the folders below it, hidden ones left out."""

    def folders(self, paths: Sequence[str]) -> list[str]:
        """Return those of `paths` that are folders."""


def expand(path: Path, lister: Lister, *, base: str, where: str) -> list[str]:
    """Return what the pattern `path` matches, sorted, written as the pattern is.

    ``*`` does not match a dot at the beginning; ``**`` is any number of folders, links not
    followed. Without a pattern it is the path itself.

    Args:
        path: A pattern.
        lister: Whose folders.
        base: What a relative pattern starts from.
        where: Such as ``web:``, for the message.

    Raises:
        TransferError: Nothing matches.
    """
    if not path.is_pattern:
        return [path.text]
    parts = path.parts
    # Up to the first pattern nothing needs to be listed.
    first = next(at for at, part in enumerate(parts) if part.is_pattern)
    start = "".join(f"{part.text}/" for part in parts[:first])
    found = [start]
    for at, part in enumerate(parts[first:], first):
        last = at == len(parts) - 1
        if part.text in _UNLISTED:
            if not part.text:
                found = _typed(lister.folders([_at(base, each) for each in found]), base, found)
            found = [each + part.text + ("" if last else "/") for each in found]
        elif part.is_deep and not last:
            below = lister.below([_at(base, each) for each in found])
            found = [
                each + (f"{inner}/" if inner else "")
                for each in found
                for inner in ["", *below.get(_at(base, each), [])]
            ]
        else:
            found = _step(found, part, lister, base=base, ending="" if last else "/")
        if not found:
            break
    if not found:
        raise TransferError(
            f"nothing matches {where}{one_line(path.shown)}; quote it if it is a name: "
            f"'{one_line(path.shown, limit=80)}'"
        )
    return list(dict.fromkeys(each[:-1] if each.endswith("//") else each for each in found))


def _step(found: Sequence[str], part: Part, lister: Lister, *, base: str, ending: str) -> list[str]:
    names = lister.names([_at(base, each) for each in found])
    return [
        each + name + ending
        for each in found
        for name in matching(names.get(_at(base, each), []), part)
    ]


def _at(base: str, path: str) -> str:
    return os.path.join(base, path)  # noqa: PTH118 - the path's own spelling is kept


def _typed(kept: Sequence[str], base: str, found: Sequence[str]) -> list[str]:
    wanted = set(kept)
    return [each for each in found if _at(base, each) in wanted]


class LocalLister:
    """The folders of this machine."""

    def names(self, folders: Sequence[str]) -> dict[str, list[str]]:
        """Return the names in each of `folders`."""
        return {folder: _listed(folder) for folder in folders}

    def below(self, folders: Sequence[str]) -> dict[str, list[str]]:
        """Return, relative to each of `folders`, the folders below it, hidden ones left out."""
        found = {}
        for folder in folders:
            inner: list[str] = []
            for here, names, _ in os.walk(folder):
                names[:] = sorted(name for name in names if not name.startswith("."))
                inside = os.path.relpath(here, folder)
                at = "" if inside == "." else f"{inside}/"
                inner += [
                    at + name
                    for name in names
                    if not os.path.islink(os.path.join(here, name))  # noqa: PTH114, PTH118 - names may be undecodable
                ]
            found[folder] = sorted(inner)
        return found

    def folders(self, paths: Sequence[str]) -> list[str]:
        """Return those of `paths` that are folders."""
        return [path for path in paths if os.path.isdir(path)]  # noqa: PTH112 - as above


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - names only
    except OSError:
        return []
