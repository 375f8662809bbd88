"""A notebook of the kernel's as one shell script, which runs in the container."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ctrkernel.commands.cell import SHELL, split_cell
from ctrkernel.protocol.conversation import has_command
from ctrkernel.protocol.open_code import Opening, opening

if TYPE_CHECKING:
    from collections.abc import Iterable

_HEAD: Final = """\
#!/usr/bin/env bash
# Made of a notebook of ctrkernel, to be run in the container; what is no shell is a comment.
# Like the notebook it stops where a cell fails.
"""
#: A script knows no aliases unless it is told to.
_ALIASES: Final = "shopt -s expand_aliases\n"
_ALIAS: Final = re.compile(r"\balias\b")
#: Ends the script with the status of the line before it; ``case`` itself leaves ``$?`` alone.
_STOP: Final = "case $? in 0) ;; *) exit ;; esac"


@dataclass(frozen=True, slots=True)
class Piece:
    """A cell of a notebook.

    Attributes:
        source: Its text.
        code: Whether it is code; all else becomes a comment.
        may_fail: Whether the notebook goes on after it has failed.
    """

    source: str
    code: bool = True
    may_fail: bool = False


def script_of(pieces: Iterable[Piece]) -> str:
    """Return the script."""
    parts = [part for part in map(_part, pieces) if part]
    head = _HEAD + (_ALIASES if any(_ALIAS.search(part) for part in parts) else "")
    return "\n".join([head, *(f"{part}\n" for part in parts)])


def _part(piece: Piece) -> str:
    if not piece.code:
        return _comment(piece.source)
    cell = split_cell(piece.source)
    lines: list[str] = []
    stop = [] if piece.may_fail else [_STOP]
    for command in cell.commands:
        if command.body is not None:
            # Its options say another shell, or its body is no shell at all.
            lines.append(_comment(piece.source))
        elif command.name == SHELL and command.words and command.words[:1] != "-":
            lines += [_shell(command.words), *stop]
        else:
            lines.append(_comment(f"%{command.name} {command.words}"))
    if cell.shell is not None and cell.shell.strip():
        lines.append(_shell(cell.shell.strip("\n")))
        if has_command(cell.shell):
            lines += stop
    return "\n".join(lines)


def _shell(code: str) -> str:
    """Return code that takes nothing of what follows for its own, though its end is open."""
    match opening(code):
        case None:
            return code
        case Opening.LINE:
            # bash reads on wrongly behind an evaluated text that ends so.
            return code.removesuffix("\\")
    return f"eval {shlex.quote(code)}"


def _comment(text: str) -> str:
    return "\n".join(f"# {line}".rstrip() for line in text.strip("\n").split("\n") if text.strip())
