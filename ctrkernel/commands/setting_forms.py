"""How the words of settings are read and written; a reader raises ValueError for what is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ctrkernel.output.size import parse_size

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds in each unit that a time may be typed in.
_UNITS = {"s": 1, "m": 60, "h": 3600}


def one_of(*words: str) -> Callable[[str], str]:
    """Return a reader that takes these words alone."""

    def read(word: str) -> str:
        if word not in words:
            raise ValueError(word)
        return word

    return read


def number(least: int, most: int) -> Callable[[str], int]:
    """Return a reader of whole numbers from `least` to `most`."""

    def read(word: str) -> int:
        if not (word.isascii() and word.isdigit()) or not least <= int(word) <= most:
            raise ValueError(word)
        return int(word)

    return read


def size_or_none(least: int) -> Callable[[str], int | None]:
    """Return a reader of sizes in bytes from `least` on, or ``none``."""

    def read(word: str) -> int | None:
        if word.lower() == "none":
            return None
        size = parse_size(word)
        if size is None or size < least:
            raise ValueError(word)
        return size

    return read


def time_or_none(word: str) -> float | None:
    """Read seconds, ``30``, ``1.5`` or ``5m``, above 0; or ``none``."""
    if word.lower() == "none":
        return None
    unit = _UNITS.get(word[-1:].lower())
    seconds = float(word[:-1]) * unit if unit else float(word)
    if not 0 < seconds < float("inf"):
        raise ValueError(word)
    return seconds


def program(word: str) -> str:
    """Read a program with its arguments, or a name: any printable text."""
    if not word.isprintable():
        raise ValueError(word)
    return word


def or_none(write: Callable[[Any], str]) -> Callable[[Any], str]:
    """Return a writer that has ``none`` for None."""
    return lambda value: "none" if value is None else write(value)
