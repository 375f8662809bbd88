"""How text and keys reach the program that runs in a session, and what it says is read."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING

from ctrkernel.errors import ExpectEnded, SessionClosed, ShellBusy, ShellIdle, UsageError
from ctrkernel.protocol.conversation import has_command
from ctrkernel.protocol.keys import key_bytes
from ctrkernel.session.dialogue import Dialogue, compiled
from ctrkernel.session.time_limit import time_limit

if TYPE_CHECKING:
    import re
    import threading

    from ctrkernel.session.execution import Execution
    from ctrkernel.session.pump import Pump
    from ctrkernel.session.shell import ShellSession

#: Seconds that a command which was just given to the shell may take to begin.
BEGIN_TIMEOUT = 10.0
#: The key Enter; a terminal in line mode makes a newline of it.
ENTER = b"\r"


class Talker:
    """Types to one session's running command, and reads what it says.

    Typed bytes go through the pump's thread, which also takes note of a command's end: whether
    the command they are for still runs is decided there, so that none reach the next one, and
    none the shell as far as this side of the terminal can tell.

    Args:
        session: The session.
    """

    def __init__(self, session: ShellSession) -> None:
        self._session = session
        self.dialogue = Dialogue()

    def send(self, text: str, *, enter: bool) -> None:
        """See :meth:`ShellSession.send`."""
        if not isinstance(text, str):
            raise UsageError(f"text is a str, not {type(text).__name__}; give what is to be typed")
        session = self._session
        session.wait_ready()
        with session.lock:
            execution = session.execution
            if execution is None:
                self.require_seen()
                if not enter or not has_command(text):
                    raise ShellIdle(self._idle("text"))
                session.submit(text, keep=True, talked=True)
                return
        data = text.replace("\r\n", "\r").replace("\n", "\r").encode("utf-8", "surrogateescape")
        self.type_to(execution, data + (ENTER if enter else b""))

    def press(self, names: tuple[str, ...]) -> None:
        """See :meth:`ShellSession.send_keys`."""
        data = b"".join(map(key_bytes, names))
        session = self._session
        session.wait_ready()
        with session.lock:
            execution = session.execution
            if execution is None:
                self.require_seen()
                raise ShellIdle(self._idle("keys"))
        self.type_to(execution, data)

    def expect(
        self,
        pattern: str | re.Pattern[str] | None,
        *,
        timeout: float | None,
        cancelled: threading.Event | None,
    ) -> str:
        """See :meth:`ShellSession.expect`."""
        self._session.connection.require_here()
        timeout = time_limit(timeout)
        expression = compiled(pattern) if pattern is not None else None
        pump = self._session.connection.pump
        if pump is not None and pump.here:
            raise UsageError("expect waits for output, so on_output cannot call it; use a thread")
        return self.dialogue.expect(expression, timeout=timeout, cancelled=cancelled)

    def require_seen(self) -> None:
        """Raise ExpectEnded, once, if the program that was talked to has ended unnoticed.

        What was meant for it, such as a password, must not become a command.
        """
        how = self.dialogue.unseen_end()
        if how is not None:
            raise ExpectEnded(
                f"the command {how} before it was given this, which was not typed; "
                "send it again to run it as a command",
                "",
            )

    def type_to(self, execution: Execution, data: bytes) -> None:
        """Type to one command, once it has begun, if it still runs then.

        Raises:
            ExpectEnded: It has ended.
            ShellIdle: It has ended, and that is known.
        """
        pump = self._session.connection.pump
        self.dialogue.talk()
        if pump is None:
            raise SessionClosed(f"session {self._session.name} is closed; reopen it")
        if pump.here:
            _Typing(self._session, execution).start(pump, data)
            return
        typing = _Typing(self._session, execution)
        if pump.post(lambda: typing.start(pump, data)):
            execution.future.add_done_callback(lambda _: typing.settle(typed=False))
        else:
            typing.settle(typed=False)
        if not typing.wait():
            self.require_seen()
            raise ShellIdle(self._idle("this any more"))

    def pass_on(self, execution: Execution, data: bytes) -> None:
        """Type what a person types at a terminal of their own, and do not wait."""
        pump = self._session.connection.pump
        if pump is not None:
            typing = _Typing(self._session, execution)
            pump.post(lambda: typing.start(pump, data))

    def answer(self, execution: Execution, data: bytes, *, shown: str = "") -> None:
        """Type what a person answered to `execution`, if it still runs then, and do not wait.

        Args:
            execution: The command.
            data: The keys.
            shown: What a terminal would echo; it becomes output.
        """
        session, pump = self._session, self._session.connection.pump

        def wanted() -> bool:
            runs = session.runs(execution)
            self.dialogue.answered()
            if runs and shown:
                session.on_output(shown, late=False)
            execution.typed = execution.typed or runs
            return runs

        if pump is not None:
            pump.post(lambda: pump.press(data, wanted))

    def _idle(self, what: str) -> str:
        return (
            f"nothing runs in session {self._session.name} that could be given {what}; "
            "start a program first, by sending its command with Enter"
        )


class _Typing:
    """Bytes on their way to one command."""

    def __init__(self, session: ShellSession, execution: Execution) -> None:
        self._session = session
        self._execution = execution
        self._answer: Future[bool] = Future()
        self._given_up = False

    def start(self, pump: Pump, data: bytes) -> None:
        """Hand them to the pump; in its thread."""
        pump.press(data, self._wanted)

    def settle(self, *, typed: bool) -> None:
        """Note what became of them; the first note counts."""
        if not self._answer.done():
            self._answer.set_result(typed)

    def wait(self) -> bool:
        """Return whether they were typed.

        Raises:
            ShellBusy: The command does not begin.
        """
        try:
            return self._answer.result(BEGIN_TIMEOUT)
        except TimeoutError as error:
            self._given_up = True
            raise ShellBusy(
                f"the command in session {self._session.name} has not begun; nothing was typed, "
                "interrupt it"
            ) from error

    def _wanted(self) -> bool:
        typed = not self._given_up and self._session.runs(self._execution)
        self._execution.typed = self._execution.typed or typed
        self.settle(typed=typed)
        return typed
