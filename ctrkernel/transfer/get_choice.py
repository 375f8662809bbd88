"""What of a get's sources moves, compared with what is here."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ctrkernel.errors import TransferError, one_line
from ctrkernel.protocol.tar_stream import Kind
from ctrkernel.transfer import checksum
from ctrkernel.transfer.choice import Choice, entry_of, refuse_other_kind
from ctrkernel.transfer.listing import WORDS_LIMIT, Entry, RemoteLister, trees_by_archive

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ctrkernel.transfer.get import Plan


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


def select(plan: Plan, *, timeout: float, cancelled: Callable[[], bool] | None) -> Selection:
    """Decide what of `plan` moves.

    Raises:
        TransferError: Something cannot be listed or compared.
        process.Cancelled: `cancelled` said so.
    """
    if not plan.options.choosy:
        return Selection()
    there = _listed(plan, timeout=timeout, cancelled=cancelled)
    local = {path: _local(plan, name) for path, (name, _) in there.items()}
    same = _same(plan, there, local, cancelled=cancelled) if plan.options.checksum else set()
    choice = Choice(plan.options)
    moving: list[str] = []
    kept: set[str] = set()
    files = size = 0
    for path, (name, new) in there.items():
        here = os.path.join(plan.placement.folder, name)  # noqa: PTH118 - names may be undecodable
        old = local[path]
        if old is not None:
            refuse_other_kind(here, new, old)
        shown = f"{plan.info.name}:{path} → {here}"
        if choice.moves(shown, new, old, same=path in same):
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


def _listed(
    plan: Plan, *, timeout: float, cancelled: Callable[[], bool] | None
) -> dict[str, tuple[str, Entry]]:
    """Return name here and entry there of all that the sources hold, by path there."""
    paths = [origin.path for origin in plan.origins]
    if plan.probe.by_exec and "find" in plan.probe.tools:
        found = RemoteLister(plan.engine, plan.info).trees(paths)
    else:
        found = trees_by_archive(
            plan.engine, plan.info, paths, timeout=timeout, cancelled=cancelled
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


def _local(plan: Plan, name: str) -> Entry | None:
    try:
        return entry_of(os.lstat(os.path.join(plan.placement.folder, name)))  # noqa: PTH118 - as above
    except OSError:
        return None


def _same(
    plan: Plan,
    there: dict[str, tuple[str, Entry]],
    local: dict[str, Entry | None],
    *,
    cancelled: Callable[[], bool] | None,
) -> set[str]:
    """Return the paths of files that have the same content on both sides."""
    candidates = [
        path
        for path, (_, new) in there.items()
        if (old := local[path]) is not None
        and new.kind is old.kind is Kind.FILE
        and new.size == old.size
    ]
    tool = checksum.tool_of(plan.probe.tools)
    if tool is None:
        raise TransferError(
            f"{one_line(plan.info.name)} has no {', '.join(checksum.TOOLS)}, so contents cannot "
            "be compared; use --update, which goes by size and time"
        )
    digests = checksum.remote_digests(plan.engine, plan.info, tool, candidates, cancelled=cancelled)
    folder = plan.placement.folder
    return {
        path
        for path in candidates
        if digests is not None
        and digests[path] == checksum.local_digest(tool, os.path.join(folder, there[path][0]))  # noqa: PTH118 - as above
    }
