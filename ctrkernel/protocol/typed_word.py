"""A word of shell code as far as it is typed: what is known of its meaning, and its open quote."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

#: What a shell would take for something else than itself, outside of quotes.
_SPECIAL: Final = re.compile(r"""[^\w@%+=:,./^\x80-\U0010ffff~#{}-]""", re.ASCII)
_IN_DOUBLE: Final = re.compile(r'([\\"$`])')
#: Text up to each slash, and the rest.
_PARTS: Final = re.compile(r"[^/]*/|[^/]+")
_BYTE: Final = re.compile(r"[\udc80-\udcff]")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Variable:
    """``$name`` or ``${name}``."""

    name: str


@dataclass(frozen=True, slots=True)
class Tilde:
    """``~`` or ``~user`` at a word's beginning."""

    user: str


class Opaque(Enum):
    """What only the shell can tell, such as ``$(date)`` or ``${name%.*}``: it is never asked."""

    OPAQUE = "opaque"


#: One part of a word's meaning; str is text as it is.
Piece = str | Variable | Tilde | Opaque


@dataclass(frozen=True, slots=True)
class Word:
    """A word, whole or as far as the cursor.

    Attributes:
        raw: As it was typed.
        start: Where that begins in the text.
        pieces: What it means.
        folder: How many of the pieces, from the left, are the folder of a path.
        name_start: Where in `raw` what follows the last ``/`` begins.
        quote: The quote that is open at its end: ``'``, ``"``, ``$'`` or empty.
        escaped: Whether its last character is a backslash that takes the next one.
        breaks: Where in `raw` an unquoted ``=`` or ``:`` ends: a value may begin there.
    """

    raw: str
    start: int
    pieces: tuple[Piece, ...] = ()
    folder: int = 0
    name_start: int = 0
    quote: str = ""
    escaped: bool = False
    breaks: tuple[int, ...] = ()

    @property
    def text(self) -> str | None:
        """What it means where that stands in the text itself; else None."""
        pieces = [piece for piece in self.pieces if isinstance(piece, str)]
        return "".join(pieces) if len(pieces) == len(self.pieces) else None

    @property
    def opaque(self) -> bool:
        """Whether a part of it is known to the shell alone."""
        return Opaque.OPAQUE in self.pieces


@dataclass(slots=True)
class WordBuilder:
    """Takes the parts of a word in their order."""

    start: int
    pieces: list[Piece] = field(default_factory=list)
    folder: int = 0
    name_start: int = 0
    quote: str = ""
    escaped: bool = False
    breaks: list[int] = field(default_factory=list)
    #: Whether the next character goes to the last piece.
    _joining: bool = False

    def add(self, text: str, end: int) -> None:
        """Take text as it is; `end` is the place in the code behind it."""
        behind = len(text)
        for part in _PARTS.findall(text):
            behind -= len(part)
            if self._joining:
                self.pieces[-1] = f"{self.pieces[-1]}{part}"
            else:
                self.pieces.append(part)
                self._joining = True
            if part.endswith("/"):
                self.folder = len(self.pieces)
                self.name_start = end - behind - self.start
                self._joining = False

    def add_piece(self, piece: Piece) -> None:
        """Take anything else."""
        self.pieces.append(piece)
        self._joining = False

    def word(self, code: str, end: int) -> Word:
        """Return it as far as `end`."""
        return Word(
            raw=code[self.start : end],
            start=self.start,
            pieces=tuple(self.pieces),
            folder=self.folder,
            name_start=self.name_start,
            quote=self.quote,
            escaped=self.escaped,
            breaks=tuple(self.breaks),
        )


def continued(typed: str, rest: str, *, quote: str, escaped: bool, ansi_c: bool) -> str:
    """Return `typed`, the beginning of a word, with `rest` behind it, in the quote that is open.

    Args:
        typed: As it was typed.
        rest: Text to be taken as it is.
        quote: What is open at the end of `typed`: ``'``, ``"``, ``$'`` or empty.
        escaped: Whether `typed` ends in a backslash that takes the next character.
        ansi_c: Whether the shell knows ``$'…'``.
    """
    match quote:
        case "'":
            return typed + rest.replace("'", "'\\''")
        case '"':
            if escaped:
                typed = typed[:-1]
            return typed + _IN_DOUBLE.sub(r"\\\1", rest)
        case "$'":
            escape = {"\\": r"\\", "'": r"\'"}
            return typed + "".join(
                escape.get(each, f"\\{ord(each):03o}" if _CONTROL.match(each) else each)
                for each in rest
            )
    if escaped:
        typed = typed[:-1]
    words = []
    for number, each in enumerate(rest):
        if ansi_c and (_CONTROL.match(each) or _BYTE.match(each)):
            # A byte that is no UTF-8, as Python decodes it, is an octal number too.
            words.append("$'\\n'" if each == "\n" else f"$'\\{ord(each) & 0xFF:03o}'")
        elif each == "\n":
            words.append("'\n'")
        elif _SPECIAL.match(each) or (not typed and not number and each in "~#") or each in "{}":
            words.append(f"\\{each}")
        else:
            words.append(each)
    return typed + "".join(words)
