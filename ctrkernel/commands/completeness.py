"""Whether a cell that is being typed is whole, and how far its next line is to be indented."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ctrkernel.commands import registry
from ctrkernel.commands.cell import split_cell
from ctrkernel.errors import CtrKernelError
from ctrkernel.protocol.open_code import Opening, opening
from ctrkernel.session.syntax import Verdict, at_a_glance, judge

if TYPE_CHECKING:
    from ctrkernel.commands.workspace import Workspace

#: What a block's lines are indented by.
INDENT: Final = "    "

#: The end of a line behind which a block begins; `a)` is a pattern of ``case``.
_BEGINS: Final = re.compile(r"(?:(?:^|[\s;&|])(?:do|then|else|in)|[{(]|^[^()]*\))\s*$")
#: The end of a line that the next one goes on with.
_GOES_ON: Final = re.compile(r"(?:[|\\]|&&)\s*$")
#: The last line of what stands behind a pattern of ``case``.
_PATTERN_ENDS: Final = re.compile(r"^[^)]*;;&?\s*$")
#: A comment, where no quote makes it none.
_COMMENT: Final = re.compile(r"(?:^|\s)#[^'\"]*$")


@dataclass(frozen=True, slots=True)
class Completeness:
    """What is known of a cell.

    Attributes:
        verdict: Whether it is whole.
        indent: Of the next line; None where none is to come.
    """

    verdict: Verdict
    indent: str | None = None


def completeness(code: str, workspace: Workspace) -> Completeness:
    """Judge a cell, within a second; nothing of it is run.

    Args:
        code: The cell.
        workspace: Whose shell is asked; without one the text alone is looked at.
    """
    cell = split_cell(code)
    if cell.commands and cell.commands[-1].body is not None:
        return _of_body(cell.commands[-1].name, code)
    shell = cell.shell or ""
    if not cell.commands and code.lstrip().startswith("%%") and shell == "":
        return Completeness(Verdict.INCOMPLETE, "")
    verdict = at_a_glance(shell)
    if verdict is Verdict.UNKNOWN:
        verdict = _asked(shell, workspace)
    if verdict is not Verdict.INCOMPLETE:
        return Completeness(verdict)
    return Completeness(verdict, next_indent(shell))


def next_indent(code: str) -> str:
    """Return the blanks that the line after open code begins with."""
    # In a text they would be part of it, and end no here-document.
    if opening(code) in (Opening.QUOTE, Opening.DOCUMENT):
        return ""
    lines = [_COMMENT.sub("", line) for line in code.splitlines() if line.strip()]
    before, last = ["", "", *lines][-2:]
    present = last[: len(last) - len(last.lstrip())]
    if _BEGINS.search(last):
        return present + INDENT
    went_on, goes_on = (_GOES_ON.search(line) is not None for line in (before, last))
    if goes_on and not went_on:
        return present + INDENT
    if (went_on and not goes_on) or _PATTERN_ENDS.search(last):
        return present.removesuffix(INDENT)
    return present


def _of_body(name: str, code: str) -> Completeness:
    """Judge a ``%%`` cell: an empty line ends it, as in IPython."""
    if name not in registry.WITH_BODY:
        return Completeness(Verdict.COMPLETE)
    whole = code.count("\n") > 1 and not code.rpartition("\n")[2].strip()
    return Completeness(Verdict.COMPLETE) if whole else Completeness(Verdict.INCOMPLETE, "")


def _asked(shell: str, workspace: Workspace) -> Verdict:
    session = workspace.session
    if session is None:
        return Verdict.COMPLETE if opening(shell) is None else Verdict.INCOMPLETE
    try:
        return judge(session, shell)
    except CtrKernelError:
        return Verdict.UNKNOWN
