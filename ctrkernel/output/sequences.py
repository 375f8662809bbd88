"""From text of a terminal to text and the long sequences in it: files, links, sixel pictures.

Grammar: ECMA-48, 5.6 (control strings). Neither a sequence that never ends nor one of any length
holds more than a bounded part of what is printed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

#: Characters of a file in base64, and of a sixel picture.
LONG_LIMIT: Final = 2_960_000
#: Characters of any other control string, such as a title or a link.
SHORT_LIMIT: Final = 8192
#: Characters of a sequence that is no control string.
_SEQUENCE_LIMIT: Final = 128

_OPENING: Final = re.compile(r"\x1b[\]PX^_]")
#: The end of a control string, or what breaks it off: another sequence, CAN, SUB.
_CLOSING: Final = re.compile(r"[\x07\x18\x1a\x9c]|\x1b\\?")
#: What a control string cannot hold; a long one may be broken into lines.
_BROKEN: Final = re.compile(r"[\x00-\x06\x08-\x17\x19\x1c-\x1f]")
_BROKEN_LONG: Final = re.compile(r"[\x00-\x06\x08\x0b\x0e-\x17\x19\x1c-\x1f]")
#: A sequence at the end of a text that is not whole.
_UNFINISHED: Final = re.compile(r"\x1b(?:\[[\x20-\x3f]*|[\x20-\x2f]+)?\Z")
_FILE: Final = re.compile(r"1337;(?:File|FilePart)=")
_SIXEL: Final = re.compile(r"[\d;]*q")
#: From so many characters on it is known which kind a control string is.
_KNOWN: Final = 32


@dataclass(frozen=True, slots=True)
class Text:
    """Text with short sequences; each of them whole."""

    text: str


@dataclass(frozen=True, slots=True)
class String:
    """A control string that is whole.

    Attributes:
        opening: ``]`` for an OSC, ``P`` for a DCS, and others that mean nothing here.
        body: What stands in it.
    """

    opening: str
    body: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """A file or a picture that was not kept.

    Attributes:
        size: Characters that it had.
        finished: Whether it came to its end, and so was too large; else it was cut.
    """

    size: int
    finished: bool


Token = Text | String | Dropped


class Splitter:
    """Splits text into tokens, however it is cut."""

    def __init__(self) -> None:
        self._held = ""
        self._opening = ""
        self._pieces: list[str] = []
        self._size = 0
        #: The beginning of the control string that is open.
        self._head = ""

    @property
    def idle(self) -> bool:
        """Whether nothing is held back."""
        return not self._held and not self._opening

    def feed(self, text: str) -> list[Token]:
        """Take text, and return what is whole."""
        tokens: list[Token] = []
        text, self._held = self._held + text, ""
        position = 0
        while position < len(text):
            if self._opening:
                position = self._string(text, position, tokens)
                continue
            match = _OPENING.search(text, position)
            end = match.start() if match is not None else len(text)
            if match is None:
                unfinished = _UNFINISHED.search(text, max(position, end - _SEQUENCE_LIMIT))
                if unfinished is not None:
                    end = unfinished.start()
                    self._held = unfinished[0]
            if end > position:
                tokens.append(Text(text[position:end]))
            if match is None:
                break
            self._opening = match[0][1]
            position = match.end()
        return tokens

    def close(self) -> list[Token]:
        """Return what is left at the end: of a file that was cut, that it was."""
        tokens: list[Token] = []
        if self._opening and self._long:
            tokens.append(Dropped(self._size, finished=False))
        self._held = ""
        self._forget()
        return tokens

    @property
    def _long(self) -> bool:
        """Whether the open string is one that may be long."""
        kind = _FILE if self._opening == "]" else _SIXEL if self._opening == "P" else None
        return kind is not None and kind.match(self._head) is not None

    def _string(self, text: str, position: int, tokens: list[Token]) -> int:
        """Take a part of the open string; return where it ends."""
        match = _CLOSING.search(text, position)
        end = match.start() if match is not None else len(text)
        if len(self._head) < _KNOWN:
            self._head += text[position : min(end, position + _KNOWN - len(self._head))]
        long = self._long
        broken = (_BROKEN_LONG if long else _BROKEN).search(text, position, end)
        if broken is not None:
            match, end = None, broken.start()
        elif match is not None and match[0] == "\x1b" and match.end() == len(text):
            # The other half of its end may come.
            self._keep(text[position:end], long=long)
            self._held = "\x1b"
            return len(text)
        self._keep(text[position:end], long=long)
        if match is None and broken is None:
            if long or self._size <= SHORT_LIMIT:
                return len(text)
            # It never was a string: what has come of it is lost, what comes is text.
            self._forget()
            return len(text)
        ended = match is not None and match[0] in ("\x07", "\x9c", "\x1b\\")
        if long and (not ended or self._size > LONG_LIMIT):
            tokens.append(Dropped(self._size, finished=ended))
        elif ended:
            tokens.append(String(self._opening, "".join(self._pieces)))
        self._forget()
        if match is None:
            return end
        # A sequence that broke it off is read as one.
        return match.start() if match[0] == "\x1b" else match.end()

    def _keep(self, piece: str, *, long: bool) -> None:
        self._size += len(piece)
        if self._size <= (LONG_LIMIT if long else SHORT_LIMIT):
            self._pieces.append(piece)
        else:
            self._pieces.clear()

    def _forget(self) -> None:
        self._opening = self._head = ""
        self._pieces.clear()
        self._size = 0
