"""``%ctr_inspect``: what the engine knows of a container, as data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ctrkernel.commands.command import Command, CommandParser, Completes
from ctrkernel.commands.context import Context, Output

if TYPE_CHECKING:
    import argparse


class Inspect(Command):
    """Show what the engine knows of a container: all of it, or the value at a dotted path."""

    name = "ctr_inspect"
    examples = (
        ("%ctr_inspect NetworkSettings.IPAddress", "one value of the attached container"),
        ("%ctr_inspect Mounts.0.Source --on web", "of another container"),
        ("%ctr_inspect Config.Labels", "a part of it"),
        ("env = %ctr_inspect Config.Env", "in Python: a list of str"),
    )
    completes = {"on": Completes.ANY_CONTAINER}  # noqa: RUF012 - a constant of the class

    def add_arguments(self, parser: CommandParser) -> None:
        """A path and a container."""
        parser.add_argument(
            "path",
            metavar="PATH",
            nargs="?",
            default="",
            help="keys and positions joined by dots; without one everything",
        )
        parser.add_argument("--on", metavar="TARGET", help="in place of the attached container")

    def work(self, arguments: argparse.Namespace, context: Context) -> Output:
        """Return the value, shown as JSON."""
        value = context.workspace.container(arguments.on).inspect(arguments.path)
        return Output(f"{_json(value)}\n", value=_shown(value))


class Object(dict[str, Any]):
    """A dict that shows itself as JSON."""

    def __repr__(self) -> str:
        """The text that was shown."""
        return _json(self)


class Array(list[Any]):
    """A list that shows itself as JSON."""

    def __repr__(self) -> str:
        """The text that was shown."""
        return _json(self)


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        return Object(value)
    return Array(value) if isinstance(value, list) else value


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
