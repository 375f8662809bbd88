"""The keys with which a person leaves a terminal, in the engine's notation."""

from __future__ import annotations

import re

from ctrkernel.errors import UsageError, one_line
from ctrkernel.protocol.keys import key_bytes

#: What the engines use where nothing else is set.
DETACH_KEYS = "ctrl-p,ctrl-q"
_KEY = re.compile(r"ctrl-([a-z@\[\]\\^_])|([ -~])", re.IGNORECASE)


class DetachKeys:
    """Finds a sequence of keys in what a person types; the keys before its last one wait.

    Args:
        notation: Keys with commas between them, each a character or ``ctrl-`` and one, as in
            ``docker attach --detach-keys``; empty for none.

    Raises:
        UsageError: `notation` is not of that form.
    """

    def __init__(self, notation: str = DETACH_KEYS) -> None:
        self._keys = bytes(map(_byte, notation.split(","))) if notation else b""
        self._held = b""

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """Return what of `data` is to be passed on, and whether the sequence came."""
        if not self._keys:
            return data, False
        passed = bytearray()
        for byte in data:
            self._held += bytes([byte])
            while not self._keys.startswith(self._held):
                passed.append(self._held[0])
                self._held = self._held[1:]
            if self._held == self._keys:
                self._held = b""
                return bytes(passed), True
        return bytes(passed), False


def _byte(key: str) -> int:
    match = _KEY.fullmatch(key.strip() or key)
    if match is None:
        raise UsageError(
            f"{one_line(key, limit=20)!r} is no key to detach with; use one character or ctrl-X, "
            "with commas between them: ctrl-p,ctrl-q"
        )
    return key_bytes(f"C-{match[1]}" if match[1] else match[2])[0]
