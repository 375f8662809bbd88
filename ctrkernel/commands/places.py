"""Paths in containers, as commands are given them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ctrkernel.container import MAIN
from ctrkernel.errors import one_line
from ctrkernel.transfer.paths import TypedPath, container_path

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

    def __str__(self) -> str:
        return f"{self.container.name}:{one_line(self.path.path)}"


def place_of(typed: str, context: Context, *, session: str = MAIN, target: str = "") -> Place:
    """Find out what a typed path means.

    Args:
        typed: The path; a relative one starts from the directory of the session.
        context: What the command works with.
        session: The session's name; its shell is started if need be.
        target: The container; the attached one where it is empty.

    Raises:
        TargetError: There is no such container.
        TransferError: The path means nothing.
    """
    container = context.workspace.container(target)
    with context.interrupts.calling(context.workspace.abandon):
        base, home = container.directories(session, [typed])
    return Place(container, container_path(typed, base=base, home=home))
