"""A command's words as a shell splits them, each character knowing whether it was quoted.

Quoting decides what ``*``, ``~`` and ``$`` mean, so it must survive the splitting, and the parser
of options behind it: a :class:`Word` is a ``str`` that remembers. Nothing is ever evaluated.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final, Self

from ctrkernel.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

_BLANKS: Final = " \t\r\n"
#: What a backslash takes the meaning from between double quotes (POSIX, 2.2.3).
_ESCAPED_IN_DOUBLE: Final = '$`"\\\n'


class Quote(enum.IntEnum):
    """How a character was quoted."""

    #: Patterns, ``~`` and ``$`` mean what they mean.
    NONE = 0
    #: Between double quotes: only ``$`` does.
    DOUBLE = 1
    #: Between single quotes or behind a backslash: it is itself.
    LITERAL = 2


class Word(str):
    """A word without its quotes.

    Args:
        text: The word.
        quotes: For each character how it was quoted.
    """

    __slots__ = ("quotes",)
    quotes: tuple[Quote, ...]

    def __new__(cls, text: str, quotes: Sequence[Quote]) -> Self:
        """Make one; the arguments are of the same length."""
        word = super().__new__(cls, text)
        word.quotes = tuple(quotes)
        return word


def typed(text: str) -> Word:
    """Return a word of which nothing was quoted."""
    return Word(text, [Quote.NONE] * len(text))


def literal(text: str) -> Word:
    """Return a word of which everything was quoted."""
    return Word(text, [Quote.LITERAL] * len(text))


def quotes_of(word: str) -> tuple[Quote, ...]:
    """Return how the characters of `word` were quoted.

    A plain string is literal, but for a ``~`` that it begins with: code that builds a path means
    what it says.
    """
    if isinstance(word, Word):
        return word.quotes
    tilde = Quote.NONE if word == "~" or word.startswith("~/") else Quote.LITERAL
    return (tilde, *[Quote.LITERAL] * (len(word) - 1)) if word else ()


def split(line: str) -> list[Word]:
    """Split a line as a shell does, by POSIX's quoting rules; ``#`` begins no comment.

    Raises:
        UsageError: A quote is open, or the line ends with a backslash.
    """
    words: list[Word] = []
    text: list[str] = []
    quotes: list[Quote] = []
    inside = False  # a word, which may be empty: ''
    at = 0
    while at < len(line):
        character = line[at]
        at += 1
        if character in _BLANKS:
            if inside:
                words.append(Word("".join(text), quotes))
                text, quotes, inside = [], [], False
            continue
        inside = True
        if character == "'":
            end = line.find("'", at)
            if end < 0:
                raise _open_quote("'")
            text += line[at:end]
            quotes += [Quote.LITERAL] * (end - at)
            at = end + 1
        elif character == '"':
            at = _double_quoted(line, at, text, quotes)
        elif character == "\\":
            if at == len(line):
                raise UsageError("the line ends with a backslash; quote it: '\\'")
            text.append(line[at])
            quotes.append(Quote.LITERAL)
            at += 1
        else:
            text.append(character)
            quotes.append(Quote.NONE)
    if inside:
        words.append(Word("".join(text), quotes))
    return words


def _double_quoted(line: str, at: int, text: list[str], quotes: list[Quote]) -> int:
    """Take what stands between double quotes; return where it ends."""
    while at < len(line):
        character = line[at]
        at += 1
        if character == '"':
            return at
        if character == "\\" and line[at : at + 1] and line[at] in _ESCAPED_IN_DOUBLE:
            text.append(line[at])
            quotes.append(Quote.LITERAL)
            at += 1
        else:
            text.append(character)
            quotes.append(Quote.DOUBLE)
    raise _open_quote('"')


def _open_quote(quote: str) -> UsageError:
    return UsageError(f"no closing {quote}; quote names with special characters: 'a b'")
