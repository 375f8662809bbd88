r"""What a program has said and nobody has read yet: where ``expect`` looks.

The text is what the program wrote, decoded as UTF-8 with errors replaced; a character that came in
pieces is whole. Nothing is taken out: colours and other escape sequences are there, and a line ends
as the program ended it, with ``\n`` from most and ``\r\n`` from those that set the terminal
themselves (readline does); ``\r?\n`` matches both.
"""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from ctrkernel.errors import (
    CommandInterrupted,
    ExpectEnded,
    ExpectTimedOut,
    UsageError,
)

if TYPE_CHECKING:
    from ctrkernel.errors import ExpectError

#: Characters that are kept unread; older ones are forgotten, so that a program may print for ever.
KEPT = 1 << 20
#: Characters before a new piece that are searched again with it: the longest match that may come
#: in pieces.
REACH = 1 << 16
#: Characters of the unread output's end that an error's message shows.
_SHOWN = 80
#: Characters of a pattern that a message shows.
_PATTERN_SHOWN = 60


class Dialogue:
    """The unread output of one session's command; thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        #: Held by the one reader: two would each get half of the answer.
        self._reading = threading.Lock()
        self._pieces: deque[str] = deque()
        #: How many characters were received in all, and the number of the first one kept.
        self._received = 0
        self._first = 0
        #: What was said until now and beside what is read, where and how much that is.
        self._said = ""
        self._said_until = self._beside = 0
        #: The line that was begun beside, until it is answered.
        self._line = ""
        self._commands = 0
        self._ended: str | None = "was never begun"
        self._talked = False
        self._seen = True

    def begin(self, *, talked: bool = False) -> None:
        """A command begins; what the last one said is forgotten.

        Args:
            talked: Whether it was started to be talked to.
        """
        with self._changed:
            self._pieces.clear()
            self._first = self._said_until = self._received
            self._said = self._line = ""
            self._commands += 1
            self._ended = None
            self._talked = talked
            self._seen = False
            self._changed.notify_all()

    def add(self, text: str) -> None:
        """The command said `text`."""
        with self._changed:
            self._received += len(text)
            self._pieces.append(text[-KEPT:])
            while self._received - self._first > KEPT:
                excess = self._received - self._first - KEPT
                first = self._pieces[0]
                if len(first) > excess and len(self._pieces) == 1:
                    self._pieces[0] = first[excess:]
                    self._first += excess
                else:
                    # A whole piece at a time; the last one alone is cut.
                    self._pieces.popleft()
                    self._first = self._received - sum(map(len, self._pieces))
            self._changed.notify_all()

    def overhear(self, text: str) -> None:
        """The command said `text` where nobody reads it: on a stderr of its own."""
        with self._changed:
            self._said = (self._heard() + text)[-REACH:]
            self._said_until = self._received
            self._beside += len(text)
            self._line = (self._line + text).rpartition("\n")[2][-REACH:]

    def answered(self) -> None:
        """Note that somebody answered what was asked until now."""
        with self._changed:
            self._line = ""

    def end(self, how: str) -> None:
        """The command ended: `how` completes "the command …"."""
        with self._changed:
            if self._ended is None:
                self._ended = how
            self._changed.notify_all()

    def talk(self) -> None:
        """Note that somebody talks to the command."""
        with self._changed:
            self._talked = True

    @property
    def talked(self) -> bool:
        """Whether somebody talks to the command."""
        return self._talked

    def heard(self) -> tuple[int, str]:
        """Return how many characters came so far, and the last of those that nobody has read."""
        with self._changed:
            return self._received + self._beside, self._heard()

    def _heard(self) -> str:
        tail: list[str] = []
        missing = min(REACH, self._received - self._said_until) if self._said else REACH
        for piece in reversed(self._pieces):
            if not missing:
                break
            tail.append(piece[-missing:])
            missing -= len(tail[-1])
        said = (self._said + "".join(reversed(tail)))[-REACH:]
        # Of two channels the slower one may bring the end of a line that stood before.
        return said + self._line if said.endswith("\n") else said

    def unseen_end(self) -> str | None:
        """Return how a command ended that was talked to, if nobody was told so far; once."""
        with self._changed:
            if self._ended is None or self._seen or not self._talked:
                return None
            self._seen = True
            return self._ended

    def wake(self) -> None:
        """Have a reader look at its ``cancelled`` event now."""
        with self._changed:
            self._changed.notify_all()

    def expect(
        self,
        pattern: re.Pattern[str] | None,
        *,
        timeout: float | None,
        cancelled: threading.Event | None = None,
    ) -> str:
        """Wait until the unread output matches; return it up to the match's end and consume it.

        Args:
            pattern: What to wait for; None for the command's end.
            timeout: Seconds; None for no limit.
            cancelled: Ends the wait; set it, then call :meth:`wake`.

        Raises:
            ExpectTimedOut: It did not match in time; the output stays unread.
            ExpectEnded: The command ended and its output does not match; it stays unread.
            CommandInterrupted: `cancelled` was set.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        if pattern is not None and not self._commands:
            said = f"nothing was run in this session that could say {_shown(pattern.pattern)}"
            raise ExpectEnded(f"{said}; send a command first", "")
        if not self._reading.acquire(timeout=-1 if timeout is None else timeout):
            raise ExpectTimedOut("another thread waits for this session's output; wait for it", "")
        try:
            return self._read(pattern, deadline, timeout, cancelled)
        finally:
            self._reading.release()

    def _read(
        self,
        pattern: re.Pattern[str] | None,
        deadline: float | None,
        timeout: float | None,
        cancelled: threading.Event | None,
    ) -> str:
        what = "its end" if pattern is None else _shown(pattern.pattern)
        with self._changed:
            command = self._commands
            self._talked = True
        searched = 0
        while True:
            with self._changed:
                if self._commands != command:
                    raise ExpectEnded(f"the command ended before {what} came", "")
                text, first, received = self._text(), self._first, self._received
                ended = self._ended
            # Outside the lock: the pump must not wait for an expression that takes long.
            match = None
            if pattern is not None:
                match = pattern.search(text, max(0, searched - REACH - first))
            elif ended is not None:
                self._consume(received, command)
                self._note_seen(command)
                return text
            searched = received
            if match is not None:
                self._consume(first + match.end(), command)
                return text[: match.end()]
            if ended is not None:
                self._note_seen(command)
                raise _failure(ExpectEnded, f"the command {ended} before {what} came", text)
            with self._changed:
                if self._received != received or self._ended is not None:
                    continue
                if cancelled is not None and cancelled.is_set():
                    raise CommandInterrupted(f"waiting for {what}; the command goes on")
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    raise _failure(ExpectTimedOut, f"{what} did not come in {timeout:g} s", text)
                self._changed.wait(left)

    def _text(self) -> str:
        """Join what is kept into one piece; only with the lock."""
        if len(self._pieces) > 1:
            whole = "".join(self._pieces)
            self._pieces.clear()
            self._pieces.append(whole)
        return self._pieces[0] if self._pieces else ""

    def _consume(self, until: int, command: int) -> None:
        with self._changed:
            # What was read may be forgotten already, or another command's may stand there.
            if self._commands != command or until <= self._first:
                return
            rest = self._text()[until - self._first :]
            self._pieces.clear()
            if rest:
                self._pieces.append(rest)
            self._first = until

    def _note_seen(self, command: int) -> None:
        with self._changed:
            if self._commands == command:
                self._seen = True


def compiled(pattern: str | re.Pattern[str]) -> re.Pattern[str]:
    """Return `pattern` as a regular expression of Python's.

    Raises:
        UsageError: It is none; the message names the place.
    """
    if isinstance(pattern, re.Pattern):
        if not isinstance(pattern.pattern, str):
            raise UsageError(f"{pattern.pattern!r} is a pattern of bytes; give one of text: r'…'")
        return pattern
    try:
        return re.compile(pattern)
    except re.error as error:
        place = "" if error.pos is None else f" at position {error.pos}"
        raise UsageError(
            f"{_shown(pattern)} is no regular expression: {error.msg}{place}; "
            r"put \ before a character that stands for itself"
        ) from error


def _shown(pattern: str) -> str:
    """Quote a pattern; its blanks count, and its backslashes are as they were typed."""
    shown = pattern if len(pattern) <= _PATTERN_SHOWN else pattern[:_PATTERN_SHOWN] + "…"
    return repr(shown).replace("\\\\", "\\")


def _failure(kind: type[ExpectError], said: str, text: str) -> ExpectError:
    if not text:
        return kind(f"{said}; nothing came", text)
    return kind(f"{said}; what came ends in {text[-_SHOWN:]!r}", text)
