"""What of a copy between containers moves, compared with what is in the destination."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ctrkernel.errors import TransferError, one_line
from ctrkernel.protocol.tar_stream import Kind
from ctrkernel.transfer import checksum
from ctrkernel.transfer.choice import Choice
from ctrkernel.transfer.get_choice import Selection, choose, listed
from ctrkernel.transfer.listing import list_trees

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ctrkernel.transfer.get import Plan as GetPlan
    from ctrkernel.transfer.listing import Entry
    from ctrkernel.transfer.put_plan import Plan


@dataclass(frozen=True, slots=True)
class There:
    """The folder of a container into which a copy goes.

    Args:
        plan: Where that is.
        entries: What is in it, by path, as far as the sources could meet it.
    """

    plan: Plan
    entries: Mapping[str, Entry]

    @property
    def name(self) -> str:
        """The container's name."""
        return self.plan.info.name

    @property
    def tools(self) -> frozenset[str]:
        """What the container has."""
        return self.plan.probe.tools

    def shown(self, name: str) -> str:
        """Return the place of `name`."""
        return f"{self.plan.info.name}:{self._path(name)}"

    def entry(self, name: str) -> Entry | None:
        """Return what is there."""
        return self.entries.get(self._path(name))

    def digests(
        self, tool: str, names: Sequence[str], *, cancelled: Callable[[], bool] | None
    ) -> Mapping[str, str | None]:
        """Return the checksums of files."""
        paths = {self._path(name): name for name in names}
        plan = self.plan
        found = checksum.remote_digests(
            plan.engine, plan.info, tool, list(paths), cancelled=cancelled
        )
        return {paths[path]: digest for path, digest in (found or {}).items()}

    def _path(self, name: str) -> str:
        return posixpath.join(self.plan.placement.folder, name)


def select(
    plan: Plan,
    sources: Sequence[GetPlan],
    *,
    timeout: float,
    cancelled: Callable[[], bool] | None,
) -> tuple[list[Selection], list[str]]:
    """Decide for each of `sources` what of it moves; return that, and what a summary says of it.

    Raises:
        TransferError: Something cannot be listed or compared, or two sources are one file.
        process.Cancelled: `cancelled` said so.
    """
    if not plan.options.choosy:
        return [Selection() for _ in sources], []
    found = [listed(source, timeout=timeout, cancelled=cancelled) for source in sources]
    _refuse_same_file(sources, found)
    tops = {
        posixpath.join(plan.placement.folder, _top(source, name)): None
        for source, there in zip(sources, found, strict=True)
        for name, _ in there.values()
    }
    entries = list_trees(
        plan.engine, plan.info, plan.probe, list(tops), timeout=timeout, cancelled=cancelled
    )
    choice = Choice(plan.options)
    beside = There(plan, entries)
    chosen = [
        choose(source, there, beside, choice, cancelled=cancelled)
        for source, there in zip(sources, found, strict=True)
    ]
    return chosen, choice.notes()


def _top(source: GetPlan, name: str) -> str:
    """Return what of `name` is looked at, with all below it: a source's own new name."""
    return source.placement.names[0] or name.partition("/")[0]


def _refuse_same_file(
    sources: Sequence[GetPlan], found: Sequence[Mapping[str, tuple[str, Entry]]]
) -> None:
    """Refuse two sources of which each has a file for the same place."""
    if len(sources) == 1:
        return
    seen: dict[str, str] = {}
    for source, there in zip(sources, found, strict=True):
        for path, (name, entry) in there.items():
            if entry.kind is Kind.FOLDER:
                continue
            shown = f"{source.info.name}:{one_line(path, limit=100)}"
            if name in seen:
                raise TransferError(
                    f"{seen[name]} and {shown} would both become {one_line(name, limit=60)}; "
                    "copy them one by one"
                )
            seen[name] = shown
