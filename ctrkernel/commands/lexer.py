"""The colours of a cell: commands of ours in its first lines, and shell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pygments.lexers.shell import BashLexer
from pygments.token import Keyword, Operator, Text, Whitespace

from ctrkernel.commands.cell import SHELL

if TYPE_CHECKING:
    from collections.abc import Iterator

#: A line that is a command: blanks, percent signs, name, the rest.
_LINE = re.compile(r"([ \t]*)(%%?)(ctr(?:_\w*)?)(?![^\s])([^\n]*\n?)")


class ContainerShellLexer(BashLexer):  # type: ignore[misc]
    """Pygments' bash, with commands of ours where a cell may have them."""

    name = "Container Shell"
    aliases = ("ctrkernel",)
    filenames = ()
    alias_filenames = ()
    mimetypes = ()
    priority = 0.0

    def get_tokens_unprocessed(
        self, text: str, stack: tuple[str, ...] = ("root",)
    ) -> Iterator[tuple[int, Any, str]]:
        """Yield position, kind and value of each token."""
        at = 0
        while match := _LINE.match(text, at):
            blanks, percent, name, rest = match.groups()
            if len(percent) > 1 and at:
                break
            for kind, value in ((Whitespace, blanks), (Operator, percent), (Keyword, name)):
                if value:
                    yield at, kind, value
                    at += len(value)
            if name == SHELL and percent == "%":
                yield from self._shell(at, rest, stack)
            elif rest:
                yield at, Text, rest
            at = match.end()
            if percent == "%%":
                if name != SHELL and text[at:]:
                    # A file, a Dockerfile, a program's input.
                    yield at, Text, text[at:]
                    return
                break
        yield from self._shell(at, text[at:], stack)

    def _shell(self, at: int, text: str, stack: tuple[str, ...]) -> Iterator[tuple[int, Any, str]]:
        for position, kind, value in super().get_tokens_unprocessed(text, stack):
            yield at + position, kind, value

    @staticmethod
    def analyse_text(text: str) -> float:  # noqa: ARG004 - pygments asks each lexer
        """Never guess that a text is a cell of ours."""
        return 0.0
