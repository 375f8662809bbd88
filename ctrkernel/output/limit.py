"""How much of a cell's output the notebook holds: its head, its tail, and a line between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from ctrkernel.output.size import encoded_size, format_size
from ctrkernel.output.tail import Tail

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: The tail's share of the limit is one in so many.
_TAIL_SHARE: Final = 4
#: Bytes of the head that are kept in memory, for the file that it may need.
_HEAD_MEMORY: Final = 4 * 10**6
#: Characters from which on a line may be cut.
_LONG: Final = 4096
#: Characters of a last line that wait for its end.
_LINE_LIMIT: Final = 1 << 16
#: Characters of the tail that a look at it needs, and lines that are shown of it.
_GLIMPSE: Final = 2000
_GLIMPSE_LINES: Final = 5
_GLIMPSE_COLUMNS: Final = 200


class Keep(Protocol):
    """Where the whole is kept once it is too long; nothing here raises."""

    path: Path | None
    size: int
    trouble: str

    def write(self, text: str) -> None:
        """Append text."""

    def close(self) -> None:
        """Take note that nothing more comes."""

    def discard(self) -> None:
        """Remove it: the notebook holds everything."""


class Limit:
    """Lets the head through, and holds the tail.

    Args:
        limit: Asked once for the bytes that the notebook may hold; None for all.
        keep: Where the whole goes once it is more.
    """

    def __init__(self, limit: Callable[[], int | None], keep: Keep) -> None:
        self._limit = limit
        self._begun = False
        self._room: int | None = None
        self._tail = Tail(0)
        self._keep = keep
        self._head: list[str] = []
        self._head_size = 0
        self._head_kept = False
        self._partial = ""
        #: Whether there is more than the head.
        self.holding = False
        #: Bytes until now.
        self.total = 0

    @property
    def over(self) -> bool:
        """Whether there is more than the notebook may hold."""
        return self._tail.dropped > 0

    def take(self, text: str) -> str:
        """Take text, and return what of it is shown now."""
        if not self._begun:
            self._begin()
        if self._room is None:
            return text
        size = encoded_size(text)
        self.total += size
        if self.holding:
            self._hold(text)
            return ""
        if size <= self._room:
            self._let(text, size)
            return text
        head = _head(text, self._room)
        self._let(head, encoded_size(head))
        self.holding = True
        self._hold(text[len(head) :])
        return head

    def give_back(self, text: str) -> None:
        """Take note that `text`, the last that was shown, is not shown after all."""
        if self._room is None:
            return
        size = encoded_size(text)
        self.total -= size
        self._room += size
        self._head_size -= size
        whole = "".join(self._head)
        self._head = [whole[: len(whole) - len(text)]]

    def take_partial(self) -> str:
        """Return the last line that has not ended, and forget it; only while holding."""
        partial, self._partial = self._partial, ""
        self.total -= encoded_size(partial)
        return partial

    def status(self) -> str:
        """Return a line for a running cell, and the last lines that it printed."""
        where = f", in {self._keep.path}" if self.over and self._keep.path else ""
        text = self._tail.glimpse(_GLIMPSE) + self._partial[-_GLIMPSE:]
        lines = [line[-_GLIMPSE_COLUMNS:] for line in text.splitlines()[-_GLIMPSE_LINES:]]
        return "\n".join([f"… {format_size(self.total)} so far{where}", *lines])

    def finish(self) -> tuple[str, str]:
        """End it; return the line that says what is left out, empty if nothing is, and the tail."""
        partial, self._partial = self._partial, ""
        if partial:
            self._put(partial)
        if not self.over:
            self._keep.discard()
            return "", self._tail.take()
        tail = self._tail.take()
        self._keep.close()
        left = f"… {format_size(self._tail.dropped)} left out"
        whole = f"the whole output, {format_size(self.total)}"
        if self._keep.path is None:
            return f"{left}; {whole}, could not be kept: {self._keep.trouble} …", tail
        if self._keep.trouble:
            kept = f"the first {format_size(self._keep.size)} of {format_size(self.total)} are in"
            return f"{left}; {kept} {self._keep.path} ({self._keep.trouble}) …", tail
        return f"{left}; {whole}, is in {self._keep.path} …", tail

    def _begin(self) -> None:
        self._begun = True
        limit = self._limit()
        if limit is not None:
            self._room = limit - limit // _TAIL_SHARE
            self._tail = Tail(limit // _TAIL_SHARE)

    def _let(self, text: str, size: int) -> None:
        assert self._room is not None
        self._room -= size
        self._head_size += size
        if self._head_kept:
            self._keep.write(text)
            return
        self._head.append(text)
        if self._head_size > _HEAD_MEMORY:
            self._keep_head()

    def _hold(self, text: str) -> None:
        """Hold text, its last line apart: it may be drawn over."""
        text = self._partial + text
        end = text.rfind("\n") + 1
        if len(text) - end > _LINE_LIMIT:
            end = len(text)
        self._partial = text[end:]
        if end:
            self._put(text[:end])

    def _put(self, text: str) -> None:
        if self._head_kept:
            self._keep.write(text)
            self._tail.add(text)
            return
        self._tail.add(text)
        self._head.append(text)
        if self._tail.dropped:
            self._keep_head()

    def _keep_head(self) -> None:
        self._head_kept = True
        self._keep.write("".join(self._head))
        self._head.clear()


def _head(text: str, room: int) -> str:
    """Return what of `text` has room, up to the end of a line if that is near."""
    head = text[:room] if text.isascii() else text.encode()[:room].decode("utf-8", "ignore")
    newline = head.rfind("\n", len(head) // 2)
    if newline >= 0:
        return head[: newline + 1]
    return head if len(head) > _LONG else ""
