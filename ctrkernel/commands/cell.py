"""Which lines of a kernel's cell are commands, and which are the shell's."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ctrkernel.errors import UsageError

#: ``%ctr`` or ``%ctr_name``, alone or before a space; ``%ctrl`` and ``%1`` are the shell's.
_LINE = re.compile(r"[ \t]*%(ctr(?:_\w*)?)(?:[ \t]+(.*))?", re.DOTALL)
_CELL = re.compile(r"[ \t]*%%(ctr(?:_\w*)?)(?:[ \t]+(.*))?", re.DOTALL)
#: The shell itself.
SHELL = "ctr"


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A line that is a command: its name without the percent sign, and what follows."""

    name: str
    words: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell, taken apart.

    Attributes:
        commands: Run first, in order.
        shell: Then the shell runs this; None where the cell holds nothing for it.
    """

    commands: tuple[CommandLine, ...]
    shell: str | None


def split_cell(code: str) -> Cell:
    """Take a cell apart.

    Raises:
        UsageError: A ``%%`` line names something that takes no body.
    """
    first, newline, rest = code.partition("\n")
    if magic := _CELL.fullmatch(first.rstrip("\r")):
        if magic[1] != SHELL:
            raise UsageError(f"%%{magic[1]} takes no body; type %{magic[1]} on a line of its own")
        if magic[2]:
            raise UsageError(
                f"%%ctr takes no {magic[2].split()[0]} in this kernel; "
                "put the commands on the lines below it"
            )
        return Cell((), rest if newline else None)
    commands = []
    while magic := _LINE.fullmatch(first.rstrip("\r")):
        commands.append(CommandLine(magic[1], magic[2] or ""))
        code = rest
        first, newline, rest = code.partition("\n")
    if commands and not code.strip():
        return Cell(tuple(commands), None)
    return Cell(tuple(commands), code)
