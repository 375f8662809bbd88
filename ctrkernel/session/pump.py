"""The thread that moves bytes between a transport and a conversation, and keeps the time."""

from __future__ import annotations

import os
import re
import select
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Protocol

from ctrkernel.protocol.conversation import (
    Conversation,
    Done,
    Happening,
    Output,
    Phase,
    Ready,
    Type,
)
from ctrkernel.session.output import Coalescer

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctrkernel.session.mask import Mask
    from ctrkernel.session.transport import Transport

#: Seconds without an answer after which the first line is typed again: a start file of the
#: shell may have read it.
HELLO_INTERVAL = 3.0
#: Seconds after which output is given out although no begin mark came.
RELEASE_INTERVAL = 0.5
#: Seconds that a shell which has lost its terminal may take to end.
LEAVE_LIMIT = 2.0
#: Seconds of silence in a running cell after which the listener is told for the first time.
QUIET_INTERVAL = 2.0
#: The same where the cell may have put another shell in the place of ours.
EXEC_INTERVAL = 0.4
#: Longest pause, in seconds, between two such tellings; each is twice the one before.
QUIET_LONGEST = 60.0
#: Code that may do so.
_EXEC = re.compile(r"\bexec\b")
#: Characters of a cell that a slow shell on a busy machine has read after a second of silence.
TAKEN_IN_A_SECOND = 100_000
#: Bytes handed to the terminal at once.
WRITE_SIZE = 1 << 16


class Listener(Protocol):
    """Who is told; every method is called in the pump's thread and must not wait long."""

    def on_ready(self, ready: Ready) -> None:
        """Take note that the shell is at its first prompt."""

    def on_output(self, text: str, *, late: bool) -> None:
        """Take output; late output belongs to no running cell."""

    def on_done(self, done: Done) -> None:
        """Take note that the cell ended."""

    def on_quiet(self) -> None:
        """Take note that a running cell has been silent for a while."""

    def on_exit(self, status: int) -> None:
        """Take note that the shell is gone."""

    def on_failure(self, error: BaseException) -> None:
        """Take note that the pump itself failed."""


class Pump:
    """Reads, parses, tells, types, until the terminal ends.

    Args:
        transport: Owned from now on.
        conversation: Owned from now on.
        listener: Told of everything.
        mask: Takes secrets out of the output.
    """

    def __init__(
        self,
        transport: Transport,
        conversation: Conversation,
        listener: Listener,
        mask: Mask | None = None,
    ) -> None:
        self._transport = transport
        self._conversation = conversation
        self._listener = listener
        self._outgoing = bytearray()
        self._requests: deque[Callable[[], None]] = deque()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        self._lock = threading.Lock()
        #: Held while the conversation, or what is to be typed, is used; inside `_lock`.
        self._talk = threading.Lock()
        self._ended = False
        self._coalescer = {False: Coalescer(mask), True: Coalescer(mask)}
        self._hello_due = 0.0
        self._greeted = False
        self._release_due: float | None = None
        self._leave_due: float | None = None
        self._quiet_due: float | None = None
        self._quiet_pause = QUIET_INTERVAL
        self._keys: deque[tuple[bytes, Callable[[], bool]]] = deque()
        self._stopping = False
        self._resting = False
        self._thread = threading.Thread(target=self._run, name="ctrkernel-pump", daemon=True)

    def start(self) -> None:
        """Type the first line and begin."""
        self._thread.start()

    def join(self, timeout: float) -> bool:
        """Wait for the pump's end; whether it came in time."""
        if self._thread is not threading.current_thread():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def post(self, request: Callable[[], None]) -> bool:
        """Have `request` called in the pump's thread; False where the pump has ended."""
        with self._lock:
            if self._ended:
                return False
            self._requests.append(request)
            os.write(self._wake_write, b"\0")
            return True

    def stop(self) -> None:
        """End the terminal and with it the pump."""
        self.post(self._stop)

    def _stop(self) -> None:
        self._stopping = True

    def submit(self, code: str, *, stray: bool = False, attended: bool = False) -> bool:
        """Type a cell, from any thread; False where the pump has ended.

        Args:
            code: Any number of lines.
            stray: Whether a key that did not signal may be waiting in the terminal.
            attended: Whether a person sits at the terminal.

        It is written here and not in the pump's thread: a change of threads costs as much as the
        shell's own answer.
        """
        with self._lock:
            if self._ended:
                return False
            self._release_due = None
            pause = EXEC_INTERVAL if _EXEC.search(code) else QUIET_INTERVAL
            self._quiet_pause = pause + len(code) / TAKEN_IN_A_SECOND
            with self._talk:
                self._outgoing += self._conversation.submit(code, stray=stray, attended=attended)
                self._write()
                unwritten = bool(self._outgoing)
        # Else the begin mark wakes the pump.
        return self.post(lambda: None) if unwritten else True

    def press(self, key: bytes, wanted: Callable[[], bool]) -> None:
        """Type a key that signals; in the pump's thread only.

        The terminal throws away what is queued when such a key arrives, so it waits until the
        cell has begun.

        Args:
            key: The key's byte.
            wanted: Asked just before it is typed.
        """
        self._keys.append((key, wanted))
        self._press()

    @property
    def here(self) -> bool:
        """Whether the caller is in the pump's thread."""
        return self._thread is threading.current_thread()

    @property
    def resting(self) -> bool:
        """Whether all that came was read and given out."""
        return self._resting

    def _press(self) -> None:
        if self._conversation.phase is Phase.STAGING and not self._conversation.released:
            return
        while self._keys:
            key, wanted = self._keys.popleft()
            if wanted():
                self._conversation.pressed = True
                self.type(key)

    def type(self, data: bytes) -> None:
        """Type bytes; in the pump's thread only."""
        with self._talk:
            self._outgoing += data
            self._write()

    def resize(self, rows: int, columns: int) -> None:
        """Set the terminal's size; in the pump's thread only."""
        self._transport.resize(rows, columns)

    def _run(self) -> None:
        try:
            self._loop()
        except BaseException as error:  # noqa: BLE001 - told to whoever waits, whatever it is
            self._end()
            self._transport.close()
            self._listener.on_failure(error)
            return
        self._end()
        status = self._transport.close()
        with self._talk:
            happenings = self._conversation.close()
        for happening in happenings:
            self._tell(happening)
        self._flush(final=True)
        self._listener.on_exit(status)

    def _end(self) -> None:
        with self._lock:
            self._ended = True
            self._requests.clear()
            os.close(self._wake_read)
            os.close(self._wake_write)

    def _loop(self) -> None:
        poll = select.poll()
        terminal = self._transport.fileno()
        poll.register(self._wake_read, select.POLLIN)
        poll.register(terminal, select.POLLIN)
        writing = False
        while not self._stopping:
            if writing != bool(self._outgoing):
                writing = not writing
                poll.modify(terminal, select.POLLIN | (select.POLLOUT if writing else 0))
            timeout = self._timeout()
            self._resting = True
            happened = poll.poll(timeout)
            self._resting = False
            for descriptor, events in happened:
                if descriptor == self._wake_read:
                    os.read(self._wake_read, 4096)
                    while self._requests:
                        self._requests.popleft()()
                    continue
                if events & select.POLLOUT:
                    with self._talk:
                        self._write()
                if events & ~select.POLLOUT and not self._read():
                    return
            self._keep_time()
            self._press()

    def _read(self) -> bool:
        data = self._transport.read()
        if data is None:
            return False
        if data:
            now = time.monotonic()
            self._quiet_due = now + self._quiet_pause
            if self._release_due is not None:
                self._release_due = now + RELEASE_INTERVAL
            with self._talk:
                happenings = self._conversation.receive(data)
            for happening in happenings:
                self._tell(happening)
        return True

    def _write(self) -> None:
        if self._outgoing:
            written = self._transport.write(bytes(self._outgoing[:WRITE_SIZE]))
            del self._outgoing[:written]
        if not self._outgoing:
            now = time.monotonic()
            self._quiet_due = now + self._quiet_pause
            if self._conversation.phase is Phase.STAGING:
                self._release_due = now + RELEASE_INTERVAL

    def _tell(self, happening: Happening) -> None:
        match happening:
            case Output(data, late):
                other = self._coalescer[not late]
                if other.wait() is not None:
                    self._give(late=not late)
                self._coalescer[late].feed(data)
                if self._coalescer[late].wait() == 0:
                    self._give(late=late)
            case Type(data):
                self.type(data)
            case Ready():
                self._listener.on_ready(happening)
            case Done():
                self._flush(final=True)
                with self._talk:
                    # Typed for a program that is gone: the shell would run it.
                    self._outgoing.clear()
                self._listener.on_done(happening)

    def _give(self, *, late: bool, final: bool = False) -> None:
        if text := self._coalescer[late].take(final=final):
            self._listener.on_output(text, late=late)

    def _flush(self, *, final: bool = False) -> None:
        for late in (True, False):
            self._give(late=late, final=final)

    def _timeout(self) -> float:
        """Return milliseconds until something is due, or may be after a cell was typed."""
        waits = [coalescer.wait() for coalescer in self._coalescer.values()]
        now = time.monotonic()
        phase = self._conversation.phase
        if phase is Phase.STARTING:
            waits.append(max(0.0, self._hello_due - now))
        if phase is Phase.LEAVING and self._leave_due is not None:
            waits.append(max(0.0, self._leave_due - now))
        if phase is Phase.STAGING and self._release_due is not None:
            waits.append(max(0.0, self._release_due - now))
        if self._conversation.busy and self._quiet_due is not None:
            waits.append(max(0.0, self._quiet_due - now))
        # Rounded up: a wait that ends a fraction early would only turn once more.
        due = min((wait for wait in waits if wait is not None), default=QUIET_INTERVAL)
        return due * 1000 + 0.5

    def _keep_time(self) -> None:
        for late, coalescer in self._coalescer.items():
            if coalescer.wait() == 0:
                self._give(late=late)
        now = time.monotonic()
        phase = self._conversation.phase
        if phase is Phase.STARTING and now >= self._hello_due:
            self._say_hello(now)
        if (
            phase is Phase.STAGING
            and self._release_due is not None
            and now >= self._release_due
            and not self._outgoing
        ):
            self._release_due = None
            with self._talk:
                happenings = self._conversation.release()
            for happening in happenings:
                self._tell(happening)
        self._await_end(now)
        if self._conversation.busy and self._quiet_due is not None and now >= self._quiet_due:
            self._quiet_pause = min(2 * self._quiet_pause, QUIET_LONGEST)
            self._quiet_due = now + self._quiet_pause
            self._listener.on_quiet()

    def replace_shell(self) -> None:
        """Begin anew with a shell that has taken the place of ours; in the pump's thread only."""
        self._hello_due = 0.0
        self._greeted = False
        with self._talk:
            self._conversation.replace_shell()

    def _say_hello(self, now: float) -> None:
        """Type the first line; again to a shell that we started, once to one that we did not."""
        self._hello_due = now + HELLO_INTERVAL
        if self._conversation.replaced and self._greeted:
            with self._talk:
                happenings = self._conversation.resume()
            for happening in happenings:
                self._tell(happening)
            return
        self._greeted = True
        self.type(self._conversation.hello())

    def _await_end(self, now: float) -> None:
        """Give a shell that has lost its terminal some time to end; then its cell has ended."""
        if self._conversation.phase is not Phase.LEAVING:
            self._leave_due = None
        elif self._leave_due is None:
            self._leave_due = now + LEAVE_LIMIT
        elif now >= self._leave_due:
            with self._talk:
                happenings = self._conversation.stay()
            for happening in happenings:
                self._tell(happening)
