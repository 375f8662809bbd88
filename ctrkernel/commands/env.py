"""``%ctr_env``: variables of a container's shells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctrkernel.commands.command import Command, CommandParser, Completes
from ctrkernel.commands.context import Context, Output
from ctrkernel.commands.table import Table
from ctrkernel.container import MAIN
from ctrkernel.errors import UsageError
from ctrkernel.session.mask import DOTS
from ctrkernel.session.variables import check_name, exported

if TYPE_CHECKING:
    import argparse

    from ctrkernel.container import Container
    from ctrkernel.session.shell import ShellSession


class Env(Command):
    """Set and export variables in the shell, and in each new one of its container; or list them."""

    name = "ctr_env"
    examples = (
        ("%ctr_env", "all that the shell exports"),
        ("%ctr_env STAGE=test 'GREETING=hello world'", "set and export, for shells to come too"),
        ("%ctr_env STAGE", "one value"),
        ("%ctr_env --unset STAGE", "take it away"),
    )
    completes = {"session": Completes.SESSION}  # noqa: RUF012 - a constant of the class

    def add_arguments(self, parser: CommandParser) -> None:
        """Names, with values or without."""
        parser.add_argument(
            "--session", metavar="NAME", default=MAIN, help="the shell to set or ask now"
        )
        parser.add_argument(
            "--unset", metavar="NAME", action="append", default=[], help="take a variable away"
        )
        parser.add_argument(
            "variables", metavar="NAME[=VALUE]", nargs="*", help="a variable; a value sets it"
        )

    def work(self, arguments: argparse.Namespace, context: Context) -> Output:
        """Set, unset, show."""
        changes: dict[str, str | None] = dict.fromkeys(map(check_name, arguments.unset))
        shown = []
        for word in arguments.variables:
            name, equals, value = word.partition("=")
            check_name(name)
            if equals:
                changes[name] = value
            else:
                shown.append(name)
        container = context.workspace.container()
        session = ready(container, arguments.session, context)
        with context.interrupts.calling(session.interrupt):
            if changes:
                container.variables.change(session, changes)
            if not shown and changes:
                return Output()
            variables = exported(session)[0]
        mask, hidden = context.workspace.mask, container.variables.secrets
        values = {
            name: DOTS if name in hidden else mask.hide(value) for name, value in variables.items()
        }
        if not shown:
            rows = sorted(values.items())
            return Table(("name", "value"), [(name, one) for name, one in rows]).shown()
        missing = [name for name in shown if name not in values]
        if missing:
            raise UsageError(
                f"{missing[0]} is not exported in session {session.name}; "
                f"type %ctr_env {missing[0]}=VALUE"
            )
        if len(shown) == 1:
            return Output(f"{values[shown[0]]}\n")
        return Output("".join(f"{name}={values[name]}\n" for name in shown))


def ready(container: Container, name: str, context: Context) -> ShellSession:
    """Return a shell of `container` at its prompt, and tell if it replaces one that ended."""
    with context.interrupts.calling(container.abandon):
        session, notice = container.ready(name)
    if notice:
        context.frontend.notice(notice)
    return session
