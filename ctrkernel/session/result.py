"""What a command in a shell session came to."""

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
        truncated: How many bytes of output were left out between head and tail.
    """

    exit_code: int
    output: str
    cwd: str
    duration: float
    truncated: int = 0

    def __repr__(self) -> str:
        """Status, directory, duration and the output's beginning; a page of text tells less."""
        shown = self.output if len(self.output) <= REPR_LIMIT else self.output[:REPR_LIMIT] + "…"
        return (
            f"CommandResult(exit_code={self.exit_code}, output={shown!r}, "
            f"cwd={self.cwd!r}, duration={self.duration:.3f})"
        )

    @property
    def lines(self) -> list[str]:
        """The output's lines, without their newlines; an output that is empty has none."""
        return self.output.removesuffix("\n").split("\n") if self.output else []

    @property
    def ok(self) -> bool:
        """Whether the exit code is 0."""
        return self.exit_code == 0

    def check(self) -> CommandResult:
        """Return self, or raise :class:`~ctrkernel.errors.CommandFailed` if the code is not 0."""
        if self.exit_code:
            raise CommandFailed(f"exit status {self.exit_code}", self)
        return self
