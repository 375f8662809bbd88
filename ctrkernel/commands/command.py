"""What a command is: a name, a parser, and work that gives a result."""

from __future__ import annotations

import argparse
import inspect
import re
import shlex
from abc import ABC, abstractmethod
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, NoReturn

from ctrkernel.commands.context import Context, Output
from ctrkernel.errors import TargetUnclear, UsageError, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


#: Characters of a line that an error repeats.
_CORRECTED = 120
#: One word of a line as a shell splits it, with the blanks before it.
_WORD = re.compile(r"""[ \t]*((?:[^\s'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+)""")


class Body(Enum):
    """Whether a command takes the rest of the cell, when a ``%%`` line names it."""

    NEVER = "never"
    MAY = "may"
    MUST = "must"


class Completes(Enum):
    """What an argument's words are, for completion."""

    CONTAINER = "container"
    #: Of any state, not only the running ones.
    ANY_CONTAINER = "any container"
    IMAGE = "image"
    SESSION = "session"
    #: A path in the container, relative to the session's directory.
    CONTAINER_PATH = "container path"
    #: A container's path as ``NAME:PATH``, or one of the attached container's.
    PLACE = "place"
    #: What the shell could run.
    COMMAND = "command"
    LOCAL_PATH = "local path"
    VARIABLE = "variable"
    #: A setting's name, and its value behind ``=``.
    SETTING = "setting"


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
    #: Whether it takes the rest of the cell.
    body: ClassVar[Body] = Body.NEVER
    #: Whether it waits for a turn in the kernel, where cells of subshells come one after another.
    takes_turn: ClassVar[bool] = True
    #: What parses its words.
    parser_class: ClassVar[type[CommandParser]] = CommandParser
    #: What the words of an argument are, by its ``dest``; of several kinds, the first word is of
    #: the first one.
    completes: ClassVar[Mapping[str, Completes | tuple[Completes, ...]]] = MappingProxyType({})
    #: Whether what looks like an option behind the first other word is none.
    options_first: ClassVar[bool] = False

    #: Made once: a cell that does nothing takes less time than its parser.
    _parser: CommandParser | None = None

    def parser(self) -> CommandParser:
        """Return the command's parser."""
        if self._parser is None:
            self._parser = self._new_parser()
        return self._parser

    def _new_parser(self) -> CommandParser:
        parser = self.parser_class(
            prog=f"%{self.name}",
            description=inspect.cleandoc(self.__doc__ or ""),
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
        mask = context.workspace.mask
        if not mask:
            return self._run(line, context)
        from ctrkernel.commands.masked import masked  # noqa: PLC0415 - only where there is a secret

        return masked(mask, context, lambda context: self._run(line, context))

    def _run(self, line: str, context: Context) -> Output:
        words = self.words(line)
        if any(word in ("-h", "--help") for word in words[: _options_end(words)]):
            return Output(self.help())
        arguments = self.parser().parse_args(words)
        self._check_body(context)
        try:
            return self.work(arguments, context)
        except TargetUnclear as error:
            if not error.nearest:
                raise
            raise error.to_type(self._corrected(line, context, error)) from error

    def _corrected(self, line: str, context: Context, error: TargetUnclear) -> str:
        """Return the line to type in place of one that named no container."""
        kinds = [each for each in self.completes.values() if isinstance(each, Completes)]
        meant = error.nearest_any if Completes.ANY_CONTAINER in kinds else error.nearest
        # A name stands alone, in a list, or before a path.
        asked = rf"(?<![\w./-]){re.escape(error.asked)}(?![\w./-])"
        corrected, count = re.subn(asked, meant, line.strip(), count=1)
        if not count or "\n" in corrected or len(corrected) > _CORRECTED:
            return f"%ctr_attach {error.nearest}"
        return f"{'%' if context.body is None else '%%'}{self.name} {corrected}"

    def words(self, line: str) -> list[str]:
        """Split what follows the name into the words that the parser takes."""
        return split_words(line, self.name)

    def _check_body(self, context: Context) -> None:
        if self.body is Body.NEVER and context.body is not None:
            raise UsageError(f"%%{self.name} takes no body; type %{self.name} on a line of its own")
        if self.body is Body.MUST and context.body is None:
            raise UsageError(
                f"%{self.name} takes the rest of the cell; type %%{self.name} as its first line"
            )

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


class TailCommand(Command):
    """A command whose line ends in text that stays as it was typed, quotes and all."""

    options_first = True

    def words(self, line: str) -> list[str]:
        """Split the options off; what follows them, or ``--``, is one word."""
        words, position = self._options(line)
        tail = line[position:].strip(" \t")
        return [*words, "--", tail] if tail else words

    def tail_start(self, line: str) -> int:
        """Return where in a line the text begins."""
        position = self._options(line)[1]
        return len(line) - len(line[position:].lstrip(" \t"))

    def _options(self, line: str) -> tuple[list[str], int]:
        words: list[str] = []
        taking = {
            option: action.nargs is None
            for action in self.parser()._actions  # noqa: SLF001 - argparse has no other way
            for option in action.option_strings
        }
        position = 0
        while match := _WORD.match(line, position):
            if not match[1].startswith("-"):
                break
            position = match.end()
            words += split_words(match[1], self.name)
            if words[-1] == "--":
                words.pop()
                break
            if taking.get(words[-1]) and (value := _WORD.match(line, position)):
                position = value.end()
                words += split_words(value[1], self.name)
        return words, position


def _options_end(words: Sequence[str]) -> int:
    return words.index("--") if "--" in words else len(words)
