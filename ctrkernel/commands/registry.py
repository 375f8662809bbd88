"""All commands by name."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from ctrkernel.commands.attach import Attach
from ctrkernel.commands.copy import Get, Put
from ctrkernel.errors import UsageError, name_list

if TYPE_CHECKING:
    from ctrkernel.commands.command import Command

COMMANDS: dict[str, Command] = {command.name: command for command in (Attach(), Get(), Put())}


def find(name: str) -> Command:
    """Return the command `name`, without its percent sign.

    Raises:
        UsageError: There is none; the message names the nearest, or all.
    """
    command = COMMANDS.get(name)
    if command is not None:
        return command
    near = difflib.get_close_matches(name, COMMANDS, n=1)
    hint = f"did you mean %{near[0]}?" if near else name_list([f"%{each}" for each in COMMANDS])
    raise UsageError(f"there is no command %{name}; {hint}")
