"""What a person may mean who points at a place in shell code; nothing of it is run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from ctrkernel.protocol.cursor import place_at
from ctrkernel.protocol.typed_command import Position
from ctrkernel.protocol.typed_word import Tilde

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ctrkernel.protocol.typed_command import Place
    from ctrkernel.protocol.typed_word import Word

#: Commands whose argument is a command.
_OF_COMMANDS: Final = frozenset(
    (
        "sudo",
        "doas",
        "command",
        "builtin",
        "exec",
        "env",
        "nohup",
        "nice",
        "setsid",
        "time",
        "xargs",
        "watch",
        "man",
        "help",
        "type",
        "which",
        "whatis",
        "whereis",
        "hash",
        "alias",
        "unalias",
    )
)
#: Commands whose argument is a variable.
_OF_VARIABLES: Final = frozenset(
    ("export", "unset", "declare", "typeset", "local", "readonly", "read", "printenv")
)
#: The rest of a word, and of a variable's name.
_WORD_END: Final = re.compile(r"[^\s;&|()<>\"'`$]*")
_NAME_END: Final = re.compile(r"\w*", re.ASCII)
_IN_NAME: Final = re.compile(r"\$\{?[#!]?\w*\Z", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class What(Enum):
    """What a name may be the name of."""

    COMMAND = "command"
    VARIABLE = "variable"
    PATH = "path"


@dataclass(frozen=True, slots=True)
class Pointed:
    """What is pointed at.

    Attributes:
        readings: What it may be, the likeliest first, and the name.
    """

    readings: tuple[tuple[What, str], ...]


def pointed_at(code: str, cursor: int) -> Pointed | None:
    """Return what stands at `cursor`, a place in `code`, or just before it; None for nothing."""
    cursor = max(0, min(cursor, len(code)))
    ends = _NAME_END if _IN_NAME.search(code, max(0, cursor - 200), cursor) else _WORD_END
    rest = ends.match(code, cursor)
    place = place_at(code[: rest.end() if rest else cursor], len(code))
    readings = tuple(dict.fromkeys(each for each in _readings(place) if each[1]))
    return Pointed(readings) if readings else None


def _readings(place: Place) -> Iterator[tuple[What, str]]:
    word, words = place.word, [each.text or "" for each in place.words]
    text = _path_text(word)
    match place.position:
        case Position.NOTHING:
            return
        case Position.VARIABLE:
            names = _NAME.findall(word.raw)
            yield What.VARIABLE, names[-1] if names else ""
            return
        case Position.VALUE:
            yield What.VARIABLE, word.raw.partition("=")[0].rstrip("+")
            yield What.PATH, word.raw.partition("=")[2]
        case Position.COMMAND:
            yield What.COMMAND, text
            yield What.VARIABLE, text
        case Position.TARGET:
            yield What.PATH, text
        case Position.ARGUMENT:
            yield from _argument(text, words[0] if words else "")
    if words:
        yield What.COMMAND, words[0]


def _argument(text: str, command: str) -> Iterator[tuple[What, str]]:
    if command in _OF_VARIABLES:
        yield What.VARIABLE, text
    if not text.startswith("-"):
        yield What.PATH, text
    if command in _OF_COMMANDS:
        yield What.COMMAND, text


def _path_text(word: Word) -> str:
    """Return what a word means, the person's own ``~`` kept; empty where the shell alone knows."""
    home = word.pieces[:1] == (Tilde(""),)
    rest = word.pieces[1:] if home else word.pieces
    texts = [piece for piece in rest if isinstance(piece, str)]
    return ("~" if home else "") + "".join(texts) if len(texts) == len(rest) else ""
