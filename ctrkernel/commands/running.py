"""Code on its way through a session, for the commands that run some."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctrkernel.errors import CommandInterrupted, ShellExited, UsageError
from ctrkernel.session.attendant import attended

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctrkernel.commands.context import Context
    from ctrkernel.container import Container
    from ctrkernel.session.execution import Execution
    from ctrkernel.session.result import CommandResult
    from ctrkernel.session.shell import ShellSession

#: How often code is given to a new shell because the last one was on its way out.
ATTEMPTS = 3


def run_code(
    container: Container,
    name: str,
    code: str,
    *,
    context: Context,
    timeout: float | None = None,
    on_output: Callable[[str], None] | None = None,
    label: str = "",
) -> CommandResult:
    """Run `code` in the session `name` to its end; a program that waits for input is answered.

    Args:
        container: Where.
        name: The session.
        code: What.
        context: Takes the interrupts, and asks the person.
        timeout: Seconds.
        on_output: Called with each piece of output, in the session's thread.
        label: Stands before what a program asks.

    Raises:
        CommandInterrupted: The person interrupted it.
        CommandTimedOut: It took longer than `timeout` seconds and was interrupted.
        ShellExited: The shell ended while it ran.
        ShellBusy: The session runs something else.
    """
    frontend = context.frontend

    def ask(prompt: str, *, hidden: bool, cancelled: Callable[[], bool]) -> str:
        if frontend.terminal:
            # What they type shows there, as what the program prints does: two at one line.
            raise UsageError("type %ctr_interact for a program that asks")
        try:
            return frontend.ask(label + prompt, hidden=hidden, cancelled=cancelled)
        except CommandInterrupted:
            if not cancelled():
                context.interrupts.interrupt()
            raise

    for attempt in range(ATTEMPTS):
        session, execution = start_code(container, name, code, context=context, on_output=on_output)
        try:
            with (
                context.interrupts.calling(session.interrupt),
                attended(session, execution, ask, frontend.notice),
            ):
                result = session.wait(execution, timeout)
        except ShellExited:
            if execution.lost and not execution.interrupts and attempt + 1 < ATTEMPTS:
                continue
            raise
        if context.interrupts.is_set():
            raise CommandInterrupted(f"exit status {result.exit_code}", result)
        return result
    raise AssertionError("unreachable")


def start_code(
    container: Container,
    name: str,
    code: str,
    *,
    context: Context,
    on_output: Callable[[str], None] | None = None,
) -> tuple[ShellSession, Execution]:
    """Give `code` to the session `name` and return at once; a shell that ended is replaced."""
    for attempt in range(ATTEMPTS):
        with context.interrupts.calling(container.abandon):
            session, notice = container.ready(name)
        if notice:
            context.frontend.notice(notice)
        if context.interrupts.is_set():
            raise CommandInterrupted("interrupted before it began")
        try:
            return session, session.submit(code, on_output=on_output, keep=True)
        except ShellExited:
            # It ended since it was last seen, before it was given anything.
            if attempt + 1 == ATTEMPTS:
                raise
    raise AssertionError("unreachable")
