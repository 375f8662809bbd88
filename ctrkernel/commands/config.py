"""``%ctr_config``: look at the notebook's settings, and change them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctrkernel.commands.command import Command, CommandParser
from ctrkernel.commands.settings import SETTINGS
from ctrkernel.commands.table import Table

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
    )

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
        settings.update({name: value for name, value in pairs if value is not None})
        named = {name for name, _ in pairs}
        shown = [setting for setting in settings if not named or setting.name in named]
        values = {setting.name: settings[setting.name] for setting in shown}
        return Table(
            ("setting", "value", "default", "meaning"),
            [
                (setting.name, setting.show(values[setting.name]), setting.default, setting.help)
                for setting in shown
            ],
            values=list(values.items()),
        ).shown()
