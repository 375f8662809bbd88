"""A recording of a shell: asciicast v2, a header and one event in a line of JSON each.

https://docs.asciinema.org/manual/asciicast/v2/
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import threading
import time
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ctrkernel.session.shell import ShellSession

#: Seconds to which a player shortens the pauses between cells; the times in the file are real.
IDLE_LIMIT: Final = 2.0
#: A line feed as programs write it; a terminal makes a new line of it.
_BARE: Final = re.compile(r"(?<!\r)\n")


class Witness(Protocol):
    """Who is told of all that happens in shells; in any thread."""

    def began(self, session: ShellSession, code: str) -> None:
        """Take note of code that is given to a shell."""

    def shown(self, session: ShellSession, text: str) -> None:
        """Take note of output, secrets taken out."""

    def resized(self, session: ShellSession) -> None:
        """Take note of a terminal's new size."""


class Cast:
    """One recording; each event is in the file when the method returns. Thread-safe.

    Args:
        path: The file.
        overwrite: Whether one that is there may go.
        header: Fields beside version and time; ``width`` and ``height`` must be among them.
        hide: Takes secrets out of code.
        typed: Whether code is recorded as input too.
        on_failure: Called once, with why, if the file can be written no more.

    Raises:
        OSError: The file cannot be made.
    """

    def __init__(
        self,
        path: Path,
        *,
        overwrite: bool,
        header: dict[str, Any],
        hide: Callable[[str], str],
        typed: bool,
        on_failure: Callable[[OSError], None],
    ) -> None:
        self.path = path
        self.events = 0
        self._hide = hide
        self._typed = typed
        self._on_failure = on_failure
        self._lock = threading.Lock()
        self._size = header["width"], header["height"]
        #: Whether the cursor is where a line begins, and whether a carriage return came last.
        self._fresh, self._returned = True, False
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._file: int | None = os.open(
            path, flags | (os.O_TRUNC if overwrite else os.O_EXCL), 0o600
        )
        self._started = time.monotonic()
        self.seconds = 0.0
        #: Bytes of whole lines in the file, and what ended it, to be told without the lock.
        self._length = 0
        self._failure: OSError | None = None
        self._write(
            {"version": 2, **header, "timestamp": int(time.time()), "idle_time_limit": IDLE_LIMIT}
        )
        if self._failure is not None:
            if not overwrite:
                path.unlink()
            raise self._failure

    def code(self, code: str) -> None:
        """Record a cell's code behind a prompt, as a terminal would have echoed it."""
        lines = self._hide(code).removesuffix("\n").split("\n")
        with self._writing():
            start = "" if self._fresh else "\r\n"
            self._event("o", f"{start}$ " + "\r\n> ".join(lines) + "\r\n")
            self._fresh, self._returned = True, False
            if self._typed:
                self._event("i", "\n".join(lines) + "\n")

    def output(self, text: str) -> None:
        """Record output."""
        if not text:
            return
        with self._writing():
            # What ends one piece may be the first half of the next one's line end.
            shown = (
                _BARE.sub("\r\n", "\r" + text)[1:] if self._returned else _BARE.sub("\r\n", text)
            )
            self._event("o", shown)
            self._fresh, self._returned = text.endswith("\n"), text.endswith("\r")

    def size(self, columns: int, rows: int) -> None:
        """Record the terminal's size, if it is another one."""
        with self._writing():
            if (columns, rows) != self._size:
                self._size = columns, rows
                self._event("r", f"{columns}x{rows}")

    def close(self) -> None:
        """End it; what comes later is not recorded."""
        with self._lock:
            self._end()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Hold the lock, then say what went wrong: whoever is told may close this."""
        with self._lock:
            yield
            failure, self._failure = self._failure, None
        if failure is not None:
            self._on_failure(failure)

    def _event(self, kind: str, data: str) -> None:
        if self._file is None:
            return
        self.seconds = time.monotonic() - self._started
        self.events += 1
        self._write([round(self.seconds, 6), kind, data])

    def _write(self, line: object) -> None:
        assert self._file is not None
        data = (json.dumps(line, ensure_ascii=False) + "\n").encode("utf-8", "replace")
        try:
            # At once and whole: whoever is killed leaves a file that can be played.
            rest = data
            while rest:
                rest = rest[os.write(self._file, rest) :]
            self._length += len(data)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._length)
            self._end()
            self._failure = error

    def _end(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
