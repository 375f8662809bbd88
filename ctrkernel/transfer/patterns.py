"""Variables, ``~`` and patterns in a word, for either side; pure.

A word becomes a list of (character, active) pairs first: variables put in their values, which are
literal, as if they stood between quotes. What is left active of ``*``, ``?`` and ``[`` makes the
word a pattern.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ctrkernel.errors import TransferError, one_line
from ctrkernel.transfer.words import Quote, quotes_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: A variable in a word: ``$NAME`` or ``${NAME}``.
_VARIABLE: Final = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})", re.ASCII)
#: What a shell would run or compute, and we do not.
_OTHER_DOLLAR: Final = re.compile(r"\$[({\d@*#?$!-]")
#: What lies beyond ASCII counts as letters: names are of any language.
_BEYOND: Final = "\u00aa-\U0010ffff"
_CLASSES: Final = {
    "alnum": f"0-9A-Za-z{_BEYOND}",
    "alpha": f"A-Za-z{_BEYOND}",
    "blank": " \t",
    "digit": "0-9",
    "lower": "a-z",
    "upper": "A-Z",
    "space": r"\s",
    "punct": r"!-/:-@\[-`{-~",
    "xdigit": "0-9A-Fa-f",
}


@dataclass(frozen=True, slots=True)
class Path:
    """A path as it was meant, before patterns are matched.

    Args:
        shown: As it was typed.
        text: Variables and the home folder put in.
        active: For each character whether it may be part of a pattern.
    """

    shown: str
    text: str
    active: tuple[bool, ...]

    @property
    def is_pattern(self) -> bool:
        """Whether it holds an unquoted ``*``, ``?`` or ``[``."""
        return any(
            active and character in "*?["
            for character, active in zip(self.text, self.active, strict=True)
        )

    @property
    def parts(self) -> list[Part]:
        """The parts between slashes; the first is empty for an absolute path."""
        parts, begin = [], 0
        for at, character in enumerate(self.text + "/"):
            if character == "/":
                parts.append(Part(self.text[begin:at], self.active[begin:at]))
                begin = at + 1
        return parts


@dataclass(frozen=True, slots=True)
class Part:
    """What stands between two slashes of a :class:`Path`."""

    text: str
    active: tuple[bool, ...]

    @property
    def is_pattern(self) -> bool:
        """As for a whole path."""
        return any(
            active and character in "*?["
            for character, active in zip(self.text, self.active, strict=True)
        )

    @property
    def is_deep(self) -> bool:
        """Whether it is ``**``: any number of folders."""
        return self.text == "**" and all(self.active)

    def matcher(self) -> re.Pattern[str]:
        """Return what a name must match; one that begins with a dot needs a dot in the pattern."""
        return re.compile(_expression(self.text, self.active), re.DOTALL)


def variables(words: Iterable[str]) -> list[str]:
    """Return the names of the variables that `words` use.

    Raises:
        TransferError: A word holds what only a shell may do, such as ``$(command)``.
    """
    names: dict[str, None] = {}
    for word in words:
        quotes = quotes_of(word)
        for at, quote in enumerate(quotes):
            if word[at] == "`" and quote is not Quote.LITERAL:
                raise _no_command(word)
            if word[at] != "$" or quote is Quote.LITERAL:
                continue
            found = _VARIABLE.match(word, at)
            if found is not None:
                names[found[1] or found[2]] = None
            elif _OTHER_DOLLAR.match(word, at):
                raise _no_command(word)
    return list(names)


def resolve(
    word: str,
    *,
    values: Mapping[str, str],
    homes: Mapping[str, str],
    where: str,
) -> Path:
    """Put the variables and the home folder into `word`.

    Args:
        word: A :class:`~ctrkernel.transfer.words.Word`, or a string that means itself.
        values: The variables that are set.
        homes: Home folders by user; the caller's own is that of the empty name.
        where: Whose variables these are, for the message.

    Raises:
        TransferError: A variable is not set, or the home folder is not known.
    """
    quotes = quotes_of(word)
    text: list[str] = []
    active: list[bool] = []
    at = _tilde(word, homes, text)
    active += [False] * sum(map(len, text))
    while at < len(word):
        found = _VARIABLE.match(word, at) if quotes[at] is not Quote.LITERAL else None
        if found is None:
            text.append(word[at])
            active.append(quotes[at] is Quote.NONE)
            at += 1
            continue
        name = found[1] or found[2]
        if name not in values:
            raise TransferError(
                f"the variable {name} is not set {where}; set it, or quote the $ if it belongs to "
                f"the name: '{one_line(word, limit=80)}'"
            )
        text.append(values[name])
        active += [False] * len(values[name])
        at = found.end()
    return Path(shown=str(word), text="".join(text), active=tuple(active))


def tilde_user(word: str) -> str | None:
    """Return the user of a ``~`` at the beginning, empty for one's own; None if there is none."""
    quotes = quotes_of(word)
    if not word.startswith("~") or quotes[0] is not Quote.NONE:
        return None
    user = word[1:].partition("/")[0]
    plain = all(quote is Quote.NONE for quote in quotes[: 1 + len(user)])
    return user if plain else None


def _tilde(word: str, homes: Mapping[str, str], text: list[str]) -> int:
    """Put the home folder into `text`; return where the rest of `word` begins."""
    user = tilde_user(word)
    if user is None:
        return 0
    if user not in homes:
        if user:
            return 0  # as in a shell, where an unknown user's ~ is a character
        raise TransferError(
            f"the home folder is not known, so {one_line(word)} has no meaning; type the whole path"
        )
    home = homes[user]
    rest = 1 + len(user)
    # A home of `/` must not make `//x` of `~/x`.
    text.append(home.rstrip("/") if len(word) > rest else home)
    return rest


def matching(names: Iterable[str], part: Part) -> list[str]:
    """Return the names that `part` matches, sorted."""
    fits = part.matcher().fullmatch
    return sorted(name for name in names if fits(name))


def _expression(text: str, active: Sequence[bool]) -> str:
    hidden = text.startswith(".")
    pieces = ["" if hidden else r"(?!\.)"]
    at = 0
    while at < len(text):
        character = text[at]
        if not active[at] or character not in "*?[":
            pieces.append(re.escape(character))
        elif character == "*":
            pieces.append(".*" if pieces[-1:] != [".*"] else "")
        elif character == "?":
            pieces.append(".")
        else:
            end, piece = _bracket(text, active, at)
            pieces.append(piece)
            at = end
        at += 1
    return "".join(pieces)


def _bracket(text: str, active: Sequence[bool], at: int) -> tuple[int, str]:
    """Translate a bracket expression (POSIX, 9.3.5); return where it ends. A lone ``[`` is one."""
    begin = at + 1
    negated = begin < len(text) and active[begin] and text[begin] in "!^"
    begin += negated
    end = begin + 1  # a `]` in the first place is a character
    while end < len(text) and not (text[end] == "]" and active[end]):
        skip = text.find(":]", end + 2) if text.startswith("[:", end) else -1
        end = skip + 2 if skip > 0 else end + 1
    if end >= len(text):
        return at, re.escape("[")
    pieces, here = [], begin
    while here < end:
        name = re.match(r"\[:(\w+):\]", text[here:end])
        if name is not None and name[1] in _CLASSES:
            pieces.append(_CLASSES[name[1]])
            here += name.end()
            continue
        if here + 2 < end and text[here + 1] == "-" and active[here + 1]:
            first, last = text[here], text[here + 2]
            if first <= last:
                pieces.append(f"{re.escape(first)}-{re.escape(last)}")
            here += 3
            continue
        pieces.append(re.escape(text[here]))
        here += 1
    inner = "".join(pieces)
    if not inner:
        return end, "." if negated else r"(?!)"
    return end, f"[{'^' if negated else ''}{inner}]"


def _no_command(word: str) -> TransferError:
    return TransferError(
        f"{one_line(word, limit=80)}: a path takes $NAME and ${{NAME}}, nothing that is run; "
        "quote the $ or ` with '…' if it belongs to the name"
    )
