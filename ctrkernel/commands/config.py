"""``%ctr_config``: look at the notebook's settings, and change them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctrkernel.commands.command import Command, CommandParser, Completes
from ctrkernel.commands.settings import SETTINGS
from ctrkernel.commands.table import Table
from ctrkernel.commands.terminal_settings import apply

if TYPE_CHECKING:
    import argparse

    from ctrkernel.commands.context import Context, Output


class Config(Command):
    """Show what is set for this notebook, or set it."""

    name = "ctr_config"
    examples = (
        ("%ctr_config", "all settings, with what they mean"),
        ("%ctr_config output_limit=5MB", "up to 5 MB of a cell's output in the notebook"),
        ("%ctr_config output_limit=none", "all of it, whatever the server makes of that"),
        ("%ctr_config output_limit=", "back to the default"),
        ("%ctr_config width=80 height=24", "the terminal's size, at once"),
        ("%ctr_config timeout=5m", "each cell's code is interrupted after five minutes"),
        ("%ctr_config stop_on_error=off", "the notebook goes on past a cell that fails"),
    )

    completes = {"assignments": Completes.SETTING}  # noqa: RUF012 - a constant of the class

    def add_arguments(self, parser: CommandParser) -> None:
        """Any number of assignments."""
        parser.add_argument(
            "assignments",
            metavar="NAME=VALUE",
            nargs="*",
            help=", ".join(f"{setting.name}={setting.form}" for setting in SETTINGS),
        )

    def work(self, arguments: argparse.Namespace, context: Context) -> Output:
        """Set, then show what was named, or everything."""
        settings = context.workspace.settings
        pairs = []
        for word in arguments.assignments:
            name, equals, value = word.partition("=")
            settings.find(name)
            pairs.append((name, value if equals else None))
        values = {name: value for name, value in pairs if value is not None}
        settings.update(values)
        apply(context.workspace, values, context.frontend.notice)
        named = {name for name, _ in pairs}
        shown = [setting for setting in settings if not named or setting.name in named]
        found = {setting.name: settings[setting.name] for setting in shown}
        return Table(
            ("setting", "value", "default", "meaning"),
            [
                (setting.name, setting.show(found[setting.name]), setting.default, setting.help)
                for setting in shown
            ],
            values=list(found.items()),
        ).shown()
