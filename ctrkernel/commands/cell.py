"""Which lines of a kernel's cell are commands, and which are the shell's."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: ``%ctr`` or ``%ctr_name``, alone or before a space; ``%ctrl`` and ``%1`` are the shell's.
_LINE = re.compile(r"[ \t]*%(ctr(?:_\w*)?)(?:[ \t]+(.*))?", re.DOTALL)
_CELL = re.compile(r"[ \t]*%%(ctr(?:_\w*)?)(?:[ \t]+(.*))?", re.DOTALL)
#: A whole cell that asks for a command's help, as in IPython; shells know no such command.
_HELP = re.compile(r"\s*(\?{0,2})%%?(ctr(?:_\w*)?)(\?{0,2})\s*")
#: The shell itself.
SHELL = "ctr"


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A line that is a command.

    Attributes:
        name: Without the percent sign.
        words: What follows the name.
        body: The lines below it, where it has two percent signs; else None.
    """

    name: str
    words: str
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell, taken apart.

    Attributes:
        commands: Run first, in order.
        shell: Then the shell runs this; None where the cell holds nothing for it.
        asks: It is one command with a question mark: its help is wanted.
    """

    commands: tuple[CommandLine, ...]
    shell: str | None
    asks: bool = False


def split_cell(code: str) -> Cell:
    """Take a cell apart."""
    if "?" in code[:80] and (asked := _HELP.fullmatch(code)) and (asked[1] or asked[3]):
        return Cell((CommandLine(asked[2], "--help"),), None, asks=True)
    first, newline, rest = code.partition("\n")
    if magic := _CELL.fullmatch(first.rstrip("\r")):
        if magic[1] == SHELL and not magic[2]:
            return Cell((), rest if newline else None)
        return Cell((CommandLine(magic[1], magic[2] or "", rest),), None)
    commands = []
    while magic := _LINE.fullmatch(first.rstrip("\r")):
        commands.append(CommandLine(magic[1], magic[2] or ""))
        code = rest
        first, newline, rest = code.partition("\n")
    if commands and not code.strip():
        return Cell(tuple(commands), None)
    return Cell(tuple(commands), code)
