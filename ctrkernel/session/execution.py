"""One command on its way through a session."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ctrkernel.session.result import CommandResult

if TYPE_CHECKING:
    from ctrkernel.session.output import Capture

#: Called with each piece of a command's output, in the session's own thread.
OnOutput = Callable[[str], None]


@dataclass(slots=True, eq=False)
class Execution:
    """A command that was given to a session; its future holds the result, or the error.

    Attributes:
        interrupts: How often it was interrupted.
        interrupted: When it was for the first time, on the clock of ``started``.
        asked: Whether a shell that seems to be at its prompt was asked for the end mark.
        told: Whether it was said why it cannot go on, and that still holds.
        lost: Whether the shell ended before it began; it can be given to another.
        typed: Whether somebody typed to it, which it may not have read.
        reader: The process that reads the terminal and is not signalled by its keys, 0 for none:
            when what began it is gone it would read the next command.
        ours: Whether it is no command of the person's; then nobody else hears its output.
        attended: Whether a person sits at its terminal, which then shows what they type.
        fault: What `on_output` raised, if it did; it is not called again.
    """

    code: str
    on_output: OnOutput | None = None
    capture: Capture | None = None
    interrupts: int = 0
    interrupted: float = 0.0
    asked: bool = False
    told: bool = False
    lost: bool = False
    typed: bool = False
    reader: int = 0
    ours: bool = False
    attended: bool = False
    fault: BaseException | None = None
    started: float = field(default_factory=time.monotonic)
    future: Future[CommandResult] = field(default_factory=Future)

    def take(self, text: str) -> bool:
        """Pass a piece of output on, and keep it if it is to be kept.

        Returns:
            False where `on_output` raised just now: a fault of the caller's, which is theirs to
            hear of when the command ends, and none of the session's.
        """
        if self.capture is not None:
            self.capture.add(text)
        if self.on_output is None:
            return True
        try:
            self.on_output(text)
        except BaseException as error:  # noqa: BLE001 - told to whoever waits, whatever it is
            self.on_output, self.fault = None, error
            return False
        return True

    def end(self, result: CommandResult) -> None:
        """Tell whoever waits that it came to its end."""
        if self.fault is not None:
            self.future.set_exception(self.fault)
        else:
            self.future.set_result(result)

    def result(self, exit_code: int, cwd: str) -> CommandResult:
        """Return the result as of now."""
        return CommandResult(
            exit_code=exit_code,
            output=self.capture.text() if self.capture is not None else "",
            cwd=cwd,
            duration=time.monotonic() - self.started,
            truncated=self.capture.dropped if self.capture is not None else 0,
        )
