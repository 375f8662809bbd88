"""``%ctr_attach``, ``%ctr_detach``, ``%ctr_sessions``: which containers and which shells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctrkernel.commands.command import Command, CommandParser, Completes
from ctrkernel.commands.context import Context, Output
from ctrkernel.commands.table import Table
from ctrkernel.container import MAIN
from ctrkernel.errors import UsageError

if TYPE_CHECKING:
    import argparse


class Attach(Command):
    """Run the cells that follow in a running container, in a shell of their own."""

    name = "ctr_attach"
    examples = (
        ("%ctr_attach web", "by name"),
        ("%ctr_attach 3f2a91", "by the beginning of its id"),
    )
    completes = {"target": Completes.CONTAINER}  # noqa: RUF012 - a constant of the class

    def add_arguments(self, parser: CommandParser) -> None:
        """One container."""
        parser.add_argument(
            "target", metavar="TARGET", help="a container: its name, id or compose service"
        )

    def work(self, arguments: argparse.Namespace, context: Context) -> Output:
        """Attach and say to what."""
        with context.interrupts.calling(context.workspace.abandon):
            container = context.workspace.attach(
                arguments.target, cancelled=context.interrupts.is_set
            )
        session = context.workspace.session
        shell = session.shell if session is not None else ""
        return Output(f"attached to {container.name} ({container.image}), {shell}\n")


class Detach(Command):
    """End the shells of a container, or one of them; the container goes on."""

    name = "ctr_detach"
    examples = (
        ("%ctr_detach", "from the attached container"),
        ("%ctr_detach web", "from another one that a cell ran in"),
        ("%ctr_detach --session build", "one shell of the attached container"),
    )
    completes = {  # noqa: RUF012
        "target": Completes.CONTAINER,
        "session": Completes.SESSION,
    }

    def add_arguments(self, parser: CommandParser) -> None:
        """Perhaps a container, perhaps a session."""
        parser.add_argument("target", metavar="TARGET", nargs="?", help="a container's name or id")
        parser.add_argument("--session", metavar="NAME", help="only this shell of it")

    def work(self, arguments: argparse.Namespace, context: Context) -> Output:
        """Close and say what."""
        if arguments.session is None:
            name = context.workspace.detach(arguments.target)
            return Output(f"detached from {name}\n")
        container = context.workspace.container(arguments.target)
        if arguments.session not in container.sessions:
            raise UsageError(
                f"no session {arguments.session} in {container.name}; type %ctr_sessions"
            )
        container.close_session(arguments.session)
        return Output(f"closed session {arguments.session} in {container.name}\n")


class Sessions(Command):
    """List the shells that this notebook holds."""

    name = "ctr_sessions"
    examples = (("%ctr_sessions", "containers, sessions, directories, what runs"),)

    def add_arguments(self, parser: CommandParser) -> None:
        """None."""

    def work(self, arguments: argparse.Namespace, context: Context) -> Output:  # noqa: ARG002
        """Return a table, the attached container's main shell marked."""
        rows = []
        for container in context.workspace.containers.values():
            for name, session in container.sessions.items():
                here = container.name == context.workspace.target and name == MAIN
                rows.append(
                    (
                        "*" if here else "",
                        container.name,
                        name,
                        session.shell,
                        session.cwd or "",
                        session.state,
                    )
                )
        heads = ("", "container", "session", "shell", "directory", "state")
        return Table(
            heads, rows, empty="no shell is open; type %ctr_attach CONTAINER", words=True
        ).shown()
