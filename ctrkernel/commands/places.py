"""Paths in containers, as commands are given them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ctrkernel.commands.command import Command
from ctrkernel.container import MAIN
from ctrkernel.errors import one_line
from ctrkernel.transfer.container_paths import container_paths
from ctrkernel.transfer.paths import TypedPath, only
from ctrkernel.transfer.words import split

if TYPE_CHECKING:
    from ctrkernel.commands.context import Context
    from ctrkernel.container import Container


@dataclass(frozen=True, slots=True)
class Place:
    """A path in a container.

    Attributes:
        container: Where.
        path: The path, absolute.
    """

    container: Container
    path: TypedPath

    @property
    def typed(self) -> str:
        """The path, with the slash at its end if it had one."""
        return self.path.path + ("/" if self.path.asserts_folder else "")

    def __str__(self) -> str:
        return f"{self.container.name}:{one_line(self.path.path)}"


class PathCommand(Command):
    """A command that is given paths."""

    def words(self, line: str) -> list[str]:
        """Split the line; the words remember what was quoted."""
        return list(split(line))


def place_of(
    typed: str, context: Context, *, session: str = MAIN, target: str | None = None
) -> Place:
    """Find out what a typed path means.

    Args:
        typed: The path; a relative one starts from the directory of the session. Unquoted, its
            ``~``, variables and patterns mean what they mean in the shell.
        context: What the command works with.
        session: The session's name; its shell is started if need be.
        target: The container; None for the attached one.

    Raises:
        TargetError: There is no such container.
        TransferError: The path means nothing, or a pattern matches nothing or several.
    """
    container = context.workspace.container(target)
    with context.interrupts.calling(context.workspace.abandon):
        around = container.surroundings(session, [typed])
    found = container_paths(
        container.engine,
        container.status(),
        [typed],
        base=around.base,
        home=around.home,
        values=around.values,
    )
    return Place(container, only(found[0], typed))
