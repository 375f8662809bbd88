"""What a command in a shell session came to, and what a one-shot program did."""

from __future__ import annotations

from dataclasses import dataclass

from ctrkernel.errors import CommandFailed

#: Characters of the output that a result's repr shows.
REPR_LIMIT = 200


@dataclass(frozen=True, slots=True, repr=False)
class CommandResult:
    """The outcome of one command.

    Attributes:
        exit_code: The shell's ``$?`` after the command, 0 to 255.
        output: What the terminal received, decoded as UTF-8 with errors replaced; head and
            tail only where it passed the session's limit.
        cwd: The shell's working directory afterwards, as the shell names it.
        duration: Seconds from the command's start to its end.
        truncated: How many characters of output were left out between head and tail.
    """

    exit_code: int
    output: str
    cwd: str
    duration: float
    truncated: int = 0

    def __repr__(self) -> str:
        """Status, directory, duration and the output's beginning; a page of text tells less."""
        return (
            f"CommandResult(exit_code={self.exit_code}, output={_beginning(self.output)!r}, "
            f"cwd={self.cwd!r}, duration={self.duration:.3f})"
        )

    @property
    def lines(self) -> list[str]:
        """The output's lines, without their newlines; an output that is empty has none."""
        return _lines(self.output)

    @property
    def ok(self) -> bool:
        """Whether the exit code is 0."""
        return self.exit_code == 0

    def check(self) -> CommandResult:
        """Return self, or raise :class:`~ctrkernel.errors.CommandFailed` if the code is not 0."""
        if self.exit_code:
            raise CommandFailed(f"exit status {self.exit_code}", self)
        return self


@dataclass(frozen=True, slots=True, repr=False)
class ExecResult:
    """The outcome of one program that was run without a shell.

    Attributes:
        exit_code: Its status, 0 to 255; 128 and a signal's number if that ended it.
        stdout: What it printed there, decoded as UTF-8 with errors replaced; head and tail only
            where it passed the limit. With a terminal all of its output.
        stderr: What it printed there.
        duration: Seconds from the start to the end, the engine's part included.
        truncated: How many characters were left out between heads and tails.
        reason: Why the program could not be run, where it is the engine who says so.
    """

    exit_code: int
    stdout: str
    stderr: str
    duration: float
    truncated: int = 0
    reason: str = ""

    def __repr__(self) -> str:
        """Status, duration and the beginnings of what it printed."""
        return (
            f"ExecResult(exit_code={self.exit_code}, stdout={_beginning(self.stdout)!r}, "
            f"stderr={_beginning(self.stderr)!r}, duration={self.duration:.3f})"
        )

    @property
    def output(self) -> str:
        """The same as `stdout`, by the name that a CommandResult has for it."""
        return self.stdout

    @property
    def lines(self) -> list[str]:
        """The lines of `stdout`, without their newlines; none where it is empty."""
        return _lines(self.stdout)

    @property
    def ok(self) -> bool:
        """Whether the exit code is 0."""
        return self.exit_code == 0

    def check(self) -> ExecResult:
        """Return self, or raise :class:`~ctrkernel.errors.CommandFailed` if the code is not 0."""
        if self.exit_code:
            why = f": {self.reason}" if self.reason else ""
            raise CommandFailed(f"exit status {self.exit_code}{why}", self)
        return self


def _beginning(text: str) -> str:
    return text if len(text) <= REPR_LIMIT else text[:REPR_LIMIT] + "…"


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []
