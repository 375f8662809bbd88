"""Output on its way to whoever watches: decoded, gathered in time, kept within bounds."""

from __future__ import annotations

import codecs
import re
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from ctrkernel.session.mask import Masking

if TYPE_CHECKING:
    from ctrkernel.session.mask import Mask

#: Seconds between two pieces of output while a cell runs. A person sees it as at once, and a
#: server that drops what passes 1,000 messages a second sees 30.
FLUSH_INTERVAL = 0.033
#: Seconds that what may be the beginning of a hidden value waits for its rest; a prompt that ends
#: so is shown after them.
HOLD_INTERVAL = 0.25
#: Bytes after which a piece is given out before its time, so that memory stays bounded and no
#: single message stalls a browser.
FLUSH_SIZE = 1 << 20
#: Characters of a result's output that are kept at each end.
CAPTURE_LIMIT = 4 << 20
#: What stands in place of the middle.
_LEFT_OUT = re.compile(r"\n… (\d+) characters left out …\n")


class Coalescer:
    """Gather bytes into few pieces of text.

    The first piece after a pause goes out at once, so that a prompt shows when it is printed.

    Args:
        mask: Takes secrets out; also one that is cut between two pieces.
    """

    def __init__(self, mask: Mask | None = None) -> None:
        self._mask = mask
        self._masking: Masking | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._pieces: list[bytes] = []
        self._size = 0
        self._last = 0.0
        self._held_until = 0.0

    def feed(self, data: bytes) -> None:
        """Add bytes."""
        self._pieces.append(data)
        self._size += len(data)

    def wait(self) -> float | None:
        """Return seconds until the next piece is due, 0 if it is, None where there is none."""
        if not self._pieces:
            if self._masking is not None and self._masking.held:
                return max(0.0, self._held_until - time.monotonic())
            return None
        if self._size >= FLUSH_SIZE:
            return 0.0
        return max(0.0, self._last + FLUSH_INTERVAL - time.monotonic())

    def take(self, *, final: bool = False) -> str:
        """Return what was gathered; `final` ends a character that was cut, as a replacement."""
        data = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        self._last = time.monotonic()
        text = self._decoder.decode(data, final)
        if not self._mask:
            return text
        if self._masking is None:
            self._masking = Masking(self._mask)
        if data or final:
            self._held_until = self._last + HOLD_INTERVAL
            return self._masking.feed(text, final=final)
        return self._masking.release() if self._last >= self._held_until else ""


class Capture:
    """Keep the head and the tail of a text of any length; thread-safe.

    Args:
        limit: Characters kept at each end.
    """

    def __init__(self, limit: int = CAPTURE_LIMIT) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._head: list[str] = []
        self._head_size = 0
        self._tail: deque[str] = deque()
        self._tail_size = 0
        self.dropped = 0

    def add(self, text: str) -> None:
        """Append `text`."""
        with self._lock:
            self._add(text)

    def _add(self, text: str) -> None:
        room = self._limit - self._head_size
        if room > 0:
            self._head.append(text[:room])
            self._head_size += min(room, len(text))
            text = text[room:]
        if not text:
            return
        self._tail.append(text)
        self._tail_size += len(text)
        while self._tail_size - len(self._tail[0]) >= self._limit:
            gone = len(self._tail.popleft())
            self._tail_size -= gone
            self.dropped += gone

    def text(self) -> str:
        """Return head and tail, with a line between them that says how much is missing."""
        with self._lock:
            head, tail = "".join(self._head), "".join(self._tail)
        if not self.dropped:
            return head + tail
        return f"{head}\n… {self.dropped} characters left out …\n{tail}"


def whole_length(text: str) -> int:
    """Return how many characters came of which a :class:`Capture` of the usual limit has `text`."""
    left_out = _LEFT_OUT.match(text, CAPTURE_LIMIT)
    return len(text) if left_out is None else len(text) - len(left_out[0]) + int(left_out[1])
