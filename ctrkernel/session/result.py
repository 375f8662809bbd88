"""What a command in a shell session came to."""

from __future__ import annotations

from dataclasses import dataclass, field

from ctrkernel.errors import CommandFailed


@dataclass(frozen=True, slots=True)
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
    output: str = field(repr=False)
    cwd: str
    duration: float
    truncated: int = 0

    @property
    def ok(self) -> bool:
        """Whether the exit code is 0."""
        return self.exit_code == 0

    def check(self) -> CommandResult:
        """Return self, or raise :class:`~ctrkernel.errors.CommandFailed` if the code is not 0."""
        if self.exit_code:
            raise CommandFailed(f"exit status {self.exit_code}", self)
        return self
