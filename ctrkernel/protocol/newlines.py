"""Undo what a terminal does to newlines, for images without ``stty``.

With ONLCR set, the terminal writes CR LF for each LF, and so CR CR LF for a CR LF of the program.
Replacing each CR LF by LF gives back exactly what the program wrote.
"""

from __future__ import annotations


class NewlineRestorer:
    """Turn CR LF into LF over a stream that arrives in pieces."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Return the restored bytes; a CR at the end is held until its successor is known."""
        data = self._held + data
        self._held = b"\r" if data.endswith(b"\r") else b""
        return data[: len(data) - len(self._held)].replace(b"\r\n", b"\n")

    def close(self) -> bytes:
        """Return what was held."""
        held, self._held = self._held, b""
        return held
