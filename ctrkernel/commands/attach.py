"""``%ctr_attach``: choose the container."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctrkernel.commands.command import Command, CommandParser, Context, Output

if TYPE_CHECKING:
    import argparse


class Attach(Command):
    """Run the cells that follow in a running container, in a shell of their own."""

    name = "ctr_attach"
    examples = (
        ("%ctr_attach web", "by name"),
        ("%ctr_attach 3f2a91", "by the beginning of its id"),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """One container."""
        parser.add_argument("target", metavar="TARGET", help="a container's name or id")

    def work(self, arguments: argparse.Namespace, context: Context) -> Output:
        """Attach and say to what."""
        container = context.workspace.attach(arguments.target)
        session = context.workspace.session
        shell = session.shell if session is not None else ""
        return Output(f"attached to {container.name} ({container.image}), {shell}\n")
