"""A command of shell code as far as it is typed: its words, and what may stand behind them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from ctrkernel.protocol.typed_word import Word, WordBuilder

#: Words behind which a command stands.
_BEFORE_COMMAND: Final = frozenset(
    ("if", "then", "elif", "else", "while", "until", "do", "{", "!", "time", "coproc")
)
#: Words that end a compound command; no argument follows.
_AFTER_COMMAND: Final = frozenset(("fi", "done", "esac", "}"))
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*(?:\[[^]]*\])?\+?=", re.ASCII)
#: Commands whose arguments may be assignments.
_DECLARE: Final = frozenset(("export", "declare", "typeset", "local", "readonly", "alias"))


class Position(Enum):
    """What may stand at the cursor."""

    COMMAND = "command"
    ARGUMENT = "argument"
    #: A file behind ``>`` or ``<``.
    TARGET = "target"
    #: The value of an assignment.
    VALUE = "value"
    #: A variable's name, behind ``$`` or ``${`` or in arithmetic.
    VARIABLE = "variable"
    #: A comment, a here-document: nothing to complete.
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Place:
    """The place of the cursor.

    Attributes:
        position: What may stand there.
        word: What is typed of it; of a variable, the name with what stands before it.
        words: The words of the same command before it, assignments and redirections left out.
    """

    position: Position
    word: Word
    words: tuple[Word, ...] = ()


@dataclass(slots=True)
class CommandBuilder:
    """Takes the words of a list of commands in their order; it knows those of the last one.

    The list is the text itself, or what stands in ``$( … )``, ``( … )``, backticks.
    """

    closer: str
    words: list[Word] = field(default_factory=list)
    word: WordBuilder | None = None
    #: The next word is a redirection's.
    target: bool = False
    #: How many `case` are open: their patterns end in a parenthesis that nothing opened.
    cases: int = 0
    #: The words are values: ``name=( … )``.
    values: bool = False

    @property
    def test(self) -> bool:
        """Whether ``[[`` is open."""
        return bool(self.words) and self.words[0].raw == "[["

    def open_word(self, at: int) -> WordBuilder:
        """Return the word that is being typed; it begins `at` this place if none is."""
        if self.word is None:
            self.word = WordBuilder(at)
        return self.word

    def end_word(self, code: str, end: int) -> None:
        """Take the word that reaches to `end` in `code`, if one is being typed."""
        if self.word is None:
            return
        word, self.word = self.word.word(code, end), None
        if self.target:
            self.target = False
            return
        if not self.words:
            if word.raw in _BEFORE_COMMAND or (_ASSIGNMENT.match(word.raw) and not self.values):
                return
            self.cases += word.raw == "case"
            if word.raw == "esac":
                self.cases = max(0, self.cases - 1)
        elif word.raw == "in" and self.words[0].raw == "case":
            # What follows is a pattern.
            self.words.clear()
            return
        if self.test and word.raw == "]]":
            self.words.clear()
            return
        self.words.append(word)

    def end_command(self, code: str, end: int) -> None:
        """Take the last word as :meth:`end_word` does; what follows is another command."""
        self.end_word(code, end)
        self.target = False
        if not self.values:
            self.words.clear()

    def place(self, code: str, end: int) -> Place:
        """Return what stands at `end`, the cursor."""
        if self.word is None:
            word = Word("", end)
            if self.words and self.words[-1].raw in _AFTER_COMMAND and len(self.words) == 1:
                return Place(Position.NOTHING, word)
        else:
            word = self.word.word(code, end)
        words = tuple(self.words)
        if self.target:
            return Place(Position.TARGET, word, words)
        assigned = _ASSIGNMENT.match(word.raw)
        if assigned and not word.quote and (not words or words[0].raw in _DECLARE):
            return Place(Position.VALUE, word, words)
        if assigned and word.quote and not words:
            return Place(Position.VALUE, word, words)
        if self.values:
            return Place(Position.ARGUMENT, word, words)
        return Place(Position.ARGUMENT if words else Position.COMMAND, word, words)
