"""The words of a line that is still being typed, and what the one under the cursor is for."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ctrkernel.commands.command import Command

#: What a shell would take for something else than a part of a word.
_SPECIAL = re.compile(r"([^\w@%+=:,./~^-])")
#: Numbers of words that an argument takes, where argparse has a letter for them.
_MANY = ("*", "+", argparse.REMAINDER)
#: What ends a command of the shell's, and so begins another.
_OPERATORS = ";|&(<>"


@dataclass(frozen=True, slots=True)
class Word:
    """One word.

    Attributes:
        text: What it means, quotes taken off.
        raw: As it was typed.
    """

    text: str
    raw: str


@dataclass(frozen=True, slots=True)
class Slot:
    """What the word under the cursor is for.

    Attributes:
        action: The argument that it belongs to; None if there is none.
        number: Which word of that argument it is, from 0.
        options: Whether an option may stand here.
        word: The word, as far as the cursor; of ``--name=value``, the value.
        values: The values of options before it, by `dest`.
    """

    action: argparse.Action | None
    number: int
    options: bool
    word: Word
    values: dict[str, str] = field(default_factory=dict)


def split(line: str, *, operators: bool = False) -> list[Word]:
    """Split `line` as a shell would, quotes left open allowed; the last word may be empty.

    Args:
        line: As far as the cursor.
        operators: Whether ``;``, ``|`` and their kin end a word.
    """
    words: list[Word] = []
    text: list[str] = []
    quote = ""
    start: int | None = None
    position = 0
    while position < len(line):
        character = line[position]
        ends = character.isspace() or (operators and character in _OPERATORS)
        if not quote and ends:
            if start is not None:
                words.append(Word("".join(text), line[start:position]))
            text, start = [], None
            position += 1
            continue
        if start is None:
            start = position
        if character == "\\" and quote != "'":
            position += 1
            text.append(line[position : position + 1])
        elif character in "'\"" and quote in ("", character):
            quote = "" if quote else character
        else:
            text.append(character)
        position += 1
    words.append(Word("".join(text), "" if start is None else line[start:]))
    return words


def slot(command: Command, line: str) -> Slot:
    """Find what the last word of `line` is for.

    Args:
        command: Whose line it is.
        line: What follows its name, as far as the cursor.
    """
    actions = command.parser()._actions  # noqa: SLF001 - argparse has no other way
    options = {option: action for action in actions for option in action.option_strings}
    *before, last = split(line)
    values, pending, seen, open_to_options = _read(before, options, command.options_first)
    if pending is not None:
        return Slot(pending, 0, False, last, values)
    if open_to_options and last.raw.startswith("-"):
        name, equals, value = last.text.partition("=")
        action = options.get(name)
        if equals and action is not None and action.nargs != 0:
            raw = last.raw.partition("=")[2]
            return Slot(action, 0, False, Word(value, raw), values)
        return Slot(None, 0, True, last, values)
    positionals = [action for action in actions if not action.option_strings]
    action, number = _positional(positionals, seen)
    if action is None and command.options_first and positionals:
        # Code, or another program's words: all of them are its.
        action = positionals[-1]
    return Slot(action, number, open_to_options and not last.raw, last, values)


def _read(
    words: Sequence[Word], options: Mapping[str, argparse.Action], options_first: bool
) -> tuple[dict[str, str], argparse.Action | None, int, bool]:
    """Read whole words.

    Returns:
        The values of options, the option whose value is next, the number of words that belong to
        no option, and whether another option may come.
    """
    values: dict[str, str] = {}
    pending: argparse.Action | None = None
    seen, open_to_options = 0, True
    for word in words:
        if pending is not None:
            values[pending.dest], pending = word.text, None
        elif open_to_options and word.text == "--":
            open_to_options = False
        elif open_to_options and word.raw.startswith("-") and word.raw != "-":
            name, equals, value = word.text.partition("=")
            action = options.get(name)
            if action is not None and equals:
                values[action.dest] = value
            elif action is not None and action.nargs != 0:
                pending = action
        else:
            seen += 1
            open_to_options = open_to_options and not options_first
    return values, pending, seen, open_to_options


def _positional(
    positionals: Sequence[argparse.Action], seen: int
) -> tuple[argparse.Action | None, int]:
    """Return the argument that takes the next word, and which of its words that is."""
    first = 0
    for action in positionals:
        if action.nargs in _MANY:
            return action, seen - first
        first += action.nargs if isinstance(action.nargs, int) else 1
        if seen < first:
            return action, 0
    return None, 0


def quoted(text: str, raw: str) -> str:
    """Return `text` as a word, in the quotes in which `raw`, its beginning, was typed.

    Quotes stay open behind a folder, where more is to come.
    """
    mark = raw[:1]
    if mark not in ("'", '"'):
        return _SPECIAL.sub(r"\\\1", text)
    inner = text.replace("'", "'\\''") if mark == "'" else re.sub(r'([\\"$`])', r"\\\1", text)
    return f"{mark}{inner}" + ("" if text.endswith("/") else mark)
