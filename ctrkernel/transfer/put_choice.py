"""What of a put's sources moves, compared with what is in the container."""

from __future__ import annotations

import os
import posixpath
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ctrkernel.errors import TransferError, one_line
from ctrkernel.protocol.tar_stream import Kind
from ctrkernel.transfer import checksum
from ctrkernel.transfer.choice import Choice, entry_of, refuse_other_kind
from ctrkernel.transfer.listing import Entry, list_trees
from ctrkernel.transfer.pack import Extent, Packer
from ctrkernel.transfer.tree import Found, unreadable

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctrkernel.transfer.put_plan import Plan


@dataclass(frozen=True, slots=True)
class Selection:
    """What moves.

    Args:
        extent: How much it is.
        wanted: Says so of each entry; None for all of them.
        choice: What was decided, for the summary.
    """

    extent: Extent
    wanted: Callable[[Found], bool] | None = None
    choice: Choice | None = None

    def notes(self) -> list[str]:
        """Return what a summary says of it."""
        return self.choice.notes() if self.choice is not None else []


def select(plan: Plan, *, timeout: float, cancelled: Callable[[], bool] | None) -> Selection:
    """Decide what of `plan` moves.

    Raises:
        TransferError: Something cannot be read or listed, or two sources are one file.
        process.Cancelled: `cancelled` said so.
    """
    packer = Packer(plan.roots)
    if len(plan.roots) > 1:
        _refuse_same_file(packer)
    if not plan.options.choosy:
        return Selection(extent=packer.measure())
    there = _listed(plan, timeout=timeout, cancelled=cancelled)
    same = _same(plan, packer, there, cancelled=cancelled) if plan.options.checksum else set()
    choice = Choice(plan.options)
    folder = plan.placement.folder
    moving: set[str] = set()
    for found in packer.walk():
        path = posixpath.join(folder, found.name)
        old, new = there.get(path), entry_of(found.status)
        if old is not None:
            refuse_other_kind(f"{plan.info.name}:{path}", new, old)
        shown = f"{found.path} → {plan.info.name}:{path}"
        if choice.moves(shown, new, old, same=found.name in same):
            moving.add(found.name)
    for root in plan.roots:
        if root.content is not None:
            _choose_content(plan, choice, root.name or "", there, moving)

    def wanted(found: Found) -> bool:
        return found.name in moving

    measured = Packer(
        [root for root in plan.roots if root.content is None or root.name in moving], wanted=wanted
    ).measure()
    return Selection(extent=measured, wanted=wanted, choice=choice)


def _choose_content(
    plan: Plan, choice: Choice, name: str, there: dict[str, Entry], moving: set[str]
) -> None:
    path = posixpath.join(plan.placement.folder, name)
    if choice.moves(f"{plan.info.name}:{path}", Entry(Kind.FILE, -1, -1), there.get(path)):
        moving.add(name)


def _listed(
    plan: Plan, *, timeout: float, cancelled: Callable[[], bool] | None
) -> dict[str, Entry]:
    """List what is in the container where the sources would go."""
    folder = plan.placement.folder
    paths = []
    for root in plan.roots:
        if root.name is not None:
            paths.append(posixpath.join(folder, root.name))
            continue
        try:
            paths += [posixpath.join(folder, name) for name in os.listdir(root.path)]  # noqa: PTH208 - names only
        except OSError as error:
            raise unreadable(root.path, error) from error
    return list_trees(
        plan.engine, plan.info, plan.probe, paths, timeout=timeout, cancelled=cancelled
    )


def _same(
    plan: Plan,
    packer: Packer,
    there: dict[str, Entry],
    *,
    cancelled: Callable[[], bool] | None,
) -> set[str]:
    """Return the names of files that have the same content on both sides."""
    folder = plan.placement.folder
    candidates = {}
    for found in packer.walk():
        old, new = there.get(posixpath.join(folder, found.name)), entry_of(found.status)
        if old is not None and new.kind is old.kind is Kind.FILE and new.size == old.size:
            candidates[posixpath.join(folder, found.name)] = found
    tool = checksum.tool_of(plan.probe.tools)
    if tool is None:
        raise checksum.no_tool(plan.info.name)
    digests = checksum.remote_digests(
        plan.engine, plan.info, tool, list(candidates), cancelled=cancelled
    )
    return {
        found.name
        for path, found in candidates.items()
        if digests is not None and digests[path] == checksum.local_digest(tool, found.path)
    }


def _refuse_same_file(packer: Packer) -> None:
    """Refuse two sources of which each has a file for the same place."""
    seen: dict[str, str] = {}
    for found in packer.walk():
        if stat.S_ISDIR(found.status.st_mode):
            continue
        if found.name in seen:
            raise TransferError(
                f"{one_line(seen[found.name], limit=100)} and {one_line(found.path, limit=100)} "
                f"would both become {one_line(found.name, limit=60)}; copy them one by one"
            )
        seen[found.name] = found.path
