"""Every error that ctrkernel raises: one root, and one line that says what to do next.

Catch :class:`CtrKernelError` for everything. A message names the thing, what is wrong with
it, and what to type next; it fits on one line, because a notebook shows it as one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ctrkernel.session.result import CommandResult, ExecResult


class CtrKernelError(Exception):
    """The root of all errors that ctrkernel raises."""


class UsageError(CtrKernelError):
    """A command was given words that it does not take."""


class EngineError(CtrKernelError):
    """The container engine could not do what was asked."""


class EngineNotFound(EngineError):
    """No engine's command line is installed, or the one that was asked for is not."""


class EngineUnreachable(EngineError):
    """The engine's command line is there, and its daemon does not answer."""


class TargetError(CtrKernelError):
    """The container that was named cannot be used."""


class NoTarget(TargetError):
    """No container was named."""


class TargetUnclear(TargetError):
    """What was named is no container, or more than one.

    Args:
        message: One line, without what to do next.
        asked: What was named.
        nearest: A running container that may have been meant; empty where there is none.
        nearest_any: The same, of any state.
    """

    def __init__(
        self, message: str, *, asked: str = "", nearest: str = "", nearest_any: str = ""
    ) -> None:
        super().__init__(f"{message}; name one, such as {nearest}" if nearest else message)
        self._message = message
        self.asked = asked
        self.nearest = nearest
        self.nearest_any = nearest_any or nearest

    def to_type(self, line: str) -> TargetUnclear:
        """Return the same error for a front end in which `line` is what to type."""
        return type(self)(f"{self._message}; type {line}")


class ContainerNotFound(TargetUnclear):
    """No container has that name or id."""


class ContainerAmbiguous(TargetUnclear):
    """Several containers have an id that begins so."""


class ContainerNotRunning(TargetError):
    """The container is there, and its state does not allow a shell."""


class ContainerExited(TargetError):
    """The container was started, and its own command ended at once.

    Args:
        message: One line.
        log: The last lines that it printed.
    """

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


class ShellNotFound(TargetError):
    """The image has no shell that we can speak to."""


class TransferError(CtrKernelError):
    """A file could not be put or got; the destination is as it was."""


class TransferInterrupted(TransferError):
    """A put or a get was stopped on request; the destination is as it was."""


class SessionError(CtrKernelError):
    """A shell session could not do what was asked."""


class ShellStartFailed(SessionError):
    """The shell was started and did not come to a prompt."""


class ShellBusy(SessionError):
    """A command is running in this session."""


class ShellIdle(SessionError):
    """Nothing runs in this session that could be typed to."""


class ExpectError(SessionError):
    """What was waited for did not come.

    Args:
        message: One line.
        output: What came in its place, and is unread.
    """

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


class ExpectTimedOut(ExpectError):
    """The time was up before the output matched; the command goes on."""


class ExpectEnded(ExpectError):
    """The command, or the shell, ended before the output matched."""


class SessionClosed(SessionError):
    """The session was closed; ``reopen`` starts a new shell."""


class CommandError(SessionError):
    """A command ended otherwise than with status 0.

    Args:
        message: One line, such as ``exit status 2``.
        result: What the command printed and how it ended, as far as is known.
    """

    def __init__(self, message: str, result: CommandResult | ExecResult | None = None) -> None:
        super().__init__(message)
        self.result = result


class CommandFailed(CommandError):
    """The command's exit status was not 0."""


class CommandTimedOut(CommandError):
    """The command was still running when its time was up, and was interrupted."""


class CommandInterrupted(CommandError):
    """The person interrupted the command."""


class ShellExited(CommandError):
    """The shell itself ended while the command ran."""


def one_line(text: str, *, limit: int = 300) -> str:
    """Fold foreign text (an engine's error, a path) into one line of at most `limit` characters."""
    folded = " ".join(text.split())
    return folded if len(folded) <= limit else folded[: limit - 1] + "…"


def name_list(names: Sequence[str], *, most: int = 10) -> str:
    """Join names for a message, naming at most `most` of them."""
    shown = ", ".join(names[:most])
    more = len(names) - most
    return f"{shown} and {more} more" if more > 0 else shown
