"""From the bytes of a terminal to text and marks.

The shape is h11's: :meth:`StreamParser.receive_data` stores, :meth:`StreamParser.next_event`
parses or answers :data:`NEED_DATA`. Text is passed on at once; only bytes that may be the
beginning of a mark are held back.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from ctrkernel.protocol.marks import BEL, ESC, FIELDS, INTRODUCER, Kind, Mark, split_fields

#: Bytes that an opened mark may have before it is text after all: a path of PATH_MAX (4,096
#: bytes) with room for the other fields.
MARK_LIMIT: Final = 8192


class NeedData(Enum):
    """The type of :data:`NEED_DATA`."""

    NEED_DATA = "NEED_DATA"


#: What :meth:`StreamParser.next_event` answers when it has nothing whole to give.
NEED_DATA: Final = NeedData.NEED_DATA


@dataclass(frozen=True, slots=True)
class Text:
    """Bytes that are no mark, as they came."""

    data: bytes


Event = Text | Mark


class StreamParser:
    """Split one terminal's output into text and the marks of one session.

    Args:
        nonce: The session's nonce; a mark with another one is text.
        erase: Lines of ours that a shell in verbose mode prints as it reads them. They are left
            out of the text wherever they end a line, with the newline.
    """

    def __init__(self, nonce: bytes, *, erase: tuple[bytes, ...] = ()) -> None:
        self._nonce = nonce
        self._buffer = bytearray()
        self._kinds = {
            INTRODUCER + kind.value + b";" + nonce + b";": kind for kind in Kind if kind in FIELDS
        }
        self._opening = len(next(iter(self._kinds)))
        self._closing = b";" + nonce + BEL
        self._erase = erase
        self._longest = max(self._opening, *map(len, erase), 0) + 1
        self._first_bytes = ESC + b"".join(line[:1] for line in erase)

    def erasing(self, *erase: bytes) -> StreamParser:
        """Return a parser that goes on where this one stands and leaves `erase` out."""
        parser = StreamParser(self._nonce, erase=erase)
        parser.receive_data(self.close())
        return parser

    def receive_data(self, data: bytes) -> None:
        """Store bytes that came from the terminal, any number of them."""
        self._buffer += data

    def next_event(self) -> Event | NeedData:
        """Return the next text or mark, or NEED_DATA."""
        while True:
            buffer = self._buffer
            if not buffer:
                return NEED_DATA
            start = self._first_opening()
            if start is None or len(buffer) - start < self._longest:
                # A line to erase may hold a shorter one: what began before it may yet be whole.
                undecided = len(buffer) - self._held_back()
                start = undecided if start is None else min(start, undecided)
                if undecided == start == 0:
                    return NEED_DATA
            if start:
                return Text(self._take(start))
            line = next((line for line in self._erase if buffer.startswith(line)), None)
            if line is None:
                return self._mark()
            newline = self._newline_after(len(line))
            if newline is None:
                return NEED_DATA
            if not newline:
                return Text(self._take(1))
            self._take(len(line) + newline)

    def close(self) -> bytes:
        """Return what was held back: the stream has ended, so it is text."""
        return self._take(len(self._buffer))

    def _take(self, count: int) -> bytes:
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    def _first_opening(self) -> int | None:
        """Return where the first whole opening of a mark, or the line to erase, stands."""
        found = -1
        start = self._buffer.find(INTRODUCER)
        while start >= 0:
            if bytes(self._buffer[start : start + self._opening]) in self._kinds:
                found = start
                break
            start = self._buffer.find(INTRODUCER, start + 1)
        for line in self._erase:
            # Up to and with a line that begins before what was found, and may hold it.
            end = found + len(line) - 1 if found >= 0 else len(self._buffer)
            erase = self._buffer.find(line, 0, end)
            found = erase if erase >= 0 else found
        return found if found >= 0 else None

    def _held_back(self) -> int:
        """Return how many of the last bytes may be the beginning of something of ours."""
        tail = bytes(self._buffer[1 - self._longest :])
        for start, byte in enumerate(tail):
            if byte in self._first_bytes and self._may_open(tail[start:]):
                return len(tail) - start
        return 0

    def _may_open(self, rest: bytes) -> bool:
        return any(candidate.startswith(rest) for candidate in (*self._kinds, *self._erase))

    def _newline_after(self, index: int) -> int | None:
        """Return the length of the newline at `index`, 0 for none, None where it may yet come."""
        following = bytes(self._buffer[index : index + 2])
        if following in (b"", b"\r"):
            return None
        return 2 if following == b"\r\n" else int(following.startswith(b"\n"))

    def _mark(self) -> Event | NeedData:
        """Parse the mark whose opening the buffer begins with."""
        buffer = self._buffer
        kind = self._kinds[bytes(buffer[: self._opening])]
        end = buffer.find(self._closing, self._opening, MARK_LIMIT)
        if end < 0:
            if len(buffer) < MARK_LIMIT:
                return NEED_DATA
            return Text(self._take(self._opening))
        after = end + len(self._closing)
        newline = self._newline_after(after) if kind is Kind.END else 0
        if newline is None:
            return NEED_DATA
        fields = split_fields(kind, bytes(buffer[self._opening : end]))
        raw = self._take(after + newline)
        if fields is None:
            return Text(raw)
        return Mark(kind, fields, raw, onlcr=newline == 2)  # noqa: PLR2004
