"""Tells text that only runs on from text that redraws."""

from __future__ import annotations

import re
from typing import Final

#: All but colours and line ends: escapes, a carriage return that is not part of a line end,
#: backspaces.
_NOTABLE: Final = re.compile(r"\x1b(?!\[[\d;:]*m)|\r(?!\r*\n)|\x08")
#: What does nothing where the cursor is at the end of all text: erasing what is right of it or
#: below, switching the keyboard's or the mouse's modes, showing the cursor, asking questions.
_INERT: Final = re.compile(
    r"\x1b(?:"
    r"\[0?[JK]"
    r"|\[\?(?!(?:25l|3[hl]|47[hl]|1047[hl]|1049[hl]))\d*[hl]"
    r"|\[[<=>?][\d;:]*[\x20-\x2f]*[a-gi-km-z]"
    r"|\[[\d;]*(?:[cnt]|[\x20-\x2f][\x40-\x7e])"
    r"|[=>]|\([AB]|\\|[\x20-\x2f]*\Z"
    r")"
)
#: So many characters that no program writes, and one in so many, make a text binary.
_STRANGE: Final = 16
#: One sequence, or one other character.
_SEQUENCE: Final = re.compile(
    r"\x1b(?:\[[\x20-\x3f]*[\x40-\x7e]?|[\x20-\x2f]*[\x30-\x7e]?)|.", re.DOTALL
)


def is_plain(text: str) -> bool:
    """Whether there is surely nothing but characters, tabs and line ends in it."""
    if "\x1b" in text or "\b" in text:
        return False
    return "\r" not in text or text.count("\r") == text.count("\r\n")


def is_binary(text: str) -> bool:
    """Whether it is surely no terminal's text but the content of some file.

    Zeros mean nothing to a terminal, and what is no UTF-8 comes as U+FFFD.
    """
    strange = text.count("\0") + text.count("\ufffd")
    return strange >= _STRANGE and strange * _STRANGE > len(text)


def scan(text: str) -> tuple[str, int]:
    """Return the text up to the first redraw, less what does nothing, and where it ends.

    The second is -1 where nothing redraws.
    """
    match = _NOTABLE.search(text)
    if match is None:
        return text, -1
    pieces: list[str] = []
    start = 0
    while match is not None:
        inert = _INERT.match(text, match.start())
        pieces.append(text[start : match.start()])
        if inert is None:
            return "".join(pieces), match.start()
        start = inert.end()
        match = _NOTABLE.search(text, start)
    pieces.append(text[start:])
    return "".join(pieces), -1


def next_redraw(text: str, start: int) -> tuple[int, int]:
    """Return where the next redraw begins and ends, from `start` on; else the text's length."""
    match = _NOTABLE.search(text, start)
    while match is not None:
        inert = _INERT.match(text, match.start())
        if inert is None:
            sequence = _SEQUENCE.match(text, match.start())
            assert sequence is not None
            return sequence.span()
        match = _NOTABLE.search(text, inert.end())
    return len(text), len(text)
