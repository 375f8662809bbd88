"""What a command is: a name, a parser, and work that gives a result."""

from __future__ import annotations

import argparse
import shlex
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NoReturn

from ctrkernel.errors import UsageError, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ctrkernel.commands.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Output:
    """What a command shows.

    Attributes:
        text: Plain text, for every front end.
        html: The same for a front end that can show it; empty for text alone.
    """

    text: str
    html: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """What a front end gives to a command.

    Attributes:
        workspace: What the notebook is attached to.
        progress: Shows a line that replaces the last one; an empty one ends it.
        cancelled: Whether the person interrupted.
    """

    workspace: Workspace
    progress: Callable[[str], None]
    cancelled: Callable[[], bool]


class CommandParser(argparse.ArgumentParser):
    """An argument parser that raises in place of printing and exiting."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError with the way to get help."""
        raise UsageError(f"{self.prog}: {one_line(message)}; type {self.prog} --help")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """Never called: help is a command's own option here."""
        raise UsageError(one_line(message or f"{self.prog} ended with {status}"))


class Command(ABC):
    """One ``%ctr_`` command; its docstring is the first line of its help."""

    #: The name, without the percent sign.
    name: ClassVar[str]
    #: Lines to type, each with what it does.
    examples: ClassVar[tuple[tuple[str, str], ...]]

    def parser(self) -> CommandParser:
        """Return the command's parser."""
        parser = CommandParser(
            prog=f"%{self.name}",
            description=(self.__doc__ or "").strip(),
            epilog=self._epilog(),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            add_help=False,
            allow_abbrev=False,
        )
        parser.add_argument("-h", "--help", action="store_true", help="show this and do nothing")
        self.add_arguments(parser)
        return parser

    def _epilog(self) -> str:
        width = max(len(line) for line, _ in self.examples)
        lines = [f"  {line:<{width}}  {what}" for line, what in self.examples]
        return "\n".join(["examples:", *lines])

    def help(self) -> str:
        """Return the help text."""
        return self.parser().format_help()

    def run(self, line: str, context: Context) -> Output:
        """Parse `line`, which is what follows the name, and do the work.

        Raises:
            UsageError: The words do not fit.
            CtrKernelError: The work could not be done.
        """
        words = split_words(line, self.name)
        if any(word in ("-h", "--help") for word in words[: _options_end(words)]):
            return Output(self.help())
        return self.work(self.parser().parse_args(words), context)

    @abstractmethod
    def add_arguments(self, parser: CommandParser) -> None:
        """Add the command's own arguments."""

    @abstractmethod
    def work(self, arguments: argparse.Namespace, context: Context) -> Output:
        """Do the work."""


def split_words(line: str, name: str) -> list[str]:
    """Split a command's line as a shell would split it.

    Raises:
        UsageError: A quote is open.
    """
    try:
        return shlex.split(line)
    except ValueError as error:
        raise UsageError(
            f"%{name}: {str(error).lower()}; quote names with special characters: 'a b'"
        ) from error


def _options_end(words: Sequence[str]) -> int:
    return words.index("--") if "--" in words else len(words)
