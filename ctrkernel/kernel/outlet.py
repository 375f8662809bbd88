"""The kernel's way out to iopub, at a pace that a notebook server lets pass.

jupyter_server drops what passes 1,000 messages or 1 MB a second, counted over three seconds
(``iopub_msg_rate_limit``, ``iopub_data_rate_limit``, ``rate_limit_window``).
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Seconds that are counted together: the server's three, and a little for the way to it.
WINDOW: Final = 3.3
#: Bytes and messages that may go in that time; the kernel's own status messages come on top.
BYTES: Final = 2_850_000
MESSAGES: Final = 1_000
#: Bytes that a message has beside its content.
ENVELOPE: Final = 1_000


class Outlet:
    """Sends messages in order, at once or when there is room for them; usable from any thread.

    Args:
        kernel: For its session and socket.
    """

    def __init__(self, kernel: Any) -> None:
        self._kernel = kernel
        self._lock = threading.RLock()
        self._loop: asyncio.AbstractEventLoop | None = None
        #: Whether there is a pace; a person who wants everything is given everything.
        self.paced = False
        self._waiting: deque[tuple[str, Mapping[str, Any], Mapping[str, Any], int]] = deque()
        self._sent: deque[tuple[float, int]] = deque()
        self._sent_size = 0
        self._drained: list[asyncio.Future[None]] = []

    def run_in(self, loop: asyncio.AbstractEventLoop) -> None:
        """Keep the time in `loop`."""
        self._loop = loop

    @property
    def behind(self) -> bool:
        """Whether messages wait for their turn."""
        return bool(self._waiting)

    def call_later(self, delay: float, callback: Any) -> None:
        """Have `callback` called in the loop after `delay` seconds."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._loop.call_later, delay, callback)

    @property
    def timed(self) -> bool:
        """Whether there is a loop that keeps the time."""
        return self._loop is not None

    def send(self, kind: str, content: Mapping[str, Any], parent: Mapping[str, Any]) -> None:
        """Send a message after those that wait."""
        with self._lock:
            if not self._waiting and not (self.paced and self._loop is not None):
                self._deliver(kind, content, parent)
                return
            size = ENVELOPE + len(
                json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")
            )
            if not self._waiting and self._room(size) <= 0:
                self._count(size)
                self._deliver(kind, content, parent)
                return
            self._waiting.append((kind, content, parent, size))
            if len(self._waiting) == 1:
                self.call_later(self._room(size), self._go_on)

    async def drained(self) -> None:
        """Wait until nothing waits any more."""
        with self._lock:
            if not self._waiting:
                return
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._drained.append(future)
        await future

    def _go_on(self) -> None:
        with self._lock:
            while self._waiting:
                kind, content, parent, size = self._waiting[0]
                wait = self._room(size)
                if wait > 0:
                    self.call_later(wait, self._go_on)
                    return
                self._waiting.popleft()
                self._count(size)
                self._deliver(kind, content, parent)
            drained, self._drained = self._drained, []
        for future in drained:
            future.get_loop().call_soon_threadsafe(_done, future)

    def _room(self, size: int) -> float:
        """Return the seconds until `size` bytes may go; 0 or less for now."""
        now = time.monotonic()
        while self._sent and self._sent[0][0] <= now - WINDOW:
            self._sent_size -= self._sent.popleft()[1]
        if not self._sent or (self._sent_size + size <= BYTES and len(self._sent) < MESSAGES):
            return 0.0
        return self._sent[0][0] + WINDOW - now

    def _count(self, size: int) -> None:
        self._sent.append((time.monotonic(), size))
        self._sent_size += size

    def _deliver(self, kind: str, content: Mapping[str, Any], parent: Mapping[str, Any]) -> None:
        kernel = self._kernel
        kernel.session.send(
            kernel.iopub_socket,
            kind,
            content,
            parent=parent,
            ident=f"kernel.{kernel.ident}.{kind}".encode(),
        )


def _done(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
