"""The decision table of ``docker cp``: where sources land, for every form of destination.

It is the one of the Docker CLI (``cp.go`` and go-archive's ``PrepareArchiveCopy``), the same for
both directions; pure, so that it is tested row by row. The rows are in docs/transfer.md.
"""

from __future__ import annotations

import enum
import posixpath
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ctrkernel.errors import TransferError, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Found(enum.Enum):
    """What a path is."""

    FOLDER = "folder"
    FILE = "file"
    LINK = "link"
    OTHER = "special file"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Source:
    """What is copied.

    Args:
        shown: As it was typed, for messages.
        found: What it is; a link that is to be followed is what it leads to. Never missing.
        name: The name it brings along.
        contents: Only what is in the folder is meant (``folder/.``).
    """

    shown: str
    found: Found
    name: str
    contents: bool = False


@dataclass(frozen=True, slots=True)
class Destination:
    """Where it shall go, as it is now.

    Args:
        shown: As it was typed, for messages.
        found: What it is, links followed; :attr:`Found.MISSING` if nothing is there.
        path: Without links; if it does not exist, its resolved parent and its name.
        asserts_folder: It was typed with a trailing slash.
        missing: The first part of it that does not exist though something is to lie in it.
        blocked: `missing` exists, and is a file.
        where: ``web:`` for a container, nothing for this machine; messages begin paths with it.
        above: The deepest folder above `path` that exists, without links.
        rest: What lies between it and `path`.
    """

    shown: str
    found: Found
    path: str
    asserts_folder: bool
    missing: str | None = None
    blocked: bool = False
    where: str = ""
    above: str = ""
    rest: str = ""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the sources land.

    Args:
        folder: An existing folder.
        names: For each source its name in `folder`; None puts its contents right into `folder`.
            Folders in a name are missing, and to be made.
    """

    folder: str
    names: tuple[str | None, ...]

    @property
    def result(self) -> str:
        """The path that a person looks for afterwards: the one copy, or the folder of all."""
        if len(self.names) == 1:
            return posixpath.join(self.folder, self.names[0] or "").rstrip("/") or "/"
        # Folders that are made for them are above all of them.
        above = {posixpath.dirname(name or "") for name in self.names}
        made = above.pop() if len(above) == 1 else ""
        return posixpath.join(self.folder, made).rstrip("/") or "/"


def above(names: Iterable[str | None]) -> list[str]:
    """Return the folders that lie in `names`, which are to be made; the outer ones first."""
    parts = [(name or "").split("/") for name in names]
    return sorted({"/".join(each[:count]) for each in parts for count in range(1, len(each))})


def place(
    sources: Sequence[Source], destination: Destination, *, parents: bool = False
) -> Placement:
    """Decide where `sources` land.

    Args:
        sources: What is copied.
        destination: Where to.
        parents: Make the folders that are missing.

    Raises:
        TransferError: They cannot go there; the message names the part that is in the way.
    """
    if destination.missing is not None:
        if destination.blocked:
            raise TransferError(
                f"{destination.where}{one_line(destination.missing)} is a file, so nothing can lie "
                "in it; name a folder"
            )
        if parents:
            return _place_below(sources, destination)
        raise _missing_folder(
            destination, destination.missing, wanted=posixpath.dirname(destination.path)
        )
    if destination.found is Found.MISSING and parents:
        return _place_below(sources, destination)
    if destination.found is Found.FOLDER:
        names = [None if source.contents else source.name for source in sources]
        _refuse_same_name(sources, names)
        return Placement(folder=destination.path, names=tuple(names))
    if len(sources) > 1:
        if destination.found is Found.MISSING:
            raise _missing_folder(destination, destination.path)
        raise TransferError(
            f"{_shown(destination)} is no folder, and {len(sources)} sources need one; "
            "name an existing folder last"
        )
    return _place_one(sources[0], destination)


def _place_below(sources: Sequence[Source], destination: Destination) -> Placement:
    """Place `sources` where folders are to be made."""
    rest = posixpath.normpath(destination.rest)
    if rest.startswith(".."):
        raise _missing_folder(destination, destination.missing or destination.path)
    alone = len(sources) == 1 and (
        sources[0].found is Found.FOLDER or not destination.asserts_folder
    )
    if alone:
        return Placement(folder=destination.above, names=(rest,))
    _refuse_same_name(sources, [None if each.contents else each.name for each in sources])
    names = [rest if each.contents else posixpath.join(rest, each.name) for each in sources]
    return Placement(folder=destination.above, names=tuple(names))


def _place_one(source: Source, destination: Destination) -> Placement:
    is_folder = source.found is Found.FOLDER
    if destination.found is Found.OTHER:
        raise TransferError(
            f"{_shown(destination)} is a device or a pipe, and a copy would replace it; "
            "name a file or a folder"
        )
    if destination.found is not Found.MISSING:
        if destination.asserts_folder:
            raise TransferError(
                f"{_shown(destination)} is a file, not a folder; leave out the trailing slash"
            )
        if is_folder:
            raise TransferError(
                f"{one_line(source.shown)} is a folder and {_shown(destination)} is a file; "
                "name a folder, or a name that is not taken"
            )
    elif destination.asserts_folder and not is_folder:
        raise _missing_folder(destination, destination.path)
    folder, name = posixpath.split(destination.path)
    return Placement(folder=folder, names=(name,))


def _missing_folder(
    destination: Destination, missing: str, *, wanted: str | None = None
) -> TransferError:
    made = f"mkdir -p {shlex.quote(wanted or missing)}"
    shell = "in a cell" if destination.where else "in a terminal"
    return TransferError(
        f"there is no folder {destination.where}{one_line(missing)}; "
        f"add --parents, or make it {shell}: {one_line(made)}"
    )


def _refuse_same_name(sources: Sequence[Source], names: Sequence[str | None]) -> None:
    seen: dict[str, Source] = {}
    for source, name in zip(sources, names, strict=True):
        if name is None:
            continue
        if name in seen:
            raise TransferError(
                f"{one_line(seen[name].shown, limit=100)} and {one_line(source.shown, limit=100)} "
                f"would both become {one_line(name, limit=60)}; copy them one by one"
            )
        seen[name] = source


def _shown(destination: Destination) -> str:
    return f"{destination.where}{one_line(destination.shown)}"
