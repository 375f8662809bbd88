"""The outputs whose delivery is measured: the command, and the bytes that it must print."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: 79 printable characters: a line of ordinary width, with nothing that JSON escapes but its end.
LINE = "The quick brown fox jumps over the lazy dog; pack my box with 5 dozen jugs. ok."
BULK_BYTES = 200_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Payload:
    """A command, and what it prints.

    Args:
        argv: The command, for a raw ``docker exec``; `code` is the same as a cell.
        code: The cell.
        text: Makes the bytes that a cell of this payload must deliver.
    """

    argv: list[str]
    code: str
    text: Callable[[], bytes]

    def digest(self) -> str:
        """Return the SHA-256 of the bytes."""
        return hashlib.sha256(self.text()).hexdigest()


def _seq() -> bytes:
    return "".join(f"{number}\n" for number in range(1, 1_000_001)).encode()


def _bulk() -> bytes:
    line = f"{LINE}\n".encode()
    return (line * (BULK_BYTES // len(line) + 1))[:BULK_BYTES]


_BULK_CODE = f"yes '{LINE}' | head -c {BULK_BYTES}"

PAYLOADS = {
    "seq": Payload(argv=["seq", "1", "1000000"], code="seq 1 1000000", text=_seq),
    "bulk": Payload(argv=["sh", "-c", _BULK_CODE], code=_BULK_CODE, text=_bulk),
}
