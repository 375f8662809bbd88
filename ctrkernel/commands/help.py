"""``%ctr_help``: what a name is, in the shell or of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctrkernel.commands import registry
from ctrkernel.commands.command import Command, CommandParser, Completes
from ctrkernel.commands.context import Context, Output
from ctrkernel.errors import UsageError, one_line

if TYPE_CHECKING:
    import argparse


class Help(Command):
    """Say what a name of the shell is and how it is used, or list the commands of ours."""

    name = "ctr_help"
    examples = (
        ("%ctr_help tar", "its manual's head; where there is none, what tar --help says"),
        ("%ctr_help cd", "a builtin, a function's source, an alias"),
        ("%ctr_help PATH", "a variable's value and attributes"),
        ("%ctr_help %ctr_put", "a command of ours"),
        ("%ctr_help", "all of ours"),
    )

    completes = {"name": Completes.COMMAND}  # noqa: RUF012 - a constant of the class

    def add_arguments(self, parser: CommandParser) -> None:
        """The name."""
        parser.add_argument(
            "name", nargs="?", help="a command, a variable or a path; or one of ours"
        )

    def work(self, arguments: argparse.Namespace, context: Context) -> Output:
        """Look it up; a program that has no manual is run with --help."""
        name = arguments.name
        if not name:
            return Output(_listed())
        if name.lstrip("%") in registry.COMMANDS:
            return Output(registry.find(name.lstrip("%")).help())
        from ctrkernel.commands.inspection import Inspector  # noqa: PLC0415 - few cells need it

        context.workspace.ready()
        found = Inspector(context.workspace).look_up(name)
        if not found:
            raise UsageError(
                f"nothing is known of {one_line(name, limit=40)!r} in "
                f"'{context.workspace.target}'; type the name of a command, a variable or a path"
            )
        return Output(f"{found}\n")


def _listed() -> str:
    width = max(map(len, registry.COMMANDS)) + 1
    lines = []
    for name in registry.COMMANDS:
        what = (registry.find(name).__doc__ or "").strip().splitlines()[0]
        lines.append(f"%{name:<{width}} {what}")
    return "\n".join(lines) + "\n"
