"""The last part of a text of any length."""

from __future__ import annotations

from collections import deque

from ctrkernel.output.size import encoded_size


class Tail:
    """Keeps the last bytes of what it is given, a little more than `limit` of them at most.

    Args:
        limit: Bytes that are surely kept.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pieces: deque[tuple[str, int]] = deque()
        self._size = 0
        #: Bytes that were let go of.
        self.dropped = 0

    def add(self, text: str) -> None:
        """Append `text`."""
        size = encoded_size(text)
        if size > self._limit:
            # Of a long piece only the end can stay; every character has at least one byte.
            self.dropped += self._size
            self._pieces.clear()
            self._size = 0
            kept = text[-self._limit :]
            self.dropped += size - encoded_size(kept)
            text, size = kept, encoded_size(kept)
        self._pieces.append((text, size))
        self._size += size
        while self._size - self._pieces[0][1] >= self._limit:
            gone = self._pieces.popleft()[1]
            self._size -= gone
            self.dropped += gone

    def glimpse(self, count: int) -> str:
        """Return at most `count` of the last characters."""
        pieces: list[str] = []
        for text, _ in reversed(self._pieces):
            pieces.append(text[-count:])
            count -= len(text)
            if count <= 0:
                break
        return "".join(reversed(pieces))

    def take(self) -> str:
        """Return what is held, from the beginning of a line on where anything was let go."""
        text, size = "".join(piece for piece, _ in self._pieces), self._size
        self._pieces.clear()
        self._size = 0
        if self.dropped:
            text = text[-self._limit :]
            newline = text.find("\n", 0, self._limit // 2)
            text = text[newline + 1 :] if newline >= 0 else text
            self.dropped += size - encoded_size(text)
        return text
