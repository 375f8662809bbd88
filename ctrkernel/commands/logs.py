"""``%ctr_logs``: what a container's own command has printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctrkernel.commands.command import Command, CommandParser, Completes
from ctrkernel.commands.context import Context, Output
from ctrkernel.commands.numbers import whole_number
from ctrkernel.engine.logs import logs
from ctrkernel.session.mask import Masking

if TYPE_CHECKING:
    import argparse


class Logs(Command):
    """Show what a container's own command has printed, stdout and stderr told apart.

    With --follow it goes on until the command ends or you interrupt it, which ends the cell as
    every interrupt does (KeyboardInterrupt).
    """

    name = "ctr_logs"
    examples = (
        ("%ctr_logs", "of the attached container"),
        ("%ctr_logs --tail 20 web", "the last lines of another one"),
        ("%ctr_logs --follow --since 10m web", "the last ten minutes, and what comes"),
        ("%ctr_logs --since 2026-01-31T09:00:00Z", "since a moment"),
    )
    completes = {"target": Completes.ANY_CONTAINER}  # noqa: RUF012 - a constant of the class

    def add_arguments(self, parser: CommandParser) -> None:
        """Perhaps a container, and how much."""
        parser.add_argument("target", metavar="TARGET", nargs="?", help="a container's name or id")
        parser.add_argument(
            "-n", "--tail", metavar="N", type=whole_number, help="only the last N lines"
        )
        parser.add_argument("-f", "--follow", action="store_true", help="go on until you interrupt")
        parser.add_argument(
            "--since", metavar="T", help="only what came since then: 10m, or a moment"
        )
        parser.add_argument(
            "-t", "--timestamps", action="store_true", help="show when each line came"
        )

    def work(self, arguments: argparse.Namespace, context: Context) -> Output:
        """Stream it."""
        container = context.workspace.container(arguments.target)
        # A secret may be cut between two pieces.
        masking = {name: Masking(context.workspace.mask) for name in ("stdout", "stderr")}

        def show(name: str, text: str, *, final: bool = False) -> None:
            if shown := masking[name].feed(text, final=final):
                context.frontend.stream(shown, name=name)

        try:
            logs(
                container.engine,
                container.name,
                on_output=show,
                tail=arguments.tail,
                since=arguments.since,
                follow=arguments.follow,
                timestamps=arguments.timestamps,
                cancelled=context.interrupts.is_set,
            )
        finally:
            for name in masking:
                show(name, "", final=True)
        return Output()
