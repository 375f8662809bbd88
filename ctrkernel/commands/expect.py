"""``%ctr_expect``: wait for what a program says."""

from __future__ import annotations

import shlex
import threading
from typing import TYPE_CHECKING

from ctrkernel.commands.command import Command, CommandParser, Completes
from ctrkernel.commands.context import Context, Output
from ctrkernel.commands.shell import seconds
from ctrkernel.container import MAIN
from ctrkernel.errors import ExpectError, NoTarget, UsageError
from ctrkernel.session.dialogue import compiled

if TYPE_CHECKING:
    import argparse

#: Seconds to wait where none are given.
TIMEOUT = 10.0


class Expect(Command):
    r"""Wait until a session's program says what matches PATTERN; return its output up to there.

    PATTERN is a regular expression of Python's; a \ stays as it is. Output is returned once:
    the next %ctr_expect looks at what came after it. Colours and other escape sequences are part
    of it, and a line may end in \r\n. After an error the output stays unread.
    """

    name = "ctr_expect"
    examples = (
        ("%ctr_expect '>>> '", "blanks need quotes"),
        (r"%ctr_expect \[y/n\]\?", "characters with a meaning need a backslash"),
        ("%ctr_expect --timeout 60 'listening on .*'", "wait for up to a minute (10 s)"),
        ("text = %ctr_expect --session db 'db=#'", "in Python: the text, of another session"),
        ("%ctr_expect --end", "wait for the program's end, and return the rest"),
    )
    takes_turn = False
    completes = {  # noqa: RUF012 - a constant of the class
        "session": Completes.SESSION,
        "on": Completes.CONTAINER,
    }

    def add_arguments(self, parser: CommandParser) -> None:
        """A pattern, and how long to wait."""
        parser.add_argument(
            "--timeout", metavar="S", type=seconds, default=TIMEOUT, help="wait up to S seconds"
        )
        parser.add_argument(
            "--end", action="store_true", help="wait for the program's end in place of a pattern"
        )
        parser.add_argument(
            "--session", metavar="NAME", default=MAIN, help="the shell in which the program runs"
        )
        parser.add_argument(
            "--on", metavar="TARGET", help="in this container, not the attached one"
        )
        parser.add_argument("pattern", metavar="PATTERN", nargs="*", help="a regular expression")

    def words(self, line: str) -> list[str]:
        r"""Split at blanks, with quotes as in a shell; a backslash is the pattern's."""
        lexer = shlex.shlex(line, posix=True, punctuation_chars=False)
        lexer.whitespace_split, lexer.commenters, lexer.escape = True, "", ""
        try:
            return list(lexer)
        except ValueError as error:
            raise UsageError(
                f"%{self.name}: {str(error).lower()}; quote the pattern: '…' or \"…\""
            ) from error

    def work(self, arguments: argparse.Namespace, context: Context) -> Output:
        """Wait and return the text."""
        pattern = _pattern(arguments)
        container = context.workspace.container(arguments.on)
        session = container.sessions.get(arguments.session)
        if session is None:
            raise NoTarget(
                f"no session {arguments.session} in {container.name}; start a program in it: "
                f"%ctr_send --session {arguments.session} COMMAND"
            )
        cancelled = threading.Event()

        def cancel() -> None:
            cancelled.set()
            session.wake()

        with context.interrupts.calling(cancel):
            try:
                text = session.expect(pattern, timeout=arguments.timeout, cancelled=cancelled)
            except ExpectError as error:
                # Where there is no Python to look at the error's output, it shows.
                if context.frontend.variables is None and error.output:
                    context.frontend.stream(error.output)
                raise
        return Output(text, value=text)


def _pattern(arguments: argparse.Namespace) -> str | None:
    words: list[str] = arguments.pattern
    if arguments.end:
        if words:
            raise UsageError("%ctr_expect --end takes no pattern; type %ctr_expect --end")
        return None
    if len(words) > 1:
        raise UsageError(
            f"%ctr_expect takes one pattern; quote it: %ctr_expect {shlex.quote(' '.join(words))}"
        )
    if not words or not words[0]:
        raise UsageError("%ctr_expect needs a pattern; type %ctr_expect '>>> ', or --end")
    compiled(words[0])
    return words[0]
