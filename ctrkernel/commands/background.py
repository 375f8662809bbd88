"""A command that runs in the background, as Python holds it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ctrkernel.commands.fan_out import Fleet
from ctrkernel.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctrkernel.session.execution import Execution
    from ctrkernel.session.result import CommandResult
    from ctrkernel.session.shell import ShellSession

#: Characters of the code that the repr shows.
_SHOWN = 40


class Background:
    """A handle for a command that was started and not waited for.

    Args:
        container: The container's name.
        session: Where it runs.
        execution: The command.
        hide: Takes secrets out of what the repr shows of the code.
    """

    def __init__(
        self,
        container: str,
        session: ShellSession,
        execution: Execution,
        *,
        hide: Callable[[str], str] = str,
    ) -> None:
        self._where = f"{container}:{session.name}"
        self._session = session
        self._execution = execution
        self._hide = hide

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self._execution.future.done()

    @property
    def output(self) -> str:
        """What it has printed so far."""
        capture = self._execution.capture
        return capture.text() if capture is not None else ""

    def wait(self, timeout: float | None = None) -> CommandResult:
        """Wait for its end and return the result.

        Args:
            timeout: Seconds; the command goes on after them.

        Raises:
            TimeoutError: It has not ended.
            ShellExited: The shell ended while it ran.
        """
        try:
            return self._execution.future.result(timeout)
        except TimeoutError:
            if self.done:
                raise
            raise TimeoutError(
                f"{self!r} has not ended in {timeout} s; wait() longer, or interrupt() it"
            ) from None

    def interrupt(self) -> None:
        """Interrupt it, as Ctrl-C does; again, harder."""
        if self._session.runs(self._execution):
            self._session.interrupt()

    def __repr__(self) -> str:
        line, newline, _ = self._execution.code.strip().partition("\n")
        line = self._hide(line)
        shown = line[:_SHOWN] + ("…" if newline or len(line) > _SHOWN else "")
        if not self.done:
            return f"<running {shown!r} in {self._where}>"
        error = self._execution.future.exception()
        if error is not None:
            return f"<{shown!r} in {self._where}: {error}>"
        result = self._execution.future.result()
        return f"<{shown!r} in {self._where}: exit status {result.exit_code}>"


class Backgrounds(dict[str, Background]):
    """The handles of one command in several containers, by container; what one has, for all."""

    @property
    def done(self) -> bool:
        """Whether all have ended."""
        return all(each.done for each in self.values())

    @property
    def output(self) -> dict[str, str]:
        """What each has printed so far."""
        return {name: each.output for name, each in self.items()}

    def wait(self, timeout: float | None = None) -> dict[str, CommandResult]:
        """Wait for the end of all and return the results, by container.

        Args:
            timeout: Seconds for all of them; the commands go on after them.

        Raises:
            TimeoutError: One has not ended.
            CommandFailed: A shell ended while it ran; a status other than 0 is in its result.
        """
        end = None if timeout is None else time.monotonic() + timeout
        fleet = Fleet()
        for name, each in self.items():
            try:
                left = None if end is None else max(0.0, end - time.monotonic())
                fleet.results[name] = each.wait(left)
            except CommandError as error:
                fleet.errors[name] = error
            except TimeoutError as error:
                going = ", ".join(name for name, each in self.items() if not each.done) or name
                raise TimeoutError(
                    f"not ended in {timeout:g} s: {going}; wait() longer, or interrupt()"
                ) from error
        fleet.check(allow_failed=True)
        return {name: each.wait() for name, each in self.items()}

    def interrupt(self) -> None:
        """Interrupt all, as Ctrl-C does; again, harder."""
        for each in self.values():
            each.interrupt()

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.values()))
