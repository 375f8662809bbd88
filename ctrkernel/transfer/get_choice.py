"""What of sources in a container moves, compared with what is where they would go."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ctrkernel.protocol.tar_stream import Kind
from ctrkernel.transfer import checksum
from ctrkernel.transfer.choice import entry_of, refuse_other_kind
from ctrkernel.transfer.listing import WORDS_LIMIT, list_trees

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ctrkernel.transfer.choice import Choice
    from ctrkernel.transfer.get import Plan
    from ctrkernel.transfer.listing import Entry


@dataclass(frozen=True, slots=True)
class Selection:
    """What moves.

    Args:
        files: Regular files, where that is known.
        bytes: Of their content.
        total: The same, for the progress; None where nobody knows.
        sources: The paths in the container, if they are to be fetched one by one; None for all.
        kept: What is not to be placed though it may have come, by its path below the destination.
        choice: What was decided, for the summary.
    """

    files: int = 0
    bytes: int = 0
    total: int | None = None
    sources: Sequence[str] | None = None
    kept: frozenset[str] = frozenset()
    choice: Choice | None = None

    @property
    def any(self) -> bool:
        """Whether anything moves."""
        return self.sources is None or bool(self.sources)

    def notes(self) -> list[str]:
        """Return what a summary says of it."""
        return self.choice.notes() if self.choice is not None else []


class Beside(Protocol):
    """What is already where the files would go, by their names below the destination."""

    @property
    def name(self) -> str:
        """Who has it, for messages; empty for this machine."""

    @property
    def tools(self) -> frozenset[str]:
        """Which of :data:`checksum.TOOLS` can be had of it."""

    def shown(self, name: str) -> str:
        """Return the place of `name`, for messages."""

    def entry(self, name: str) -> Entry | None:
        """Return what is there."""

    def digests(
        self, tool: str, names: Sequence[str], *, cancelled: Callable[[], bool] | None
    ) -> Mapping[str, str | None]:
        """Return the checksums of files; None, or none at all, of those that cannot be read."""


@dataclass(frozen=True, slots=True)
class Here:
    """A folder of this machine.

    Args:
        folder: Its path.
    """

    folder: str
    name: str = ""
    tools: frozenset[str] = frozenset(checksum.TOOLS)

    def shown(self, name: str) -> str:
        """Return the place of `name`."""
        return os.path.join(self.folder, name)  # noqa: PTH118 - names may be undecodable

    def entry(self, name: str) -> Entry | None:
        """Return what is there."""
        try:
            return entry_of(os.lstat(self.shown(name)))
        except OSError:
            return None

    def digests(
        self,
        tool: str,
        names: Sequence[str],
        *,
        cancelled: Callable[[], bool] | None,  # noqa: ARG002 - a container heeds it
    ) -> Mapping[str, str | None]:
        """Return the checksums of files."""
        return {name: checksum.local_digest(tool, self.shown(name)) for name in names}


def choose(
    plan: Plan,
    there: Mapping[str, tuple[str, Entry]],
    beside: Beside,
    choice: Choice,
    *,
    cancelled: Callable[[], bool] | None,
) -> Selection:
    """Decide what of `plan` moves.

    Args:
        plan: The get.
        there: What its sources hold; see :func:`listed`.
        beside: What is where it would go.
        choice: Decides and keeps count.
        cancelled: Asked now and then.

    Raises:
        TransferError: Something cannot be compared, or has another kind.
        process.Cancelled: `cancelled` said so.
    """
    old = {path: beside.entry(name) for path, (name, _) in there.items()}
    same = _same(plan, there, old, beside, cancelled=cancelled) if plan.options.checksum else set()
    moving: list[str] = []
    kept: set[str] = set()
    files = size = 0
    for path, (name, new) in there.items():
        found = old[path]
        if found is not None:
            refuse_other_kind(beside.shown(name), new, found)
        shown = f"{plan.info.name}:{path} → {beside.shown(name)}"
        if choice.moves(shown, new, found, same=path in same):
            moving.append(path)
            files += new.kind is Kind.FILE
            size += new.size if new.kind is Kind.FILE else 0
        elif new.kind is not Kind.FOLDER:
            kept.add(name)
    # A few are fetched by name; many come with all the rest, which is thrown away here.
    few = not moving or (
        plan.one_archive and kept and sum(len(path) * 4 for path in moving) < WORDS_LIMIT
    )
    return Selection(
        files=files,
        bytes=size,
        total=size if few else sum(entry.size for _, entry in there.values()),
        sources=moving if few else None,
        kept=frozenset(kept),
        choice=choice,
    )


def listed(
    plan: Plan, *, timeout: float, cancelled: Callable[[], bool] | None
) -> dict[str, tuple[str, Entry]]:
    """Return name below the destination and entry of all that the sources hold, by path there.

    Raises:
        TransferError: Something cannot be listed.
        TransferInterrupted: `cancelled` said so.
    """
    paths = [origin.path for origin in plan.origins]
    found = list_trees(
        plan.engine, plan.info, plan.probe, paths, timeout=timeout, cancelled=cancelled
    )
    named: dict[str, tuple[str, Entry]] = {}
    for origin, name in zip(plan.origins, plan.placement.names, strict=True):
        begin = origin.path.rstrip("/") + "/"
        for path, entry in found.items():
            if path == origin.path:
                if name is not None:
                    named[path] = (name, entry)
            elif path.startswith(begin):
                inner = path[len(begin) :]
                named[path] = (inner if name is None else f"{name}/{inner}", entry)
    return named


def _same(
    plan: Plan,
    there: Mapping[str, tuple[str, Entry]],
    old: Mapping[str, Entry | None],
    beside: Beside,
    *,
    cancelled: Callable[[], bool] | None,
) -> set[str]:
    """Return the paths of files that have the same content on both sides."""
    candidates = [
        path
        for path, (_, new) in there.items()
        if (found := old[path]) is not None
        and new.kind is found.kind is Kind.FILE
        and new.size == found.size
    ]
    tool = checksum.tool_of(plan.probe.tools & beside.tools)
    if tool is None:
        without = plan.info.name if checksum.tool_of(plan.probe.tools) is None else beside.name
        raise checksum.no_tool(without)
    mine = checksum.remote_digests(plan.engine, plan.info, tool, candidates, cancelled=cancelled)
    names = [there[path][0] for path in candidates]
    theirs = beside.digests(tool, names, cancelled=cancelled)
    return {
        path for path in candidates if mine is not None and mine[path] == theirs.get(there[path][0])
    }
